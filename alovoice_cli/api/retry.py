"""Sends again only what may be sent again (the table "Safe retry" of the design).

A request that reads: up to three more tries on trouble with the connection, 408, 425, 429, 502, 503, 504.
A request that dials, creates or costs: two more tries, and only when it certainly never left.
"""

import random
import time
from collections.abc import Callable

from alovoice_cli.api.deadline import Budget, Lost
from alovoice_cli.api.failures import hopeless
from alovoice_cli.api.reply import Reply

_PASSING = frozenset({408, 425, 429, 502, 503, 504})
_MORE_READS = 3
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 8.0
_UNSENT_PAUSES = (0.5, 1.0)
_LONGEST_RETRY_AFTER = 60.0


class Retry:
    """Runs attempts until one is final or the budget is spent. Each attempt is a fresh call of `attempt`."""

    def __init__(
        self,
        *,
        reads: bool,
        budget: Budget,
        tell: Callable[[str], None],
        sleep: Callable[[float], object] = time.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._reads, self._budget, self._tell = reads, budget, tell
        self._sleep, self._uniform = sleep, uniform

    def run(self, attempt: Callable[[], Reply]) -> Reply:
        """The last answer, whatever its status. Raises Lost when the last try brought none."""
        tries = 0
        while True:
            lost, reply = None, None
            try:
                reply = attempt()
            except Lost as error:
                lost = error
            pause = self._after_loss(lost, tries) if lost else self._after_reply(reply, tries)
            if pause is None or pause >= self._budget.remaining():
                if reply is None:
                    raise lost or AssertionError
                return reply
            tries += 1
            why = str(reply.status) if reply else type(lost.cause).__name__ if lost else ""
            self._tell(f"↻ {why}: try {tries + 1} in {pause:.2f} s")
            self._sleep(pause)

    def _after_loss(self, lost: Lost, tries: int) -> float | None:
        if hopeless(lost):
            return None
        if self._reads:
            # A cut or damaged answer mostly comes cut again: one more try, not three.
            return self._jitter(tries) if tries < (_MORE_READS if lost.status is None else 1) else None
        return _UNSENT_PAUSES[tries] if not lost.left and tries < len(_UNSENT_PAUSES) else None

    def _after_reply(self, reply: Reply | None, tries: int) -> float | None:
        if reply is None or not self._reads or reply.status not in _PASSING or tries >= _MORE_READS:
            return None
        asked = reply.retry_after()
        if asked is None:
            return self._jitter(tries)
        return max(asked, self._jitter(tries)) if asked <= _LONGEST_RETRY_AFTER else None

    def _jitter(self, tries: int) -> float:
        return self._uniform(0.0, min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**tries))
