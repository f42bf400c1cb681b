"""The PBX's address: which base URLs are allowed, and what counts as the same origin."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from alovoice_cli.errors import UsageError

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """A base URL, taken apart. `prefix` is a path without its last slash, mostly empty."""

    scheme: str
    host: str
    port: int
    prefix: str

    @property
    def origin(self) -> str:
        """`scheme://host[:port]`, the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    @property
    def url(self) -> str:
        """The base URL in its plain form."""
        return self.origin + self.prefix

    @property
    def loopback(self) -> bool:
        """Whether nothing sent there leaves this machine."""
        return is_loopback(self.host)

    def same_origin(self, url: str) -> bool:
        """Whether an absolute URL leads to this very server, by the browser's rule: scheme, host and port."""
        parts = _split(url)
        return (parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)) == (
            self.scheme,
            self.host,
            self.port,
        )


def is_loopback(host: str) -> bool:
    """Whether the host is this machine: `localhost` and names under it, 127.0.0.0/8, `::1`."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def parse_address(base_url: str, *, insecure: bool = False) -> Address:
    """The address that a base URL names.

    Raises UsageError: not http or https, a user and password, a query, or `http://` to another machine, where the token
    in the path would be open to everyone between (`insecure` allows that one).
    """
    parts = _split(base_url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise UsageError(f"the base URL {_shown(parts)} is no http(s) URL", hint="write it as https://cld.alovoice.uz")
    if parts.username is not None or parts.password is not None:
        raise UsageError("the base URL holds a user and a password", hint="remove them: the token alone opens the PBX")
    if parts.query or parts.fragment or not _is_plain(parts.path):
        raise UsageError(f"the base URL {_shown(parts)} holds more than a host and a path")
    if parts.scheme == "http" and not insecure and not is_loopback(parts.hostname):
        raise UsageError(
            f"http://{parts.hostname} would carry the token unencrypted",
            hint="use https://, or set `insecure = true` in the profile if you know the network",
        )
    return Address(parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme], parts.path.rstrip("/"))


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url.strip())
        _ = parts.port  # a bad port shows only when it is asked for
        hostname = parts.hostname or ""
        hostname.encode("idna" if not hostname.isascii() else "ascii")
    except ValueError as error:
        raise UsageError("the URL cannot be read", hint="write it as https://HOST[:PORT]", detail=str(error)) from error
    return parts


def _is_plain(path: str) -> bool:
    return path.isascii() and path.isprintable() and not set(path) & set(' "<>\\^`{|}%') and ".." not in path


def _shown(parts: SplitResult) -> str:
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"
