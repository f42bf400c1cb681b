"""Threads that carry messages, so that a handler that is slow holds up neither the calls nor the PBX's own answers."""

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")


class Messengers(Generic[T]):
    """At most `most` at once. Daemons, unlike those of an executor: a handler that hangs cannot hold up the exit."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._work: SimpleQueue[tuple[Future[T], Callable[[], T]] | None] = SimpleQueue()
        self._under_way: set[Future[T]] = set()
        self._lock = threading.Lock()
        self._count = 0

    def send(self, work: Callable[[], T]) -> "Future[T]":
        """Has the work done by one of them; the future gets its result."""
        future: Future[T] = Future()
        with self._lock:
            self._under_way.add(future)
            if len(self._under_way) > self._count and self._count < self._most:
                self._count += 1
                threading.Thread(target=self._run, name=f"sandbox messenger {self._count}", daemon=True).start()
        future.add_done_callback(self._forget)
        self._work.put((future, work))
        return future

    def wait_for_one(self, timeout: float) -> bool:
        """Waits until one of them is free, for at most so many seconds; whether one is."""
        with self._lock:
            under_way = set(self._under_way)
        if len(under_way) >= self._most:
            wait(under_way, timeout, FIRST_COMPLETED)
        return len(self._under_way) < self._most

    def close(self, timeout: float) -> None:
        """Lets what is under way end, for at most so many seconds, and sends the messengers home."""
        with self._lock:
            under_way = set(self._under_way)
        wait(under_way, timeout)
        for _ in range(self._count):
            self._work.put(None)

    def _run(self) -> None:
        while (task := self._work.get()) is not None:
            future, work = task
            try:
                future.set_result(work())
            except BaseException as error:  # whoever waits is told
                future.set_exception(error)

    def _forget(self, future: "Future[T]") -> None:
        with self._lock:
            self._under_way.discard(future)
