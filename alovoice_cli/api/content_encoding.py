"""Takes an answer's content encodings off, and knows an encoding that was cut: httpx takes what came for the whole."""

import zlib
from collections.abc import Iterable, Iterator

import httpx

_PIECE = 64 * 1024  # bytes decoded at a time: a few bytes of gzip can hold gigabytes
_GZIP, _ZLIB, _RAW_DEFLATE = zlib.MAX_WBITS | 16, zlib.MAX_WBITS, -zlib.MAX_WBITS


def encodings_of(header: str) -> tuple[str, ...]:
    """The encodings that a Content-Encoding header names, in the order in which they were put on."""
    names = (name.strip().lower() for name in header.split(","))
    return tuple(name for name in names if name not in ("", "identity"))


def decoded(chunks: Iterable[bytes], encodings: tuple[str, ...]) -> Iterable[bytes]:
    """The body without its encodings, in pieces of at most 64 KiB where there are any.

    Raises httpx.DecodingError for a body that is cut or damaged, that something else follows, or whose encoding is not
    served (we ask for none, so the server has no reason to use another).
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
    """Several members make one body, as RFC 1952 says; zeros may follow, nothing else."""
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
    """With zlib's header, as RFC 9110 wants it, or without, as some servers send it."""
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
        """Whether the stream's own end was seen, and its checksum fits."""
        return self._stream.eof

    @property
    def behind(self) -> bytes:
        """What follows the stream's end in the last data."""
        return self._stream.unused_data

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """What the next data hold, decoded."""
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
