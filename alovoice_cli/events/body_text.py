"""Turns the bytes of a body into text: unpacks by `Content-Encoding`, and decodes by the declared charset."""

import codecs
import re
import zlib
from functools import lru_cache
from json import detect_encoding
from typing import NamedTuple

MOST_UNPACKED = 1 << 20
"""The largest size in bytes of an unpacked body: the same limit as for a plain body."""

_CHARSET = r"""(?i)charset\s*=\s*["']?([\w.:-]{1,40})"""
# Python's codecs that a sender of telephone calls may use. Others (idna, punycode, unicode_escape) are slow, or read
# escapes in plain text.
_CHARSETS = ("utf", "ascii", "cp", "iso8859", "koi8", "mac", "gb", "big5", "euc", "shift", "ptcp")
_WIDE = ("utf-16", "utf-32")
_GZIP, _ZLIB, _RAW_DEFLATE = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS
_GZIP_BEGINS = b"\x1f\x8b"


class BodyText(NamedTuple):
    """A body as text, and the charset that it was decoded from; or None and the `problem`."""

    text: str | None
    charset: str = "utf-8"
    problem: str = ""


def body_text(body: bytes, content_type: str = "", content_encoding: str = "") -> BodyText:
    """Returns the text of a body as received."""
    plain, problem = unpacked(body, content_encoding)
    return BodyText(None, problem=problem) if problem else decoded(plain, content_type)


def decoded(plain: bytes, content_type: str) -> BodyText:
    """Returns the text of an unpacked body.

    Its first bytes (a byte order mark, the zeros of UTF-16) have priority over the declared charset.
    """
    declared, found = charset_of(content_type), detect_encoding(plain)
    is_seen = plain.startswith(codecs.BOM_UTF8) or any(name.startswith(_WIDE) for name in (declared, found))
    for charset in (found, declared) if is_seen else (declared, found):
        try:
            return BodyText(plain.decode(charset).removeprefix("\ufeff"), charset)
        except (UnicodeDecodeError, LookupError):  # LookupError: no charset is declared
            continue
    return BodyText(None, problem=f"no text in {declared}" if declared else "no UTF-8 text")


@lru_cache(64)
def charset_of(content_type: str) -> str:
    """Returns Python's name of the charset that a content type declares; "" for none, or an unknown one."""
    found = re.search(_CHARSET, content_type) if "charset" in content_type.lower() else None
    if found is None:
        return ""
    try:
        name = codecs.lookup(found.group(1)).name
    except LookupError:
        return ""
    return name if name.startswith(_CHARSETS) else ""


def unpacked(body: bytes, content_encoding: str) -> tuple[bytes, str]:
    """Returns the unpacked body, and the problem if it cannot be unpacked; gzip is also known by its first bytes.

    A body that cannot be unpacked but is text stays unchanged: a proxy may have unpacked it and left the header.
    """
    encoding = content_encoding.strip().lower()
    if body.startswith(_GZIP_BEGINS):
        return _inflated(body, _GZIP, "gzip")
    if encoding in ("", "identity") or not body:
        return body, ""
    plain, problem = b"", f"packed as {encoding[:40]!r}, which is not read"
    if encoding == "deflate":  # with a header as in RFC 1950, or without: some senders use the word for both
        plain, problem = _inflated(body, _ZLIB if body[0] & 15 == 8 else _RAW_DEFLATE, "deflate")
    return (body, "") if problem and _is_text(body) else (plain, problem)


def _is_text(body: bytes) -> bool:
    try:
        return bool(body.decode("utf-8"))
    except UnicodeDecodeError:
        return False


def _inflated(body: bytes, form: int, name: str) -> tuple[bytes, str]:
    parts: list[bytes] = []
    room = MOST_UNPACKED + 1
    while body and room > 0:  # a gzip body may have several members
        reader = zlib.decompressobj(form)
        try:
            parts.append(reader.decompress(body, room))
        except zlib.error:
            return b"", f"{name} that cannot be unpacked"
        room -= len(parts[-1])
        if not reader.eof and room > 0:
            return b"", f"{name} that is cut short"
        body = reader.unused_data
    if room <= 0:
        return b"", f"{name} of more than {MOST_UNPACKED >> 20} MiB when unpacked"
    return b"".join(parts), ""
