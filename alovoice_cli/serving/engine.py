"""What reads the bytes and runs the loop: httptools and uvloop where they are installed, else h11 on asyncio.

Each half has its own wheels, and Windows has no uvloop. Measured by `tests/bench/serving.py` on two quiet cores: 43,100
answers a second against 10,600 with 64 senders; of httptools' rate the guards take 10 % then, and 18 to 23 % with one
or eight.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from alovoice_cli.serving.protocol import GuardedConnection, GuardedH11


@dataclass(frozen=True, slots=True)
class Engine:
    """A parser's protocol and a loop's maker (None: Python's own)."""

    connection: type[GuardedConnection]
    new_loop: Callable[[], asyncio.AbstractEventLoop] | None = None


PLAIN = Engine(GuardedH11)
_connection = PLAIN.connection
_new_loop = PLAIN.new_loop

with contextlib.suppress(ImportError):
    from alovoice_cli.serving.fast_protocol import GuardedHttptools

    _connection = GuardedHttptools

with contextlib.suppress(ImportError):
    import uvloop

    _new_loop = uvloop.new_event_loop

FASTEST = Engine(_connection, _new_loop)
