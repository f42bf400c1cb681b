"""A request before it is encoded: its content, and the facts that the ledger keeps of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import quote, unquote

from alovoice_cli.api.endpoints import TOKEN, Endpoint
from alovoice_cli.api.files import FilePart
from alovoice_cli.errors import UsageError

_FORBIDDEN_IN_SEGMENT = "[/\\\\\x00-\x1f\x7f-\x9f\ud800-\udfff]"
_PRINTABLE = r"[!-~]+"
_FORBIDDEN_IN_TOKEN = frozenset("/?#%\\")
_HEADER_NAME = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_HEADER_VALUE = "[\t\x20-\x7e]*"
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "expect", "upgrade", "te", "trailer"})
_PATH_SAFE = "/%:@!$&'()*+,;=~"
_DIGITS = r"0|[1-9][0-9]{0,14}"  # up to 15 digits: what a double, and so the server, keeps exactly


JSON_TYPE = "application/json"


class Fields(NamedTuple):
    """Top-level fields whose form on the wire is the profile's choice: JSON, multipart, form or the vendor's curl."""

    values: Mapping[str, object]


class Multipart(NamedTuple):
    """Text and files in the order in which they are sent."""

    parts: tuple[tuple[str, str | FilePart], ...]


class Raw(NamedTuple):
    """A body that goes out as it is."""

    content: bytes
    content_type: str = JSON_TYPE


Body = Fields | Multipart | Raw


@dataclass(frozen=True, slots=True)
class Request:
    """One request to the PBX. `path` is percent-encoded and holds `{token}` where the token goes.

    `command`, `numbers`, `our_id` and `summary` are for the ledger: the words that caused it, whom it rings, the id by
    which the PBX will name it in what it sends later, and its fields as JSON. `campaign` is what the ledger of
    campaigns keeps beside that. `planned` is how many requests that dial, create or cost the command sends in all.
    """

    endpoint: Endpoint
    path: str
    body: Body | None = None
    headers: tuple[tuple[str, str], ...] = ()
    command: str = ""
    numbers: tuple[str, ...] = ()
    our_id: str = ""
    summary: Mapping[str, object] = field(default_factory=dict)
    campaign: object = None
    planned: int = 1

    def __post_init__(self) -> None:
        for name, value in self.headers:
            _check_header(name, value)

    @property
    def method(self) -> str:
        """The HTTP method."""
        return self.endpoint.method


def segment(text: str, name: str) -> str:
    """One path segment from outside, percent-encoded whole.

    Raises UsageError for what could lead elsewhere: httpx collapses `..` itself, a server may collapse `%2e%2e`
    and `%2f`. `name` is what the text is, for the message.
    """
    if not text or text in {".", ".."} or re.search(_FORBIDDEN_IN_SEGMENT, text):
        raise UsageError(f"{name} {text!r} cannot stand in a path", hint="give the id alone, as the PBX shows it")
    return quote(text, safe="")


def typed_path(path: str) -> str:
    """A whole path (and query) as somebody typed it for `alovoice api`, percent-encoded where it is not yet.

    Raises UsageError: not starting with one `/`, dot segments also when encoded, backslashes, control characters.
    """
    bare, mark, query = path.partition("?")
    whole = unquote(unquote(bare))
    if not path.startswith("/") or path.startswith("//") or "#" in path or _has_control(path):
        raise UsageError(f"{path!r} is no path of the PBX", hint="write it as /mapi/getMyTrunks")
    if "\\" in whole or _has_control(whole) or {".", ".."} & set(whole.split("/")):
        raise UsageError(f"{path!r} leads elsewhere than it says", hint="write the path without `.`, `..` and `\\`")
    spare = _PATH_SAFE + "?"
    halves = [TOKEN.join(quote(piece, safe=spare) for piece in half.split(TOKEN)) for half in (bare, query)]
    return halves[0] + mark + halves[1]


def _has_control(text: str) -> bool:
    return any(not character.isprintable() and character != " " for character in text)


def check_token(token: str) -> None:
    """Raises UsageError for a token that could change the path it stands in."""
    if not re.fullmatch(_PRINTABLE, token) or _FORBIDDEN_IN_TOKEN & set(token):
        raise UsageError("the token holds characters that no token has", hint="copy it again from the PBX's settings")


def _check_header(name: str, value: str) -> None:
    if not re.fullmatch(_HEADER_NAME, name) or not re.fullmatch(_HEADER_VALUE, value):
        raise UsageError(f"the header {name!r} cannot be sent as it is", hint="write it as `Name: value`, in ASCII")
    if name.lower() in _OURS:
        raise UsageError(f"the header {name} follows from the request", hint="leave it out")


def number_or_text(value: str | int) -> str | int:
    """A number where the text is nothing but its digits; a leading zero keeps it a text."""
    return int(value) if isinstance(value, str) and re.fullmatch(_DIGITS, value) else value
