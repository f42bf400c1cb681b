"""The next step of a caller who is waiting: decided within a deadline, else the fallback. Never nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from alovoice_cli.events.event import Delivery
from alovoice_cli.events.receiver import RouteAnswer
from alovoice_cli.routing.step import Step

_STORE_SECONDS = 0.2
"""How long a caller waits for a slow store; the question itself waits until it is stored."""

_THREADS = 8


def route_answer(step: Step, *, rule: str | None, kept: Mapping[str, object]) -> RouteAnswer:
    """The step as it goes out, and as it is kept with the question."""
    return RouteAnswer(step.to_bytes(), {"step": step.as_wire(), **kept}, rule)


class Routes:
    """Answers route questions. `decide` runs in a thread and may be slow, or fail: then `fallback` goes out."""

    def __init__(
        self, fallback: Step, decide: Callable[[Delivery], RouteAnswer] | None = None, *, deadline: float = 0.7
    ) -> None:
        self._fallback, self._decide, self._deadline = fallback, decide, deadline
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="route")

    async def answer(self, delivery: Delivery, stored: Awaitable[int | None]) -> RouteAnswer:
        """The answer; raises nothing."""
        answer = await self._decided(delivery)
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(stored), _STORE_SECONDS)
        return answer

    async def _decided(self, delivery: Delivery) -> RouteAnswer:
        if self._decide is None:
            return route_answer(self._fallback, rule=None, kept={"why": "no rules"})
        decided = asyncio.get_running_loop().run_in_executor(self._pool, self._decide, delivery)
        try:
            return await asyncio.wait_for(decided, self._deadline)
        except TimeoutError:
            why = f"no decision within {self._deadline * 1000:.0f} ms"
        except Exception as fault:  # whatever a rule meets, a caller is waiting
            why = f"{type(fault).__name__}: {fault}"
        return route_answer(self._fallback, rule=None, kept={"why": why})

    def close(self) -> None:
        """Lets go of the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)
