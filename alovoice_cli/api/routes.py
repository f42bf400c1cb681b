"""The ways out of this machine: proxy, certificates, and connections that are kept or not."""

import ssl
from collections.abc import Mapping
from threading import Lock
from urllib.parse import urlsplit

import httpx

from alovoice_cli.api.address import Address
from alovoice_cli.errors import UsageError

BUNDLE = "the bundle of certifi"


def proxy_of(address: Address, environ: Mapping[str, str]) -> str:
    """The proxy's URL for this address by the usual variables, or nothing.

    `http://` to this machine never goes through one: the proxy would see the token in the path.
    """
    if address.scheme == "http" and address.loopback:
        return ""
    proxy = _variable(environ, f"{address.scheme}_proxy") or _variable(environ, "all_proxy")
    if not proxy or _bypassed(address, _variable(environ, "no_proxy")):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def shown_proxy(proxy: str) -> str:
    """The proxy without its user and password."""
    return "://".join((urlsplit(proxy).scheme, urlsplit(proxy).netloc.rpartition("@")[2])) if proxy else ""


def authorities_of(environ: Mapping[str, str]) -> str:
    """Where the trusted certificates come from: `SSL_CERT_FILE`, `SSL_CERT_DIR`, else httpx's own bundle."""
    return environ.get("SSL_CERT_FILE") or environ.get("SSL_CERT_DIR") or BUNDLE


def _bypassed(address: Address, unproxied: str) -> bool:
    for entry in unproxied.lower().replace(" ", "").split(","):
        name, _, port = entry.rpartition(":") if entry.rpartition(":")[2].isdigit() else (entry, "", "")
        domain = name.removeprefix("*").removeprefix(".")
        fits = address.host == domain or (domain != "" and address.host.endswith(f".{domain}"))
        if entry == "*" or (fits and port in ("", str(address.port))):
            return True
    return False


def _variable(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name) or environ.get(name.upper()) or ""


class Routes:
    """Transports to one address, made when first used: kept connections for reading, a fresh one for each dial.

    A kept connection that dies cannot be told from a lost answer, so dialling on one would end in false unknowns.
    """

    def __init__(self, address: Address, environ: Mapping[str, str]) -> None:
        self._address, self._environ = address, environ
        self.proxy = shown_proxy(proxy_of(address, environ))
        """The proxy in force, without its user and password; empty for none."""
        self._kept: httpx.HTTPTransport | None = None
        self._fresh: httpx.HTTPTransport | None = None
        self._context: ssl.SSLContext | None = None
        self._lock = Lock()

    def transport(self, *, kept: bool) -> httpx.HTTPTransport:
        """The transport for a request. Raises UsageError for a proxy or CA setting that cannot be used."""
        with self._lock:  # the threads of a batch ask at once
            if kept:
                self._kept = self._kept or self._make(httpx.Limits())
                return self._kept
            self._fresh = self._fresh or self._make(httpx.Limits(max_keepalive_connections=0))
            return self._fresh

    def close(self) -> None:
        """Closes what is open."""
        for transport in (self._kept, self._fresh):
            if transport is not None:
                transport.close()
        self._kept = self._fresh = None

    def _make(self, limits: httpx.Limits) -> httpx.HTTPTransport:
        proxy = proxy_of(self._address, self._environ)
        self._context = self._context or self._trust()
        try:
            return httpx.HTTPTransport(
                verify=self._context, trust_env=False, limits=limits, proxy=httpx.Proxy(proxy) if proxy else None
            )
        except (ValueError, ImportError, httpx.InvalidURL) as error:
            raise UsageError(
                f"the proxy {self.proxy} cannot be used",
                hint=f"set {self._address.scheme.upper()}_PROXY to http://HOST:PORT, or NO_PROXY to go without",
            ) from error

    def _trust(self) -> ssl.SSLContext:
        if self._address.scheme == "http":
            # Loading the authorities takes 17 ms and http needs none; this context would trust nobody.
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        file, folder = self._environ.get("SSL_CERT_FILE"), self._environ.get("SSL_CERT_DIR")
        try:
            if file or folder:
                return ssl.create_default_context(cafile=file or None, capath=folder or None)
            return httpx.create_ssl_context(trust_env=False)
        except OSError as error:  # ssl.SSLError is one
            raise UsageError(
                f"the certificates in {file or folder} cannot be read",
                hint="check SSL_CERT_FILE and SSL_CERT_DIR",
                detail=str(error),
            ) from error
