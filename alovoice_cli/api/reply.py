"""An answer of the PBX: its content encodings are removed, its body is read as text or JSON and shown to people."""

import json
import math
import re
import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

import httpx

from alovoice_cli.language import tr
from alovoice_cli.masking import Masker, disarm, mask_fields, mask_text
from alovoice_cli.posts import retry_after_seconds

_SURROGATE = rb"\\u[dD][89a-fA-F]"
_DEEPEST = 100
_DETAIL = 300
_LOOKED_AT = 64 * 1024  # the most bytes of a body to show
_BOM = b"\xef\xbb\xbf"


class UnreadableError(Exception):
    """A body that differs from the document. The text says how."""


class Reply(NamedTuple):
    """A whole answer. `seconds` is the duration of this one exchange."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    seconds: float = 0.0

    def header(self, name: str) -> str:
        """Returns the first header of that name, or ''."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    @property
    def ok(self) -> bool:
        """Returns whether the status is a 2xx."""
        return self.status // 100 == 2

    def text(self) -> str:
        """Returns the body as text. Raises UnreadableError for a body that is not UTF-8."""
        try:
            return self.body.removeprefix(_BOM).decode("utf-8")
        except UnicodeDecodeError as error:
            raise UnreadableError(tr("the response is not UTF-8 text")) from error

    def json(self) -> object:
        """Returns the body as JSON.

        Raises UnreadableError also for values that Python's parser accepts and nobody can print again: NaN, infinities,
        lone surrogates, numbers of thousands of digits, nesting deeper than 100.
        """
        text = self.text()
        try:
            value: object = _DECODER.decode(text)
        except (ValueError, RecursionError) as error:
            raise UnreadableError(tr("the response is not JSON")) from error
        if not _shallow(value):
            raise UnreadableError(tr("the response is nested deeper than {levels} levels", levels=_DEEPEST))
        if re.search(_SURROGATE, self.body):
            _check_unicode(value)
        return value

    def json_or_text(self) -> object:
        """Returns the body as JSON, else as text. Raises UnreadableError for bytes that are neither."""
        try:
            return self.json()
        except UnreadableError:
            return self.text()

    def json_object(self) -> dict[str, object]:
        """Returns the body as a JSON object. Raises UnreadableError for anything else."""
        value = self.json()
        if not isinstance(value, dict):
            raise UnreadableError(tr("the response is not a JSON object"))
        return value

    def accepted(self) -> bool:
        """Returns True for plain text or JSON `true`.

        Raises UnreadableError otherwise: it is unknown whether it rang.
        """
        if self.text().strip().strip('"').lower() != "true":
            raise UnreadableError(tr("the PBX answered neither true nor false"))
        return True

    def retry_after(self) -> float | None:
        """Returns the seconds of Retry-After, in either form; None without a readable value."""
        return retry_after_seconds(self.header("Retry-After"), datetime.now(UTC))


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


# A constant is NaN or an infinity.
_DECODER = json.JSONDecoder(parse_constant=_finite, parse_float=_finite)


def _shallow(value: object) -> bool:
    layer = [value]
    for _ in range(_DEEPEST):
        layer = [item for inner in layer for item in _children(inner)]
        if not layer:
            return True
    return False


def _children(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _check_unicode(value: object) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise UnreadableError(tr("the response contains half a character")) from error


def readable(body: bytes, masker: Masker, limit: int = _DETAIL) -> str:
    """Returns the body for people: secrets masked, control characters removed, spaces joined, shortened.

    Takes the same time for a body of any length: the body is cut before masking.
    """
    head = body[:_LOOKED_AT]
    text = masker.hide(_without_secrets(head))
    is_cut = len(head) < len(body)
    if is_cut:
        text = text[: max(len(text) - masker.longest, 0)]  # the cut may have left half of a known secret
    text = disarm(" ".join(text.split()))
    return text if len(text) <= limit and not is_cut else text[: limit - 1] + "…"


def _without_secrets(body: bytes) -> str:
    text = body.decode("utf-8", "replace")
    try:
        value = Reply(200, "", (), body).json()
    except UnreadableError:
        return mask_text(text)
    return json.dumps(mask_fields(value), ensure_ascii=False) if isinstance(value, (dict, list)) else mask_text(text)


_PIECE = 64 * 1024  # bytes decoded at a time: a few bytes of gzip can hold gigabytes
_GZIP, _ZLIB, _RAW_DEFLATE = zlib.MAX_WBITS | 16, zlib.MAX_WBITS, -zlib.MAX_WBITS


def encodings_of(header: str) -> tuple[str, ...]:
    """Returns the encodings of a Content-Encoding header, in the order in which they were applied."""
    names = (name.strip().lower() for name in header.split(","))
    return tuple(name for name in names if name not in ("", "identity"))


def decoded(chunks: Iterable[bytes], encodings: tuple[str, ...]) -> Iterable[bytes]:
    """Yields the body without its encodings; encoded bodies in pieces of at most 64 KiB.

    Raises httpx.DecodingError for a truncated or damaged body, for bytes after its end, and for an unsupported encoding
    (we request no encoding, so the server has no reason to use another).
    """
    for name in reversed(encodings):
        if name in ("gzip", "x-gzip"):
            chunks = _gunzipped(chunks)
        elif name == "deflate":
            chunks = _inflated(chunks)
        else:
            raise httpx.DecodingError(f"the answer is encoded as {name[:40]}")
    return chunks


def _gunzipped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Decodes gzip. Several members make one body (RFC 1952); only zeros may follow."""
    member: _Inflater | None = None
    members = 0
    for chunk in chunks:
        rest = chunk
        while rest:
            if member is None:
                rest = rest.lstrip(b"\0") if members else rest
                if not rest:
                    break
                member, members = _Inflater(_GZIP), members + 1
            yield from member.pieces(rest)
            rest = member.behind
            member = None if member.is_whole else member
    if member is not None or not members:
        raise httpx.DecodingError("the answer's gzip was cut")


def _inflated(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Decodes deflate, with zlib's header (RFC 9110), or without it, as some servers send it."""
    head = b""
    inflater: _Inflater | None = None
    for chunk in chunks:
        if inflater is None:
            head += chunk
            if len(head) < 2:
                continue
            chunk, inflater = head, _Inflater(_ZLIB if _has_zlib_header(head) else _RAW_DEFLATE)
        yield from inflater.pieces(chunk)
        if inflater.behind:
            raise httpx.DecodingError("something follows the answer's deflate")
    if inflater is None or not inflater.is_whole:
        raise httpx.DecodingError("the answer's deflate was cut")


def _has_zlib_header(head: bytes) -> bool:
    return head[0] & 0x0F == zlib.DEFLATED and int.from_bytes(head[:2], "big") % 31 == 0


class _Inflater:
    """One compressed stream."""

    def __init__(self, window: int) -> None:
        self._stream = zlib.decompressobj(window)

    @property
    def is_whole(self) -> bool:
        """Returns whether the stream's end was reached, with a correct checksum."""
        return self._stream.eof

    @property
    def behind(self) -> bytes:
        """Returns the bytes after the stream's end in the last data."""
        return self._stream.unused_data

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Yields the decoded bytes of the next data."""
        if self._stream.eof:
            raise httpx.DecodingError("something follows the answer's end")
        piece = b""
        while (data or len(piece) == _PIECE) and not self._stream.eof:
            try:
                piece = self._stream.decompress(data, _PIECE)
            except zlib.error as error:
                raise httpx.DecodingError(f"the answer cannot be decoded: {error}") from error
            data = self._stream.unconsumed_tail
            if piece:
                yield piece
