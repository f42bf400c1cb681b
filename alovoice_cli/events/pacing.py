"""So many things a second, whether or not those before have ended: what a load is."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from threading import Semaphore, Thread
from typing import Generic, TypeVar

T = TypeVar("T")
MOST_AT_ONCE = 64


class _Task(Generic[T]):
    def __init__(self, job: Callable[[], T], slots: Semaphore) -> None:
        self._job, self._slots = job, slots
        self._results: list[T] = []
        self._error: BaseException | None = None
        self._thread = Thread(target=self._work, name="alovoice-event", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            self._results.append(self._job())
        except BaseException as error:  # whoever asks for the result raises it
            self._error = error
        finally:
            self._slots.release()

    @property
    def is_done(self) -> bool:
        return not self._thread.is_alive()

    def result(self) -> T:
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._results[0]


def at_rate(
    jobs: Iterable[Callable[[], T]],
    rate: float,
    *,
    sleep: Callable[[float], object] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> Iterator[T]:
    """Starts `rate` jobs a second, at most 64 at once; yields their results in the jobs' order, as early as it can."""
    slots = Semaphore(MOST_AT_ONCE)
    waiting: deque[_Task[T]] = deque()
    began = monotonic()
    for place, job in enumerate(jobs):
        pause = began + place / rate - monotonic()
        if pause > 0:
            sleep(pause)
        slots.acquire()
        waiting.append(_Task(job, slots))
        while waiting and waiting[0].is_done:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
