"""URLs of stores on a server: recognises them, and shows them without a password."""

from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from alovoice_cli.language import mark, tr
from alovoice_cli.masking import DOTS

SCHEMES = ("postgresql", "postgres")


def is_server_url(url: str) -> bool:
    """Returns whether the store's URL names a PostgreSQL server."""
    return url.partition("://")[0] in SCHEMES and "://" in url


def holds_password(url: str) -> bool:
    """Returns whether a server's URL holds a password, before the host or among its options."""
    try:
        parts = urlsplit(url)
    except ValueError:  # "Invalid IPv6 URL"
        return "@" in url or "password" in url
    return parts.password is not None or any(name in _SECRET_OPTIONS for name, _ in parse_qsl(parts.query))


def masked_url(url: str) -> str:
    """Returns a server's URL for display: its password is masked."""
    if not holds_password(url):
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        return f"{url.partition('://')[0]}://{DOTS}"
    netloc = parts.netloc
    if parts.password is not None:
        account, _, host = netloc.rpartition("@")
        netloc = f"{account.partition(':')[0]}:{DOTS}@{host}"
    options = [(name, DOTS if name in _SECRET_OPTIONS else text) for name, text in parse_qsl(parts.query)]
    return urlunsplit(parts._replace(netloc=netloc, query=urlencode(options, safe=f"/{DOTS}")))


_SECRET_OPTIONS = ("password", "sslpassword")


def passwords_of(url: str) -> list[str]:
    """Returns the passwords in a server's URL, decoded and as written."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return []
    told = [parts.password or "", *(text for name, text in parse_qsl(parts.query) if name in _SECRET_OPTIONS)]
    return [spelling for text in told if text for spelling in {text, unquote(text)}]


def check_stored_url(url: str) -> str:
    """Returns a store's URL for a file. Raises ValueError for a URL with a password."""
    if is_server_url(url) and holds_password(url):
        raise ValueError(tr("must not contain a password: {hint}", hint=tr(HOW_TO_LOG_IN)))
    return url


HOW_TO_LOG_IN = mark("PostgreSQL takes it from PGPASSWORD, ~/.pgpass or a service file")
"""The hint for a password in a URL."""
