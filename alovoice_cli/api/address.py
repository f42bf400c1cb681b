"""The PBX's address: the allowed base URLs, and the rule of the same origin."""

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from alovoice_cli.errors import UsageError
from alovoice_cli.language import mark, tr

_PORTS = {"http": 80, "https": 443}
_LONGEST_LABEL, _LONGEST_NAME = 63, 253  # RFC 1035
_HOST = r"[A-Za-z0-9._-]+"  # with the underscore, which occurs in private networks
_SHOWN = 80
_FORM = mark("write it as https://HOST[:PORT], such as https://cld.alovoice.uz")


class Address(NamedTuple):
    """The parts of a base URL. `prefix` is the path without its last slash, usually empty."""

    scheme: str
    host: str
    port: int
    prefix: str

    @property
    def origin(self) -> str:
        """Returns `scheme://host[:port]`, without the scheme's default port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    @property
    def url(self) -> str:
        """Returns the base URL in its plain form."""
        return self.origin + self.prefix

    @property
    def loopback(self) -> bool:
        """Returns whether requests to this address stay on this machine."""
        return is_loopback(self.host)

    def same_origin(self, url: str) -> bool:
        """Returns whether an absolute URL has the same origin, as browsers compare: scheme, host and port."""
        parts = _split(url)
        return (parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)) == (
            self.scheme,
            self.host,
            self.port,
        )


def _check_host(host: str) -> None:
    """Raises UsageError for a name that no resolver accepts: the system's own message for that helps nobody."""
    if ":" in host:
        if "%" in host:
            raise _no_host(host, tr("an address with a zone (%) cannot be used"))
        return
    name = host.removesuffix(".") if host.isascii() else _ascii_name(host)
    labels = name.split(".")
    if "" in labels:
        raise _no_host(host, tr("a part before, between or behind its dots is empty"))
    if max(map(len, labels)) > _LONGEST_LABEL or len(name) > _LONGEST_NAME:
        raise _no_host(host, _too_long())
    if not re.fullmatch(_HOST, name):
        raise _no_host(host, tr("a host name has only letters, digits, dots and hyphens"))
    if "xn--" in name or labels[-1].isdigit():
        _ascii_name(host)


def _ascii_name(host: str) -> str:
    """Returns the name for resolvers: httpx's own encoding of international names and IPv4 addresses."""
    import httpx  # noqa: PLC0415 - few hosts need it, and its import takes 150 ms

    try:
        url = httpx.URL(f"https://{host}")
        _ = url.host  # a wrong Punycode name raises only here
        return url.raw_host.decode("ascii").removesuffix(".")
    except (httpx.InvalidURL, ValueError) as error:
        raise _no_host(host, tr("it has a letter, a length or a digit that no host name has")) from error


def _no_host(host: str, why: str) -> UsageError:
    shown = host if len(host) <= _SHOWN else host[:_SHOWN] + "…"
    return UsageError(tr("the base URL has an invalid host name, {host}: {why}", host=shown, why=why), hint=tr(_FORM))


def _too_long() -> str:
    return tr("a part has at most {part} letters, the whole {whole}", part=_LONGEST_LABEL, whole=_LONGEST_NAME)


def is_loopback(host: str) -> bool:
    """Returns whether the host is this machine: `localhost` and names under it, 127.0.0.0/8, `::1`."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def parse_address(base_url: str, *, insecure: bool = False) -> Address:
    """Parses a base URL.

    Raises UsageError for a scheme other than http and https, a user and password, a query, and `http://` to another
    machine, which would show the token in the path to the network (`insecure` allows this).
    """
    parts = _split(base_url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise UsageError(
            tr("the base URL {url} is not an http(s) URL", url=_shown(parts)),
            hint=tr("write it as https://cld.alovoice.uz"),
        )
    if parts.username is not None or parts.password is not None:
        raise UsageError(
            tr("the base URL contains a user and a password"), hint=tr("remove them: the PBX needs only the token")
        )
    if parts.query or parts.fragment or not _is_plain(parts.path):
        raise UsageError(tr("the base URL {url} contains more than a host and a path", url=_shown(parts)))
    if parts.scheme == "http" and not insecure and not is_loopback(parts.hostname):
        raise UsageError(
            tr("http://{host} would send the token unencrypted", host=parts.hostname),
            hint=tr("use https://, or set `insecure = true` in the profile if you trust the network"),
        )
    _check_host(parts.hostname)
    if parts.port == 0:
        raise UsageError(tr("the base URL has port 0, which no server can use"), hint=tr(_FORM))
    return Address(parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme], parts.path.rstrip("/"))


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url.strip())
        _ = parts.port  # a bad port raises only when it is read
    except ValueError as error:
        raise UsageError(
            tr("the URL cannot be read"), hint=tr("write it as https://HOST[:PORT]"), detail=str(error)
        ) from error
    return parts


def _is_plain(path: str) -> bool:
    return path.isascii() and path.isprintable() and not set(path) & set(' "<>\\^`{|}%') and ".." not in path


def _shown(parts: SplitResult) -> str:
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"
