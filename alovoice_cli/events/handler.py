"""The URLs of a CRM's handlers, and the values needed for a POST; the poster is given from outside."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from alovoice_cli.errors import UsageError
from alovoice_cli.events.event import PBX_TYPES, EventType
from alovoice_cli.language import mark, tr
from alovoice_cli.masking import mask

JSON_TYPE = "application/json"
FORM_TYPE = "application/x-www-form-urlencoded"
"""Also the content type of the vendor's own curl for JSON (API, section 6)."""

_SECRET = re.compile(r"(?<=/h/)[^/]+")
PLACE = "{type}"
_SAFE = "/%:@!$&'()*+,;=~?"
_HOW = mark("give http://HOST:PORT/h/SECRET, the URL of a handler, or TYPE=URL")


@dataclass(frozen=True, slots=True)
class Handlers:
    """The URL of each type of event. URLs outside `exact` are derived from the `base`."""

    base: str = ""
    exact: Mapping[EventType, str] = field(default_factory=dict)

    @classmethod
    def from_words(cls, words: Sequence[str], option: str) -> "Handlers":
        """Reads repeated `[TYPE=]URL` words. Raises UsageError for other text than an http(s) URL, or a repetition."""
        base = ""
        exact: dict[EventType, str] = {}
        for word in words:
            name, equals, rest = word.partition("=")
            kind = next((each for each in PBX_TYPES if equals and each == name), None)
            url = checked_url(rest if kind else word, option)
            if kind in exact or (kind is None and base):
                raise UsageError(
                    tr("{option} names two URLs for {type}", option=option, type=kind or "events"), hint=tr(_HOW)
                )
            if kind is None:
                base = url
            else:
                exact[kind] = url
        return cls(base, exact)

    def url(self, kind: EventType) -> str | None:
        """Returns the URL for an event of this type; None without one.

        `{type}` in the base is replaced; a base that ends in one of the four types has its siblings beside it; a script
        (`hook.php`, or a URL with a query) receives all types itself; for every other base the type is appended.
        """
        if kind in self.exact or not self.base:
            return self.exact.get(kind)
        if PLACE in self.base:
            return self.base.replace(PLACE, kind)
        parts = urlsplit(self.base)
        head, _, last = parts.path.rstrip("/").rpartition("/")
        if last in PBX_TYPES:
            return parts._replace(path=f"{head}/{kind}").geturl()
        if parts.query or "." in last:
            return self.base
        return parts._replace(path=f"{parts.path.rstrip('/')}/{kind}").geturl()

    @property
    def shown(self) -> str:
        """Returns the URLs for a report, without possible secrets."""
        named = [f"{kind}={shown_url(url)}" for kind, url in self.exact.items()]
        return ", ".join([*([shown_url(self.base)] if self.base else []), *named])

    def needed(self, kind: EventType, option: str) -> str:
        """Returns the same as `url`. Raises UsageError without one."""
        url = self.url(kind)
        if url is None:
            raise UsageError(
                tr("{option} names no URL for {type}", option=option, type=kind),
                hint=tr("add {option} {type}=URL", option=option, type=kind),
            )
        return url


def shown_url(url: str) -> str:
    """Returns the URL with a listener's secret masked, and without its query, which may contain a key."""
    parts = urlsplit(url)
    path = _SECRET.sub(lambda found: mask(found.group()), parts.path)
    return f"{parts.scheme}://{parts.netloc}{path}" + ("?…" if parts.query else "")


def checked_url(text: str, option: str) -> str:
    """Returns the URL for sending, with non-ASCII letters of its path encoded.

    Raises UsageError: not http(s), no host, a user and password, a fragment, spaces or control characters.
    """
    text = text.strip()
    try:
        parts = urlsplit(text)
        is_whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        (parts.hostname or "").encode("idna")
    except ValueError as error:
        raise UsageError(tr("{option} {url!r} is not a valid URL", option=option, url=text), hint=tr(_HOW)) from error
    if not is_whole or any(not letter.isprintable() or letter.isspace() for letter in text):
        raise UsageError(tr("{option} {url!r} is not an http(s) URL", option=option, url=text), hint=tr(_HOW))
    if parts.username is not None or parts.fragment:
        raise UsageError(tr("{option} contains a user and a password, or a fragment", option=option), hint=tr(_HOW))
    whole = parts._replace(path=quote(parts.path, safe=_SAFE + "{}"), query=quote(parts.query, safe=_SAFE + "{}"))
    return whole.geturl()
