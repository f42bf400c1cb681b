"""One attempt at an exchange, with a time limit for the whole, and with certainty whether the request left.

httpx's time-outs limit single reads; they do not cover DNS, or a server that sends slowly. So each exchange runs in its
own thread, and the caller's thread waits for the deadline, for Ctrl-C, or for the answer. The thread is a daemon:
Python waits at exit for the threads of `concurrent.futures`, and a thread in a hung DNS look-up would keep the process
alive. Starting a thread takes 0.1 ms.

Only httpcore's trace event `send_request_headers.started` tells whether the request left (exception classes cannot).
The event comes before the first byte; the worker then checks, under a lock, whether the request was given up. A request
that was given up before it left can therefore never leave.
"""

import contextlib
import re
import socket
import time
from collections.abc import Callable, Mapping
from threading import Lock, Thread
from typing import TYPE_CHECKING

import httpx

from alovoice_cli.api.reply import Reply, decoded, encodings_of
from alovoice_cli.api.send_guard import Abandoned
from alovoice_cli.errors import AlovoiceError

if TYPE_CHECKING:
    from alovoice_cli.api.downloads import PartFile

LONGEST_ANSWER = 64 * 1024 * 1024
LONGEST_DIAL_ANSWER = 1024 * 1024
"""The most bytes in the answer of a method that dials, creates or costs: a word, an id or an error.

Reading a longer answer could take longer than `--timeout` allows.
"""
LONGEST_CONNECT = 10.0
_SLICE = 0.2  # on Windows Ctrl-C does not interrupt a wait: each wait must end by itself
_SLOWEST = 32 * 1024  # bytes of a file that add one second


class Budget:
    """Seconds left for everything that one call does, retries and pauses included.

    File transfers may take longer: each 32 KiB of an upload or download adds a second.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._end = clock() + seconds

    def remaining(self) -> float:
        """Returns the seconds until the deadline, negative after it."""
        return self._end - self._clock()

    def moved(self, size: int) -> None:
        """Notes that this many bytes of a file were transferred."""
        self._end += size / _SLOWEST


_RANGE = r"bytes ([0-9]{1,15})-"


class AnswerTooLongError(Exception):
    """The body exceeds the attempt's limit."""


class Lost(Exception):  # noqa: N818 - not yet an error: retry or the table of failures decides its meaning
    """An attempt without a whole answer. `left`: whether the first byte may have left.

    `proxy` names the proxy where the exchange ended between this machine and a proxy; '' where it ended at the PBX.
    """

    def __init__(
        self,
        cause: BaseException | None,
        *,
        left: bool,
        status: int | None,
        arrived: bytes,
        expired: bool = False,
        proxy: str = "",
    ) -> None:
        super().__init__(str(cause or "deadline"))
        self.cause = cause
        self.left = left
        self.status = status
        self.arrived = arrived
        self.expired = expired
        self.proxy = proxy


class TransportAttempt:
    """One exchange. `run` is called once.

    `announces`: the transport raises httpcore's trace events. With another transport the request counts as left just
    before the transport receives it. `proxy` is the proxy's URL without its password, or ''. An answer of more than
    `longest` bytes is lost.
    """

    def __init__(
        self,
        transport: httpx.BaseTransport,
        request: httpx.Request,
        budget: Budget,
        *,
        announces: bool,
        on_left: Callable[[], None] = lambda: None,
        sink: "PartFile | None" = None,
        proxy: str = "",
        longest: int = LONGEST_ANSWER,
    ) -> None:
        self._transport, self._request, self._budget = transport, request, budget
        self._announces, self._on_left, self._sink = announces, on_left, sink
        self._proxy, self._longest = proxy, longest
        self._proxy_is_asked = self._is_past_proxy = False
        self._is_secure = request.url.scheme == "https"
        self._lock = Lock()
        self._worker = Thread(target=self._work, name="alovoice-exchange", daemon=True)
        self._is_done = False
        self._given_up = False
        self._left = False
        self._socket: socket.socket | None = None
        self._status: int | None = None
        self._arrived = bytearray()
        self._reply: Reply | None = None
        self._error: BaseException | None = None

    def run(self) -> Reply:
        """Returns the whole answer. Raises Lost, without time left at once, or what the sink or a signal raises."""
        if self._budget.remaining() <= 0:  # what a token command took may be all: nothing leaves in its last moment
            raise Lost(None, left=False, status=None, arrived=b"", expired=True, proxy=self._proxy)
        request = self._request
        request.extensions = {**request.extensions, "timeout": self._timeouts(), "trace": self._trace}
        self._worker.start()
        try:
            self._wait()
        finally:
            given_up = self._give_up()
        # Later results of the worker do not count: our own shutdown can look like the end of the body.
        if self._reply is not None and not given_up:
            return self._reply
        if isinstance(self._error, AlovoiceError):
            raise self._error
        raise Lost(
            None if given_up else self._error,
            left=self._left,
            status=self._status,
            arrived=bytes(self._arrived),
            expired=given_up,
            proxy="" if self._is_past_proxy else self._proxy,
        ) from self._error

    def _timeouts(self) -> Mapping[str, float]:
        left = max(self._budget.remaining(), 0.001)
        return {"connect": min(left, LONGEST_CONNECT), "read": left, "write": left, "pool": left}

    def _wait(self) -> None:
        while (left := self._budget.remaining()) > 0:
            self._worker.join(min(left, _SLICE))
            if self._is_done or not self._worker.is_alive():  # it can die before it says so: of a lack of memory
                return

    def _give_up(self) -> bool:
        if self._is_done:
            return False
        with self._lock:
            self._given_up = True
        if self._socket is not None:
            with contextlib.suppress(OSError):  # already closed
                self._socket.shutdown(socket.SHUT_RDWR)
        return True

    # --- in the worker -----------------------------------------------------------------------------------------------

    def _work(self) -> None:
        try:
            self._reply = self._exchange()
        except BaseException as error:  # the waiting thread raises it
            self._error = error
        finally:
            self._is_done = True

    def _leave(self) -> None:
        with self._lock:
            if self._given_up:
                raise Abandoned
            self._on_left()
            self._left = True

    def _trace(self, event: str, info: Mapping[str, object]) -> None:
        if event.endswith("send_request_headers.started"):
            if getattr(info["request"], "method", b"") != b"CONNECT":  # to a proxy; the request itself follows
                self._leave()
            self._proxy_is_asked = True
        elif event.endswith("start_tls.started"):
            # With an https:// proxy the first TLS handshake is with the proxy itself.
            self._is_past_proxy = self._proxy_is_asked or not self._proxy.startswith("https:")
        elif event.endswith("start_tls.complete") or (event.endswith("connect_tcp.complete") and not self._is_secure):
            # Not a socket that TLS takes over next: after a shutdown at that moment Python would leave it open.
            self._keep_socket(info["return_value"])

    def _keep_socket(self, stream: object) -> None:
        get = getattr(stream, "get_extra_info", None)
        found = get("socket") if get else None
        if isinstance(found, socket.socket):
            self._socket = found

    def _exchange(self) -> Reply:
        started = time.monotonic()
        if not self._announces:
            self._leave()
        response = self._transport.handle_request(self._request)
        try:
            self._keep_socket(response.extensions.get("network_stream"))
            self._status = response.status_code
            self._collect(response)
        except httpx.DecodingError:
            if response.is_success and response.status_code != httpx.codes.NO_CONTENT:
                raise
            # Any other status is a full answer, even with an incomplete body.
        finally:
            response.close()
        return Reply(
            response.status_code,
            response.reason_phrase,
            tuple(response.headers.multi_items()),
            bytes(self._arrived),
            time.monotonic() - started,
        )

    def _collect(self, response: httpx.Response) -> None:
        sink = self._sink if response.status_code in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT) else None
        if sink is not None:
            length = response.headers.get("Content-Length", "")
            sink.begin(int(length) if length.isascii() and length.isdigit() else None, _start(response))
        assert isinstance(response.stream, httpx.SyncByteStream)
        # Not `response.iter_bytes()`: it accepts a truncated encoding as whole.
        for chunk in decoded(response.stream, encodings_of(response.headers.get("Content-Encoding", ""))):
            if sink is not None:
                sink.write(chunk)
                self._budget.moved(len(chunk))
                continue
            self._arrived += chunk
            if len(self._arrived) > self._longest:
                raise AnswerTooLongError


def _start(response: httpx.Response) -> int:
    """Returns the first byte's position in the body of a 206; -1 where the answer does not say so."""
    if response.status_code != httpx.codes.PARTIAL_CONTENT:
        return 0
    match = re.match(_RANGE, response.headers.get("Content-Range", ""))
    return int(match.group(1)) if match else -1
