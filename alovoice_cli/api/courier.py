"""Carries one request to the PBX and the answer back: builds it, tries it, tries it again where that is safe."""

import contextlib
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import BinaryIO, cast

import httpx

from alovoice_cli import __version__
from alovoice_cli.api.address import Address
from alovoice_cli.api.deadline import LONGEST_ANSWER, LONGEST_DIAL_ANSWER, Attempt, Budget, Lost, Sink
from alovoice_cli.api.diagnosis import in_words
from alovoice_cli.api.files import FilePart, WatchedFile, check_unchanged, wire_name
from alovoice_cli.api.hands import Hands
from alovoice_cli.api.reply import Reply
from alovoice_cli.api.request import Request
from alovoice_cli.api.retry import Retry
from alovoice_cli.api.routes import Routes
from alovoice_cli.api.trace import Trace
from alovoice_cli.api.wire import Encoded, Flat, token_headers, url

# Compressed answers are not asked for: a Content-Length then says how long a download is.
_HEADERS = {
    "user-agent": ("User-Agent", f"alovoice/{__version__}"),
    "accept": ("Accept", "*/*"),
    "accept-encoding": ("Accept-Encoding", "identity"),
}

Progress = Callable[[int, int | None], None]
"""Bytes moved so far, and bytes in all where that is known. Called from another thread than the caller's."""


@dataclass(frozen=True, slots=True)
class Load:
    """A request ready to be carried. `on_left` is called when its first byte goes, and may refuse."""

    request: Request
    body: Encoded
    on_left: Callable[[], None] = lambda: None
    sink: Sink | None = None
    progress: Progress | None = None

    @property
    def files(self) -> list[FilePart]:
        """The files in the body."""
        return file_parts(self.body)


def file_parts(body: Encoded) -> list[FilePart]:
    """The files in an encoded body, in their order."""
    if body is None or isinstance(body, Flat):
        return []
    return [value for _, value in body if isinstance(value, FilePart)]


class Courier:
    """Sends through the network, or through `transport` where one is given (an embedded PBX)."""

    def __init__(
        self,
        address: Address,
        token: str,
        *,
        timeout: float,
        spent: float = 0.0,
        environ: Mapping[str, str],
        transport: httpx.BaseTransport | None,
        trace: Trace,
        sleep: Callable[[float], object] = time.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._address, self._token, self._timeout, self._spent = address, token, timeout, spent
        self._routes = Routes(address, environ)
        self._given = transport
        self._hands = Hands()
        self._last: tuple[object, httpx.URL, httpx.Headers] = (None, httpx.URL(), httpx.Headers())
        self._trace = trace
        self._sleep, self._uniform = sleep, uniform

    def carry(self, load: Load) -> Reply:
        """The last answer, whatever its status.

        An answer to a request that dials, creates or costs, or its loss, is not traced yet: see `tell_reply`.
        Raises Lost when none came, UsageError for a file that changed or a setting that cannot be used.
        """
        reads = load.request.endpoint.reads
        budget, self._spent = Budget(self._timeout - self._spent), 0.0
        retry = Retry(reads=reads, budget=budget, tell=self._trace.line, sleep=self._sleep, uniform=self._uniform)
        sizes = [part.size for part in load.files]
        first = True

        def attempt() -> Reply:
            nonlocal first
            # A second try takes no kept connection: it may be dead like the first one's.
            transport = self._given or self._routes.transport(kept=reads and first)
            first = False
            for part, size in zip(load.files, sizes, strict=True):
                check_unchanged(part, size)
            return self._attempt(load, transport, budget, sum(sizes))

        return retry.run(attempt)

    @property
    def proxy(self) -> str:
        """The proxy in force, without its password; empty for none."""
        return "" if self._given else self._routes.proxy

    def tell_reply(self, reply: Reply) -> None:
        """Traces the answer to a request that dials, creates or costs: its outcome is in the ledger by now."""
        self._trace.came(reply)

    def tell_loss(self, lost: Lost) -> None:
        """Traces that no answer came to such a request, which `carry` does for one that never left."""
        if lost.left:
            self._trace.lost(in_words(lost, self._address.host, self._timeout))

    def close(self) -> None:
        """Closes the connections; a transport that was given too."""
        self._hands.close()
        self._routes.close()
        if self._given is not None:
            self._given.close()

    def _attempt(self, load: Load, transport: httpx.BaseTransport, budget: Budget, total: int) -> Reply:
        endpoint = load.request.endpoint
        self._trace.sent(self._address, load.request, self._token, load.body)
        attempt = Attempt(
            transport,
            self._build(load, _meter(budget, load.progress, total)),
            budget,
            announces=isinstance(transport, httpx.HTTPTransport),
            on_left=load.on_left,
            sink=load.sink,
            hands=self._hands,
            proxy=self.proxy,
            longest=LONGEST_DIAL_ANSWER if endpoint.name and not endpoint.reads else LONGEST_ANSWER,
        )
        try:
            reply = attempt.run()
        except Lost as lost:
            if endpoint.reads or not lost.left:
                self._trace.lost(in_words(lost, self._address.host, self._timeout))
            raise
        if endpoint.reads:
            self._trace.came(reply)
        return reply

    def _build(self, load: Load, moved: Callable[[int], None]) -> httpx.Request:
        request, body = load.request, load.body
        where = url(self._address, request, self._token)
        if isinstance(body, Flat) and body.content:
            return self._flat(request, where, body)
        headers = self._headers(request, body)
        if isinstance(body, Flat):
            return httpx.Request(request.method, where, headers=headers, content=b"")
        files = [(name, _part(value, moved)) for name, value in body or ()]
        return httpx.Request(request.method, where, headers=headers, files=files or None)

    def _flat(self, request: Request, where: str, body: Flat) -> httpx.Request:
        """As httpx would make it of `content`. The rows of a batch differ in nothing else: it reads the rest once."""
        key = (request.endpoint, where, request.headers, body.content_type, len(body.content))
        known, at, headers = self._last
        if known != key:
            at = httpx.URL(where)
            host, length = ("Host", at.netloc.decode("ascii")), ("Content-Length", str(len(body.content)))
            headers = httpx.Headers([host, *self._headers(request, body), length])
            self._last = (key, at, headers)
        return httpx.Request(request.method, at, headers=headers, stream=httpx.ByteStream(body.content))

    def _headers(self, request: Request, body: Encoded) -> list[tuple[str, str]]:
        headers = dict(_HEADERS)
        if isinstance(body, Flat):
            headers["content-type"] = ("Content-Type", body.content_type)
        for name, value in (*token_headers(request, self._token), *request.headers):
            headers[name.lower()] = (name, value)
        return list(headers.values())


_Part = tuple[None, str] | tuple[str, BinaryIO, str]


def _part(value: str | FilePart, moved: Callable[[int], None]) -> _Part:
    if isinstance(value, str):
        return (None, value)  # no file name, and so no Content-Type
    watched = cast(BinaryIO, WatchedFile(value, moved))  # httpx asks for read, seek and tell: it has these
    return (wire_name(value.filename), watched, value.content_type)


def _meter(budget: Budget, progress: Progress | None, total: int) -> Callable[[int], None]:
    done = 0

    def moved(size: int) -> None:
        nonlocal done
        done += size
        budget.moved(size)
        if progress is not None:
            with contextlib.suppress(Exception):  # decoration must not cut an upload
                progress(done, total)

    return moved
