"""Threads that carry exchanges, one each, and are kept for the next one: starting one is a tenth of a call's cost."""

from collections.abc import Callable
from threading import Lock, Thread


class Hands:
    """As many threads as there were exchanges at a time. One that hangs is not waited for: another takes its place."""

    def __init__(self) -> None:
        self._idle: list[_Hand] = []
        self._is_closed = False

    def carry(self, work: Callable[[], None], done: Callable[[], None]) -> None:
        """Runs `work` in a thread of its own, from now on; then `done`, which must not block. Neither may raise."""
        try:
            hand = self._idle.pop()
        except IndexError:
            hand = _Hand(self._take_back)
        hand.begin(work, done)

    def close(self) -> None:
        """Lets the idle threads go, and those at work when they are done."""
        self._is_closed = True
        while self._idle:
            self._idle.pop().let_go()

    def _take_back(self, hand: "_Hand") -> bool:
        if not self._is_closed:
            self._idle.append(hand)
        return not self._is_closed


class _Hand:
    """One thread."""

    def __init__(self, take_back: "Callable[[_Hand], bool]") -> None:
        self._take_back = take_back
        self._turn = Lock()
        self._turn.acquire()
        self._task: tuple[Callable[[], None], Callable[[], None]] | None = None
        Thread(target=self._run, name="alovoice-exchange", daemon=True).start()

    def begin(self, work: Callable[[], None], done: Callable[[], None]) -> None:
        self._task = (work, done)
        self._turn.release()

    def let_go(self) -> None:
        self._turn.release()

    def _run(self) -> None:
        while self._turn.acquire() and (task := self._task) is not None:
            self._task = None
            work, done = task
            work()
            stays = self._take_back(self)  # before `done`: whoever waits for it may need a hand at once
            done()
            del task, work, done
            if not stays:
                return
