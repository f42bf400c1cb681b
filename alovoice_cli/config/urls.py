"""Which base URLs are safe to send a token to."""

import ipaddress
from urllib.parse import SplitResult, urlsplit

from alovoice_cli.language import tr

_PORTS = {"http": 80, "https": 443}
_LONGEST_LABEL = 63  # of a host's name: RFC 1035


class InsecureError(ValueError):
    """The token would go over the network unencrypted."""


def check_base_url(text: str, *, insecure: bool = False) -> str:
    """Returns the URL without a slash at its end.

    `http://` is for loopback hosts, or with `insecure`: the token is in the path of most requests. Raises ValueError
    with the reason, without repeating a password.
    """
    parts = _parse(text)
    if parts.scheme not in ("http", "https"):
        raise ValueError(tr("must start with https:// (or http:// for a loopback host)"))
    if parts.username is not None or parts.password is not None:
        raise ValueError(tr("must not contain a user name or a password"))
    if parts.query or parts.fragment or text.endswith(("?", "#")):
        raise ValueError(tr("must not contain ? or #"))
    if parts.scheme == "http" and not insecure and not is_loopback(parts.hostname or ""):
        raise InsecureError(
            tr("must be https://: with http:// others can read the token on the network (or set `insecure = true`)")
        )
    return text.rstrip("/")


def origin_of(url: str) -> str:
    """Returns `scheme://host[:port]` of a base URL, without the scheme's default port: a token belongs to an origin.

    Raises ValueError for text that is no base URL.
    """
    parts = _parse(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = "" if parts.port in (None, _PORTS.get(parts.scheme)) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def is_loopback_url(text: str) -> bool:
    """Returns whether the URL's host is this machine."""
    try:
        return is_loopback(_parse(text).hostname or "")
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    """Returns whether the name alone means this machine: `localhost`, `*.localhost`, 127.0.0.0/8, `::1`."""
    host = host.rstrip(".").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _parse(text: str) -> SplitResult:
    # urlsplit drops tabs and line ends silently, and reads a backslash as a letter of the host's name.
    if not text.isprintable() or " " in text or "\\" in text:
        raise ValueError(tr("must not contain spaces, backslashes or control characters"))
    try:
        parts = urlsplit(text)
    except ValueError:  # the original message may repeat a password
        raise ValueError(tr("is not a valid URL")) from None
    try:
        port = parts.port
    except ValueError:
        raise ValueError(tr("has a port that is not a number from 1 to 65535")) from None
    if not parts.hostname or port == 0:
        raise ValueError(tr("must name a host, such as https://cld.alovoice.uz"))
    if any(len(label) > _LONGEST_LABEL for label in parts.hostname.split(".")):
        raise ValueError(tr("has a host name with a part of more than {most} letters", most=_LONGEST_LABEL))
    return parts
