"""Keeps the threads of a batch on one processor.

Only one of them can compute at a time, whichever processor it is on; and to hand the interpreter's lock from one
processor to another takes so much longer that eight threads on two of them make half as many calls as on one.
"""

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def on_one_processor() -> Iterator[None]:
    """While the block runs, this thread and those that it starts stay on one of the processors that it may use.

    Where the system cannot, or does not let us, they are as they were.
    """
    if sys.platform != "linux":
        yield
        return
    before = os.sched_getaffinity(0)
    with suppress(OSError):
        os.sched_setaffinity(0, {secrets.choice(sorted(before))})
    try:
        yield
    finally:
        with suppress(OSError):
            os.sched_setaffinity(0, before)
