"""The tags that programs put before, behind and between the frames of an MP3: ID3, APE, Lyrics3."""

import os
import re
import struct
from typing import BinaryIO, Final

TAG_HEAD: Final = 32
"""The bytes that contain the length of any tag but Lyrics3."""
LYRICS_LIMIT: Final = 1 << 16
"""The bytes to search for the end of a Lyrics3 tag."""
TAG_MARK: Final = re.compile(rb"ID3|TAG|APETAGEX|LYRICSBEGIN")
LONGEST_MARK: Final = 11

_ID3V1_SIZE: Final = 128
_TAG_HEADER: Final = 10
_ID3_FOOTER: Final = 0x10
_APE_IS_HEADER: Final = 1 << 29
_APE_HAS_HEADER: Final = 1 << 31


def tag_size(data: bytes) -> int:
    """Returns the length of the tag that begins with these bytes (`TAG_HEAD` or `LYRICS_LIMIT` of them), or 0."""
    if data.startswith(b"ID3") and len(data) >= _TAG_HEADER:
        footer = _TAG_HEADER if data[3] >= 4 and data[5] & _ID3_FOOTER else 0
        return _TAG_HEADER + _syncsafe(data[6:_TAG_HEADER]) + footer
    if data.startswith(b"TAG"):
        return 227 if data.startswith(b"TAG+") else _ID3V1_SIZE  # TAG+ is the "extended" tag before an ID3v1
    if data.startswith(b"APETAGEX") and len(data) >= TAG_HEAD:
        size, _, flags = struct.unpack("<III", data[12:24])
        return TAG_HEAD + (size if flags & _APE_IS_HEADER else 0)  # a footer without a header follows its items
    if data.startswith(b"LYRICSBEGIN"):
        end = re.search(rb"LYRICS200|LYRICSEND", data)
        return end.end() if end else 0
    return 0


def _syncsafe(data: bytes) -> int:
    """Returns a number of seven bits a byte, a coding in which no length looks like a frame."""
    value = 0
    for byte in data:
        value = value << 7 | byte & 0x7F
    return value


def sound_end(file: BinaryIO) -> int:
    """Returns the start of the tags at the end of a file, found from the end backwards."""
    end = file.seek(0, os.SEEK_END)
    while True:
        file.seek(max(0, end - _ID3V1_SIZE))
        size = _tag_size_behind(file.read(min(end, _ID3V1_SIZE)))
        if not 0 < size <= end:
            return end
        end -= size


def _tag_size_behind(data: bytes) -> int:
    """Returns the length of the tag that ends with these bytes; 0 for none."""
    if len(data) == _ID3V1_SIZE and data.startswith(b"TAG"):
        return _ID3V1_SIZE
    footer = data[-TAG_HEAD:]
    if footer.startswith(b"APETAGEX") and len(footer) == TAG_HEAD:
        size, _, flags = struct.unpack("<III", footer[12:24])
        return int(size) + (TAG_HEAD if flags & _APE_HAS_HEADER else 0)
    if data.endswith(b"LYRICS200") and data[-15:-9].isdigit():
        return int(data[-15:-9]) + 15
    return 0
