"""Waiting for a condition: the one place where a test looks at how long it has waited."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

PATIENCE_SECONDS = 60.0

T = TypeVar("T")


def wait_until(
    condition: Callable[[], T],
    what: str | Callable[[], object],
    *,
    seconds: float = PATIENCE_SECONDS,
    pause: float = 0.01,
) -> T:
    """Returns the condition's first true value.

    Fails where none comes within the seconds, and says that `what` never came. `what` may be a function: its value
    then says what is there instead. Between two looks it pauses: a look that starts a process wants a longer pause.
    """
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() >= deadline:
            raise AssertionError(f"{what} never came" if isinstance(what, str) else f"there is {what()!r}")
        time.sleep(pause)
    return found


@contextmanager
def ends_soon(what: str, *, seconds: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Fails where the block takes longer than the seconds: for what ends although it could wait for much longer."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds, f"{what} took too long"
