"""Names of stores on a server: which URLs are such, and how they are shown without a password."""

from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

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
    """Returns a server's URL as it may be shown: its password masked."""
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
    """Returns the passwords that a server's URL holds, as they are and as they are spelled in it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return []
    told = [parts.password or "", *(text for name, text in parse_qsl(parts.query) if name in _SECRET_OPTIONS)]
    return [spelling for text in told if text for spelling in {text, unquote(text)}]


def check_stored_url(url: str) -> str:
    """Returns a store's URL that is kept in a file. Raises ValueError for one that holds a password."""
    if is_server_url(url) and holds_password(url):
        raise ValueError(f"must hold no password: {HOW_TO_LOG_IN}")
    return url


HOW_TO_LOG_IN = "PostgreSQL takes it from PGPASSWORD, ~/.pgpass or a service file"
"""What is said to whoever writes a password into a URL."""
