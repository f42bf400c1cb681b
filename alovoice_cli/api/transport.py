"""Sends one request and returns its answer: proxy, certificates, kept or fresh connections, safe retries."""

import contextlib
import os
import random
import re
import ssl
import time
from collections.abc import Callable, Mapping
from threading import Lock
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, cast

import httpx

from alovoice_cli import __version__
from alovoice_cli.api.address import Address
from alovoice_cli.api.deadline import LONGEST_ANSWER, LONGEST_DIAL_ANSWER, Budget, Lost, TransportAttempt
from alovoice_cli.api.failures import hopeless, in_words
from alovoice_cli.api.reply import Reply
from alovoice_cli.api.request import (
    Encoded,
    FilePart,
    Flat,
    Request,
    WatchedFile,
    check_unchanged,
    token_headers,
    url,
    wire_name,
)
from alovoice_cli.api.trace import Trace
from alovoice_cli.errors import UsageError
from alovoice_cli.language import tr

if TYPE_CHECKING:
    from alovoice_cli.api.downloads import PartFile


_PASSING = frozenset({408, 425, 429, 502, 503, 504})
_MORE_READS = 3
_FIRST_PAUSE = 0.5  # doubled for each further try
_UNSENT_PAUSES = (0.5, 1.0)
_LONGEST_RETRY_AFTER = 60.0


class Retry:
    """Runs attempts until one is final or the budget is spent (the table "Safe retry" of the design).

    A request that reads: up to three more tries after a connection error, 408, 425, 429, 502, 503, 504. A request that
    dials, creates or costs: two more tries, and only if it certainly never left.
    """

    def __init__(
        self,
        *,
        reads: bool,
        budget: Budget,
        tell: Callable[[str], None],
        sleep: Callable[[float], object] = time.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._reads, self._budget, self._tell = reads, budget, tell
        self._sleep, self._uniform = sleep, uniform

    def run(self, attempt: Callable[[], Reply]) -> Reply:
        """Returns the last answer, with any status. Raises Lost when the last try had no answer."""
        tries = 0
        while True:
            try:
                reply = attempt()
            except Lost as lost:
                why, pause = type(lost.cause).__name__, self._after_loss(lost, tries)
                if pause is None or pause >= self._budget.remaining():
                    raise
            else:
                why, pause = str(reply.status), self._after_reply(reply, tries)
                if pause is None or pause >= self._budget.remaining():
                    return reply
            tries += 1
            self._tell(f"↻ {why}: try {tries + 1} in {pause:.2f} s")
            self._sleep(pause)

    def _after_loss(self, lost: Lost, tries: int) -> float | None:
        if hopeless(lost):
            return None
        if self._reads:
            # A truncated or damaged answer usually comes truncated again: one more try, not three.
            return self._jitter(tries) if tries < (_MORE_READS if lost.status is None else 1) else None
        return _UNSENT_PAUSES[tries] if not lost.left and tries < len(_UNSENT_PAUSES) else None

    def _after_reply(self, reply: Reply, tries: int) -> float | None:
        if not self._reads or reply.status not in _PASSING or tries >= _MORE_READS:
            return None
        asked = reply.retry_after()
        if asked is None:
            return self._jitter(tries)
        return max(asked, self._jitter(tries)) if asked <= _LONGEST_RETRY_AFTER else None

    def _jitter(self, tries: int) -> float:
        return self._uniform(0.0, _FIRST_PAUSE * 2**tries)


CERTIFI = "the bundle of certifi"
_HASHED_NAME = r"[0-9a-f]{8}\.[0-9]+"
_FEWEST_AUTHORITIES = 50  # Mozilla's list has about 140


def proxy_of(address: Address, environ: Mapping[str, str]) -> str:
    """Returns the proxy's URL for this address by the usual variables, or ''.

    `http://` to this machine never uses a proxy: the proxy would see the token in the path.
    """
    if address.scheme == "http" and address.loopback:
        return ""
    proxy = _variable(environ, f"{address.scheme}_proxy") or _variable(environ, "all_proxy")
    if not proxy or _bypassed(address, _variable(environ, "no_proxy")):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def shown_proxy(proxy: str) -> str:
    """Returns the scheme, host and port of the proxy, also of a URL that cannot be used."""
    scheme, mark, rest = proxy.partition("://")
    return scheme.lower() + mark + re.split("[/?#]", rest.rpartition("@")[2])[0]


def authorities_of(environ: Mapping[str, str]) -> str:
    """Returns the trusted certificates: `SSL_CERT_FILE`, `SSL_CERT_DIR`, the system's hashed folder, else certifi."""
    return environ.get("SSL_CERT_FILE") or environ.get("SSL_CERT_DIR") or hashed_folder() or CERTIFI


def hashed_folder() -> str:
    """Returns OpenSSL's own folder if it holds the system's authorities by their hashes; else ''.

    OpenSSL finds the one authority of a server there in 3 ms of processor time; certifi's bundle takes 45 to 60 ms,
    because it is read whole. A folder of a few files (a company's own authority alone) is not used: it would replace
    the public ones.
    """
    folder = ssl.get_default_verify_paths().openssl_capath
    try:
        hashed = sum(re.fullmatch(_HASHED_NAME, name) is not None for name in os.listdir(folder))  # noqa: PTH208 - names are enough
    except OSError:
        return ""
    return folder if hashed >= _FEWEST_AUTHORITIES else ""


def _bypassed(address: Address, unproxied: str) -> bool:
    for entry in unproxied.lower().replace(" ", "").split(","):
        name, port = _name_and_port(entry)
        domain = name.removeprefix("*").removeprefix(".")
        fits = address.host == domain or (domain != "" and address.host.endswith(f".{domain}"))
        if entry == "*" or (fits and port in ("", str(address.port))):
            return True
    return False


def _name_and_port(entry: str) -> tuple[str, str]:
    if entry.startswith("["):  # an IPv6 address as in a URL; without brackets it has no port
        name, _, port = entry[1:].partition("]")
        return name, port.removeprefix(":")
    name, _, port = entry.partition(":")
    return (name, port) if port.isdigit() else (entry, "")


def _variable(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name) or environ.get(name.upper()) or ""


class ProxyRoutes:
    """Transports to one address, made when first used: kept connections for reading, a fresh one for each dial.

    The death of a kept connection looks like a lost answer, so a dial over a kept connection would end as a false
    "unknown". A fresh one is never kept, because its request says `Connection: close`: a pool without room for kept
    connections can still give one that has just become idle to another thread.
    """

    def __init__(self, address: Address, environ: Mapping[str, str]) -> None:
        self._address, self._environ = address, environ
        self.proxy = shown_proxy(proxy_of(address, environ))
        """The proxy in use, without its user and password; empty for none."""
        self._kept: httpx.HTTPTransport | None = None
        self._fresh: httpx.HTTPTransport | None = None
        self._context: ssl.SSLContext | None = None
        self._lock = Lock()

    def transport(self, *, kept: bool) -> httpx.HTTPTransport:
        """Returns the transport for a request. Raises UsageError for an unusable proxy or CA setting."""
        with self._lock:  # several threads of a batch call this at once
            if kept:
                self._kept = self._kept or self._make()
                return self._kept
            self._fresh = self._fresh or self._make()
            return self._fresh

    def close(self) -> None:
        """Closes the open transports."""
        for transport in (self._kept, self._fresh):
            if transport is not None:
                transport.close()
        self._kept = self._fresh = None

    def _make(self) -> httpx.HTTPTransport:
        proxy = proxy_of(self._address, self._environ)
        self._context = self._context or self._trust()
        try:
            return httpx.HTTPTransport(
                verify=self._context, trust_env=False, proxy=httpx.Proxy(proxy) if proxy else None
            )
        except (ValueError, ImportError, httpx.InvalidURL) as error:
            raise UsageError(
                tr("the proxy {proxy} cannot be used", proxy=self.proxy),
                hint=tr(
                    "set {variable} to http://HOST:PORT, or NO_PROXY to use no proxy",
                    variable=f"{self._address.scheme.upper()}_PROXY",
                ),
            ) from error

    def _trust(self) -> ssl.SSLContext:
        if self._address.scheme == "http":
            # Plain http needs no authorities; this context trusts no certificate.
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        file, folder = self._environ.get("SSL_CERT_FILE"), self._environ.get("SSL_CERT_DIR")
        try:
            if file or folder:
                return ssl.create_default_context(cafile=file or None, capath=folder or None)
            if system := hashed_folder():
                return ssl.create_default_context(capath=system)
            return httpx.create_ssl_context(trust_env=False)
        except OSError as error:  # ssl.SSLError is one
            raise UsageError(
                tr("the certificates in {path} cannot be read", path=file or folder),
                hint=tr("check SSL_CERT_FILE and SSL_CERT_DIR"),
                detail=str(error),
            ) from error


# No compression is requested: the Content-Length is then the size of a download.
_HEADERS = {
    "user-agent": ("User-Agent", f"alovoice/{__version__}"),
    "accept": ("Accept", "*/*"),
    "accept-encoding": ("Accept-Encoding", "identity"),
}

Progress = Callable[[int, int | None], None]
"""Called with the bytes so far and the total (None if unknown), from another thread than the caller's."""


class PreparedRequest(NamedTuple):
    """A request ready to be sent. `on_left` is called before its first byte, and may refuse."""

    request: Request
    body: Encoded
    on_left: Callable[[], None] = lambda: None
    sink: "PartFile | None" = None
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


class Sender:
    """Sends through the network, or through a given `transport` (an embedded PBX)."""

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
        self._routes = ProxyRoutes(address, environ)
        self._given = transport
        self._trace = trace
        self._sleep, self._uniform = sleep, uniform

    def carry(self, prepared: PreparedRequest) -> Reply:
        """Returns the last answer, with any status.

        The answer to a request that dials, creates or costs, or its loss, is not traced here: see `tell_reply`. Raises
        Lost without an answer, UsageError for a changed file or an unusable setting.
        """
        reads = prepared.request.endpoint.reads
        budget, self._spent = Budget(self._timeout - self._spent), 0.0
        retry = Retry(reads=reads, budget=budget, tell=self._trace.line, sleep=self._sleep, uniform=self._uniform)
        sizes = [part.size for part in prepared.files]
        first = True

        def attempt() -> Reply:
            nonlocal first
            # A second try uses no kept connection: it may be dead like the first one.
            kept, first = reads and first, False
            for part, size in zip(prepared.files, sizes, strict=True):
                check_unchanged(part, size)
            return self._attempt(prepared, budget, sum(sizes), kept=kept)

        return retry.run(attempt)

    @property
    def proxy(self) -> str:
        """Returns the proxy in use, without its password; '' for none."""
        return "" if self._given else self._routes.proxy

    def tell_reply(self, reply: Reply) -> None:
        """Traces the answer to a request that dials, creates or costs: its outcome is in the ledger now."""
        self._trace.came(reply)

    def tell_loss(self, lost: Lost) -> None:
        """Traces a lost answer to such a request; `carry` traces a request that never left."""
        if lost.left:
            self._trace.lost(in_words(lost, self._address.host, self._timeout))

    def close(self) -> None:
        """Closes the connections, also of a given transport."""
        self._routes.close()
        if self._given is not None:
            self._given.close()

    def _attempt(self, prepared: PreparedRequest, budget: Budget, total: int, *, kept: bool) -> Reply:
        endpoint = prepared.request.endpoint
        transport = self._given or self._routes.transport(kept=kept)
        self._trace.sent(self._address, prepared.request, self._token, prepared.body)
        request = self._build(prepared, _meter(budget, prepared.progress, total))
        if not kept:
            request.headers["Connection"] = "close"
        attempt = TransportAttempt(
            transport,
            request,
            budget,
            announces=isinstance(transport, httpx.HTTPTransport),
            on_left=prepared.on_left,
            sink=prepared.sink,
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

    def _build(self, prepared: PreparedRequest, moved: Callable[[int], None]) -> httpx.Request:
        request, body = prepared.request, prepared.body
        where = url(self._address, request, self._token)
        headers = self._headers(request, body)
        if isinstance(body, Flat):
            return httpx.Request(request.method, where, headers=headers, content=body.content)
        files = [(name, _part(value, moved)) for name, value in body or ()]
        return httpx.Request(request.method, where, headers=headers, files=files or None)

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
        return (None, value)  # without a file name there is no Content-Type
    watched = cast(BinaryIO, WatchedFile(value, moved))  # httpx needs read, seek and tell, which it has
    return (wire_name(value.filename), watched, value.content_type)


def _meter(budget: Budget, progress: Progress | None, total: int) -> Callable[[int], None]:
    done = 0

    def moved(size: int) -> None:
        nonlocal done
        done += size
        budget.moved(size)
        if progress is not None:
            with contextlib.suppress(Exception):  # a broken progress bar must not stop an upload
                progress(done, total)

    return moved
