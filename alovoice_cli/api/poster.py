"""Sends unchanged bytes to a handler (a CRM, or our own listener): the PBX's requests, new or stored.

Follows no redirect, sends nothing twice, raises nothing: errors are part of the outcome.
"""

import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from threading import Lock, Timer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from alovoice_cli.api.address import is_loopback
from alovoice_cli.api.trace import Trace
from alovoice_cli.masking import DOTS, disarm
from alovoice_cli.posts import Posted

MOST_ANSWER_BYTES = 64 << 10
"""The most bytes that are read of an answer: a handler's answers are short."""

_CONNECTIONS = 64
_SHOWN = ("content-", "webhook-", "x-alovoice-")
"""The beginnings of the headers that this program sets: other headers are an operator's, and may be secret."""
# Shorter than the idle time of web servers (Node 5 s, nginx more): a connection that the server is about to close
# would lose a delivery.
_IDLE_SECONDS = 2.0
_ERRNO = re.compile(r"^\[Errno -?[0-9]+\] ")


class Poster:
    """Posts from any thread, over kept connections; the environment's proxies apply to all hosts but this machine."""

    def __init__(self) -> None:
        self._clients: dict[tuple[bool, bool], httpx.Client] = {}
        self._lock = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def post(self, url: str, body: bytes, *, headers: Mapping[str, str], timeout: float) -> Posted:
        """POSTs the body with these headers; `timeout` limits the whole exchange, in seconds."""
        began = time.monotonic()
        limit = _TimeLimit(timeout)
        try:
            with limit:
                posted = self._post(url, body, headers, limit)
        except (httpx.HTTPError, httpx.InvalidURL, ImportError, OSError, ValueError) as error:  # SOCKS needs a package
            said = _said(httpx.ReadTimeout("") if limit.is_over else error)
            return Posted(None, error=said, seconds=time.monotonic() - began)
        return replace(posted, seconds=time.monotonic() - began)

    def _post(self, url: str, body: bytes, headers: Mapping[str, str], limit: "_TimeLimit") -> Posted:
        parts: list[bytes] = []
        size = 0
        asked: dict[str, Any] = {
            "headers": dict(headers),
            "timeout": limit.seconds,
            "extensions": {"trace": limit.trace},
        }
        with self._client(url).stream("POST", url, content=body, **asked) as response:
            for chunk in response.iter_bytes():
                parts.append(chunk)
                size += len(chunk)
                if size > MOST_ANSWER_BYTES:
                    break
                if limit.is_over:
                    raise httpx.ReadTimeout("the answer did not end in time")
            answer = b"".join(parts)[:MOST_ANSWER_BYTES]
            return Posted(response.status_code, answer, retry_after=response.headers.get("retry-after", ""))

    def _client(self, url: str) -> httpx.Client:
        parts = urlsplit(url)
        is_near, is_secure = is_loopback(parts.hostname or ""), parts.scheme == "https"
        with self._lock:
            client = self._clients.get((is_near, is_secure))
            if client is None:
                client = self._clients[is_near, is_secure] = _make_client(is_near=is_near, is_secure=is_secure)
            return client

    def close(self) -> None:
        """Closes the connections."""
        for client in self._clients.values():
            client.close()


def _make_client(*, is_near: bool, is_secure: bool) -> httpx.Client:
    # Plain http needs no authorities, and to read them all takes longer than to post.
    trusted = httpx.create_ssl_context() if is_secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    limits = httpx.Limits(
        max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS, keepalive_expiry=_IDLE_SECONDS
    )
    return httpx.Client(verify=trusted, trust_env=not is_near, follow_redirects=False, limits=limits)


class _TimeLimit:
    """Ends an exchange after this many seconds. httpx limits single reads: a very slow header would never end.

    A connection kept from an earlier exchange is known here only after its whole header has arrived.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds, self.is_over = seconds, False
        self._socket: socket.socket | None = None
        self._timer = Timer(seconds, self._end)
        self._timer.daemon = True
        self._lock, self._is_done = Lock(), False

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._is_done = True
        self._timer.cancel()

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Learns the connection from httpcore's trace events."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._socket = info["return_value"].get_extra_info("socket")

    def _end(self) -> None:
        with self._lock:
            self.is_over = not self._is_done
            if self._socket is not None and self.is_over:
                with suppress(OSError):  # already closed
                    self._socket.shutdown(socket.SHUT_RDWR)


class TracedPoster:
    """A poster that traces each POST and its answer. `shown` returns a URL without its secrets."""

    def __init__(self, poster: Poster, trace: Trace, shown: Callable[[str], str]) -> None:
        self._poster, self._trace, self._shown = poster, trace, shown

    def post(self, url: str, body: bytes, *, headers: Mapping[str, str], timeout: float) -> Posted:
        """Posts as the wrapped poster does."""
        self._trace.line(f"→ POST {self._shown(url)}")
        for name, value in headers.items():
            self._trace.line(f"  {name}: {value if name.lower().startswith(_SHOWN) else DOTS}")
        self._trace.line(f"  {self._trace.body(body)}")
        posted = self._poster.post(url, body, headers=headers, timeout=timeout)
        if posted.status is None:
            self._trace.lost(posted.error)
            return posted
        self._trace.line(f"← {posted.status} {posted.seconds * 1000:.0f} ms {len(posted.body)} bytes")
        if posted.body:
            self._trace.line(f"  {self._trace.body(posted.body)}")
        return posted


def _said(error: Exception) -> str:
    """Returns the error in a few words, without the URL, which may contain a key."""
    named = {
        httpx.ConnectTimeout: "no connection in time",
        httpx.ReadTimeout: "no answer in time",
        httpx.WriteTimeout: "it did not take the request in time",
        httpx.PoolTimeout: "too many requests are under way",
        httpx.RemoteProtocolError: "the connection was closed without an answer",
        httpx.InvalidURL: "the URL cannot be used",
    }
    for kind, words in named.items():
        if isinstance(error, kind):
            return words
    words = _ERRNO.sub("", str(error).partition(" for url ")[0])
    return disarm(words[:1].lower() + words[1:]) or type(error).__name__
