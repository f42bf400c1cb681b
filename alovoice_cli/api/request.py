"""A request: its files and fields, its facts for the ledger, and its bytes in the four encodings.

Files are opened once, measured once, and read from disk while they are sent.
"""

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Literal, NamedTuple, get_args
from urllib.parse import quote, unquote, urlencode

from alovoice_cli.api.address import Address
from alovoice_cli.api.endpoints import TOKEN, Endpoint, TokenPlace
from alovoice_cli.errors import UsageError
from alovoice_cli.language import tr

_SEPARATORS = r"[/\\]"
_CONTROL = "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"


def wire_name(path: str) -> str:
    """Returns the file name for the wire: the last component, with either separator (`C:\\Users\\x.mp3`).

    Control characters become `_`, so that no server has to guess their escaping.
    """
    return re.sub(_CONTROL, "_", re.split(_SEPARATORS, path)[-1]) or "file"


class FilePart(NamedTuple):
    """A file in a multipart body. `file` is open for binary reading; the caller closes it.

    `path` is its place on the disk, for the curl of a dry run; empty for content made in memory.
    """

    filename: str
    content_type: str
    file: BinaryIO
    path: str = ""

    @property
    def size(self) -> int:
        """Returns the present size of the open file in bytes (not of the file with its name)."""
        place = self.file.tell()
        size = self.file.seek(0, os.SEEK_END)
        self.file.seek(place)
        return size


class FileShrankError(Exception):
    """A file has become shorter than the Content-Length that was announced for it."""


class WatchedFile:
    """Reads exactly the size that the file had when the request was made, and reports progress.

    A file that grows meanwhile is cut at the announced size. A file that shrinks raises FileShrankError before the
    body's last boundary, so that the server cannot accept it as whole.
    """

    def __init__(self, part: FilePart, moved: Callable[[int], None]) -> None:
        self._part = part
        self._moved = moved
        self.size = part.size
        self._place = 0

    def read(self, size: int = -1) -> bytes:
        """Returns the next bytes, at most `size`; empty at the announced end."""
        left = self.size - self._place
        want = left if size < 0 else min(size, left)
        if not want:
            return b""
        chunk = self._part.file.read(want)
        if not chunk:
            raise FileShrankError(self._part.filename)
        self._place += len(chunk)
        self._moved(len(chunk))
        return chunk

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        """Moves in the file: httpx seeks to the end for the length, and to the start before it sends."""
        self._place = self.size if whence == os.SEEK_END else place
        self._part.file.seek(self._place)
        return self._place

    def tell(self) -> int:
        """Returns the place in the file, in bytes."""
        return self._place


def check_unchanged(part: FilePart, size: int) -> None:
    """Raises UsageError when a file's size has changed since it was checked: nothing was sent yet."""
    if part.size != size:
        raise UsageError(
            tr("{file} changed while it was being read", file=part.filename), hint=tr("run again when it is complete")
        )


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
    """Top-level fields. The profile chooses their form on the wire: JSON, multipart, form or the vendor's curl."""

    values: Mapping[str, object]


class Multipart(NamedTuple):
    """Text and files in the order in which they are sent."""

    parts: tuple[tuple[str, str | FilePart], ...]


class Raw(NamedTuple):
    """A body that is sent unchanged."""

    content: bytes
    content_type: str = JSON_TYPE


Body = Fields | Multipart | Raw


@dataclass(frozen=True, slots=True)
class Request:
    """One request to the PBX. `path` is percent-encoded and holds `{token}` in place of the token.

    `command`, `numbers`, `our_id` and `summary` are for the ledger: the words of the command, the numbers to ring, the
    id in the PBX's later messages, and the fields as JSON. `campaign` is the campaign ledger's additional record.
    `planned` is how many requests that dial, create or cost the command sends in all.
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


def segment(text: str) -> str:
    """Returns outside text as one percent-encoded path segment.

    Raises UsageError for text that could change the path: httpx collapses `..`, a server may collapse `%2e%2e` and
    `%2f`.
    """
    if not text or text in {".", ".."} or re.search(_FORBIDDEN_IN_SEGMENT, text):
        raise UsageError(
            tr("the id {id} cannot be part of a path", id=repr(text)), hint=tr("give only the id, as the PBX shows it")
        )
    return quote(text, safe="")


def typed_path(path: str) -> str:
    """Returns a whole typed path (and query) of `alovoice api`, percent-encoded where necessary.

    Raises UsageError for a path without one leading `/`, for dot segments (also encoded), backslashes and control
    characters.
    """
    bare, mark, query = path.partition("?")
    whole = unquote(unquote(bare))
    if not path.startswith("/") or path.startswith("//") or "#" in path or not path.isprintable():
        raise UsageError(
            tr("{path} is not a path of the PBX", path=repr(path)), hint=tr("write it as /mapi/getMyTrunks")
        )
    if "\\" in whole or not whole.isprintable() or {".", ".."} & set(whole.split("/")):
        raise UsageError(
            tr("{path} leads to another place than it shows", path=repr(path)),
            hint=tr("write the path without `.`, `..` and `\\`"),
        )
    spare = _PATH_SAFE + "?"
    halves = [TOKEN.join(quote(piece, safe=spare) for piece in half.split(TOKEN)) for half in (bare, query)]
    return halves[0] + mark + halves[1]


def check_token(token: str) -> None:
    """Raises UsageError for a token that could change the path around it."""
    if not re.fullmatch(_PRINTABLE, token) or _FORBIDDEN_IN_TOKEN & set(token):
        raise UsageError(
            tr("the token contains characters that no token has"), hint=tr("copy it again from the settings of the PBX")
        )


def _check_header(name: str, value: str) -> None:
    if not re.fullmatch(_HEADER_NAME, name) or not re.fullmatch(_HEADER_VALUE, value):
        raise UsageError(
            tr("the header {name} cannot be sent as it is", name=repr(name)),
            hint=tr("write it as `Name: value`, in ASCII"),
        )
    if name.lower() in _OURS:
        raise UsageError(tr("the header {name} is made from the request", name=name), hint=tr("leave it out"))


def number_or_text(value: str | int) -> str | int:
    """Returns a number for digits without a leading zero, else the text."""
    return int(value) if isinstance(value, str) and re.fullmatch(_DIGITS, value) else value


Encoding = Literal["json", "multipart", "form", "vendor-curl"]
ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)

FORM_TYPE = "application/x-www-form-urlencoded"
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
_FORBIDDEN_IN_NAME = frozenset("=\\")


class Flat(NamedTuple):
    """A body of known bytes."""

    content_type: str
    content: bytes


Parts = tuple[tuple[str, str | FilePart], ...]
Encoded = Flat | Parts | None


def encode(body: Body | None, encoding: Encoding) -> Encoded:
    """Returns the body in the profile's encoding: bytes with their type, multipart parts, or nothing.

    Raises UsageError for text that is not Unicode, and for NaN and infinities.
    """
    if body is None:
        return None
    if isinstance(body, Raw):
        return Flat(body.content_type, body.content)
    if isinstance(body, Multipart):
        return _checked(body.parts)
    if encoding == "multipart":
        return _checked(tuple((name, _as_text(value)) for name, value in body.values.items()))
    return _flat(body, encoding)


def _flat(body: Fields, encoding: Encoding) -> Flat:
    if encoding == "form":
        pairs = [(name, _as_text(value)) for name, value in body.values.items()]
        return Flat(FORM_TYPE, urlencode([(_utf8(name), _utf8(value)) for name, value in pairs]).encode("ascii"))
    # The vendor's curl for outcall sends JSON text with the content type of curl's --data.
    return Flat(FORM_TYPE if encoding == "vendor-curl" else JSON_TYPE, _utf8(_json(dict(body.values))))


def _checked(parts: Parts) -> Parts:
    for name, value in parts:
        if not name or not name.isprintable() or _FORBIDDEN_IN_NAME & set(name):
            raise UsageError(tr("a form field cannot have the name {name}", name=repr(name)))
        if isinstance(value, str):
            _utf8(value)
    return parts


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else _json(value)


def _json(value: object) -> str:
    try:
        return _ENCODER.encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(tr("the fields cannot be written as JSON"), detail=str(error)) from error


def _utf8(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UsageError(
            tr("the request contains text that is not Unicode"), hint=tr("check the encoding of the terminal")
        ) from error


def target(request: Request, token: str) -> str:
    """Returns the path and query with the token in its place."""
    return request.path.replace(TOKEN, quote(token, safe=""))


def url(address: Address, request: Request, token: str) -> str:
    """Returns the whole URL, token included: must never be shown."""
    return address.url + target(request, token)


def token_headers(request: Request, token: str) -> list[tuple[str, str]]:
    """Returns the headers with the token, if the endpoint needs them; a header given by hand has priority."""
    given = {name.lower() for name, _ in request.headers}
    headers = []
    if TokenPlace.BEARER in request.endpoint.token_in and "authorization" not in given:
        headers.append(("Authorization", f"Bearer {token}"))
    if TokenPlace.HEADER in request.endpoint.token_in and "token" not in given:
        headers.append(("token", token))
    return headers


def needs_token(request: Request) -> bool:
    """Returns whether the request needs a token."""
    return TOKEN in request.path or bool(token_headers(request, ""))
