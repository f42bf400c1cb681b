"""The next step of a waiting caller: decided before a deadline, else the fallback. There is always a step."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

from alovoice_cli.events.event import Delivery
from alovoice_cli.events.receiver import RouteAnswer
from alovoice_cli.listening.ruling import RouteSource, Ruled, Ruling
from alovoice_cli.listening.watching import Watch

DEADLINE_SECONDS = 0.7
_TELLING_SECONDS = 3.0
"""How long an answered question waits for its trail and its shadow; after that it is stored without them."""

_DECIDING_THREADS = 8
_TELLING_THREADS = 1


class RouteAnswerer:
    """Answers route questions by a ruling, which may be slow or fail: then the fallback is sent."""

    def __init__(
        self,
        ruling: Ruling,
        watch: Watch,
        *,
        deadline: float = DEADLINE_SECONDS,
        count: Callable[[RouteSource], None] = lambda _: None,
    ) -> None:
        self._ruling, self._watch, self._deadline, self._count = ruling, watch, deadline, count
        self._deciding = ThreadPoolExecutor(_DECIDING_THREADS, thread_name_prefix="route")
        self._telling = ThreadPoolExecutor(_TELLING_THREADS, thread_name_prefix="route-told")

    def start(self) -> None:
        """Starts to watch the files of the rules."""
        self._watch.start()

    async def answer(self, delivery: Delivery) -> RouteAnswer:
        """Returns the answer; raises nothing."""
        ruled = await self._ruled(delivery)
        self._count(ruled.source)
        body = ruled.step.to_bytes()
        if self._ruling.is_told_at_once(ruled):
            with suppress(Exception):  # a trail that fails here is stored later, without its end
                return RouteAnswer(body, self._ruling.tell(ruled, delivery), ruled.rule)
        return RouteAnswer(body, self._ruling.short(ruled), ruled.rule, partial(self._told, ruled, delivery))

    async def _ruled(self, delivery: Delivery) -> Ruled:
        try:
            ruled = self._ruling.at_once(delivery)
            if ruled is not None:
                return ruled
            decided = asyncio.get_running_loop().run_in_executor(self._deciding, self._ruling.decide, delivery)
            return await asyncio.wait_for(decided, self._deadline)
        except TimeoutError:
            return self._ruling.failed(f"no decision within {self._deadline * 1000:.0f} ms", "deadline")
        except Exception as fault:  # whatever error a rule has, a caller is waiting
            return self._ruling.failed(f"{type(fault).__name__}: {fault}")

    async def _told(self, ruled: Ruled, delivery: Delivery) -> Mapping[str, object]:
        """Returns the values to store with the question, found after the answer."""
        try:
            told = asyncio.get_running_loop().run_in_executor(self._telling, self._ruling.tell, ruled, delivery)
            return await asyncio.wait_for(told, _TELLING_SECONDS)
        except Exception:  # too slow, or the listener is ending: the answer is stored anyway
            return self._ruling.short(ruled)

    def close(self) -> None:
        """Ends the threads."""
        self._watch.close()
        for pool in (self._deciding, self._telling):
            pool.shutdown(wait=False, cancel_futures=True)
