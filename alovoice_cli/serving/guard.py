"""One connection's limits of time and size.

Measured with uvicorn 0.54: a connection that sends nothing, half a header or half a body stays open for ever, and no
ASGI middleware can see it. So the deadline is here, at the socket.
"""

import asyncio
from collections.abc import Callable

from alovoice_cli.serving.limits import MOST_FORGOTTEN, Limits


class Room:
    """The open connections, in the order in which the wait for their next request began."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._guards: dict[Guard, None] = {}

    def __len__(self) -> int:
        return len(self._guards)

    def enter(self, newcomer: "Guard") -> None:
        """Adds a connection. Over the limit, the longest waiting connection is cut; if none waits, the new one."""
        self._guards[newcomer] = None
        if len(self._guards) > self.limits.connections:
            victim = next((guard for guard in self._guards if not guard.is_busy()), newcomer)
            del self._guards[
                victim
            ]  # now: its end is reported later, and the next new connection must not choose it again
            victim.abort()

    def leave(self, guard: "Guard") -> None:
        """Removes a lost connection."""
        self._guards.pop(guard, None)

    def wait_anew(self, guard: "Guard") -> None:
        """Notes that this connection has had its answer: the other waiting ones have waited longer."""
        if guard in self._guards:
            del self._guards[guard]
            self._guards[guard] = None

    def clear(self) -> None:
        """Cuts every connection."""
        for guard in list(self._guards):
            guard.abort()


class Guard:
    """Ends one connection after its time, or when it sends more than any request may have.

    `is_busy` returns whether a request has fully arrived, and the app works on it.
    """

    def __init__(self, room: Room, transport: asyncio.Transport, is_busy: Callable[[], bool]) -> None:
        self.is_busy = is_busy
        self._room = room
        self._limits = room.limits
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._timer: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None
        self._began = 0.0
        self._received = 0
        self._most = self._limits.body_bytes + MOST_FORGOTTEN + (1 << 20)
        self.expect()
        room.enter(self)

    def release(self) -> None:
        """Ends the guard: the connection is lost."""
        self._room.leave(self)
        self.rest()
        self.resume()

    def abort(self) -> None:
        """Cuts the connection now."""
        self._transport.abort()

    def expect(self) -> None:
        """Starts the deadline for a request, or the end of the connection; a running deadline continues."""
        if self._timer is None:
            self._began = self._loop.time()
            self._timer = self._loop.call_later(self._limits.request_deadline.total_seconds(), self._time_is_up)

    def expect_anew(self) -> None:
        """Starts a new deadline: the first byte of a further request has come."""
        self._began = self._loop.time()
        self._received = 0

    def rest(self) -> None:
        """Stops the deadline: the app works."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def count(self, received: int) -> None:
        """Counts received bytes."""
        self._received += received
        if self._received > self._most:
            self.abort()

    def answered(self) -> None:
        """Notes that a request had its answer."""
        self._received = 0
        self._room.wait_anew(self)
        if self._transport.is_closing():
            self.expect()  # a client that does not read the rest of the answer must not keep the connection for ever

    def stall(self) -> None:
        """Notes that the client leaves too much of its answer unread."""
        if self._stall is None:
            self._stall = self._loop.call_later(self._limits.request_deadline.total_seconds(), self.abort)

    def resume(self) -> None:
        """Notes that the client reads again."""
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def _time_is_up(self) -> None:
        seconds = self._limits.request_deadline.total_seconds()
        earned = self._received / self._limits.bytes_per_extra_second
        left = self._began + seconds + earned - self._loop.time()
        if left <= 0 and not self._transport.is_closing() and not self._transport.is_reading():
            left = seconds  # what the client has sent is not read yet: the app is working, or sending an earlier answer
        if left > 0:
            self._timer = self._loop.call_later(left, self._time_is_up)
        else:
            self._timer = None
            self._transport.abort()
