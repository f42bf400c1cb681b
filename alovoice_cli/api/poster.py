"""Sends unchanged bytes to a handler (a CRM, or our own listener): the PBX's requests, new or stored.

Follows no redirect, sends nothing twice, raises nothing: errors are part of the outcome.
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import httpx

from alovoice_cli.api.address import is_loopback
from alovoice_cli.api.trace import Trace
from alovoice_cli.masking import DOTS, disarm
from alovoice_cli.posts import Posted

MOST_ANSWER_BYTES = 64 << 10
"""The bytes that are read of an answer: a handler's answers are short."""

_CONNECTIONS = 64
_SHOWN = ("content-", "webhook-", "x-alovoice-")
"""The headers of our own making: what else goes out is an operator's, and may be a secret."""
# Shorter than the idle time of web servers (Node 5 s, nginx more): a connection that the server is about to close
# would lose a delivery.
_IDLE_SECONDS = 2.0
_ERRNO = re.compile(r"^\[Errno -?[0-9]+\] ")


class Poster:
    """Posts from any thread, over kept connections; the environment's proxies apply to all hosts but this machine."""

    def __init__(self) -> None:
        limits = httpx.Limits(
            max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS, keepalive_expiry=_IDLE_SECONDS
        )
        self._near = httpx.Client(follow_redirects=False, trust_env=False, limits=limits)
        self._far: httpx.Client | None = None
        self._limits = limits

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def post(self, url: str, body: bytes, *, headers: Mapping[str, str], timeout: float) -> Posted:
        """POSTs the body with these headers; `timeout` limits the whole exchange, in seconds."""
        began = time.monotonic()
        try:
            posted = self._post(url, body, headers, timeout)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            return Posted(None, error=_said(error), seconds=time.monotonic() - began)
        return replace(posted, seconds=time.monotonic() - began)

    def _post(self, url: str, body: bytes, headers: Mapping[str, str], timeout: float) -> Posted:
        deadline = time.monotonic() + timeout
        parts: list[bytes] = []
        size = 0
        with self._client(url).stream("POST", url, content=body, headers=dict(headers), timeout=timeout) as response:
            for chunk in response.iter_bytes():
                parts.append(chunk)
                size += len(chunk)
                if size > MOST_ANSWER_BYTES:
                    break
                if time.monotonic() > deadline:
                    raise httpx.ReadTimeout("the answer did not end in time")
            answer = b"".join(parts)[:MOST_ANSWER_BYTES]
            return Posted(response.status_code, answer, retry_after=response.headers.get("retry-after", ""))

    def _client(self, url: str) -> httpx.Client:
        if is_loopback(urlsplit(url).hostname or ""):
            return self._near
        if self._far is None:
            self._far = httpx.Client(follow_redirects=False, limits=self._limits)
        return self._far

    def close(self) -> None:
        """Closes the connections."""
        self._near.close()
        if self._far is not None:
            self._far.close()


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
