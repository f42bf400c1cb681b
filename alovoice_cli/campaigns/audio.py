"""Tells whether a recording is an MP3, by its frames and not by its name, and what it is where it is none."""

import codecs
import os
import shlex
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, BinaryIO

import mutagen
from mutagen import mp3

from alovoice_cli.errors import UsageError

_HEAD_SIZE = 512
_TAG_HEADER_SIZE = 10
_LONGEST_FRAME = 1441  # bytes, of layer III: 320 kbit/s at 32 kHz with its padding
_FRAMES_THAT_PROVE = 4  # fewer in a row also occur in random bytes

# (where, bytes, name): what files that are taken for recordings begin with.
_SOUNDS = (
    (0, b"RIFF", "a WAV recording"),
    (0, b"RF64", "a WAV recording"),
    (4, b"ftyp", "an M4A/MP4 recording"),
    (0, b"OggS", "an OGG recording"),
    (0, b"fLaC", "a FLAC recording"),
    (0, b"FORM", "an AIFF recording"),
    (0, b"#!AMR", "an AMR recording"),
    (0, b".snd", "an AU recording"),
    (0, b"caff", "a CAF recording"),
    (0, b"\x30\x26\xb2\x75", "a WMA recording"),
    (0, b"\x1aE\xdf\xa3", "a WebM/Matroska recording"),
    (0, b"\xff\xf1", "an AAC recording"),
    (0, b"\xff\xf9", "an AAC recording"),
)
_OTHERS = (
    (0, b"\xff\xd8\xff", "a JPEG picture"),
    (0, b"\x89PNG", "a PNG picture"),
    (0, b"GIF8", "a GIF picture"),
    (0, b"%PDF", "a PDF document"),
    (0, b"PK\x03\x04", "a ZIP archive or an Office document"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"Rar!", "a RAR archive"),
    (0, b"7z\xbc\xaf", "a 7z archive"),
    (257, b"ustar", "a tar archive"),
    (0, b"\x7fELF", "a program"),
    (0, b"MZ", "a program"),
)
_PAGES = (b"<!doctype", b"<html", b"<?xml", b"<head", b"<body")


@dataclass(frozen=True, slots=True)
class Audio:
    """What the frames of an MP3 say; `duration_seconds` is an estimate where the file has no index of its own."""

    duration_seconds: float
    bitrate: int
    """Bits per second."""
    sample_rate: int
    """Hertz."""
    channels: int
    size: int
    """Bytes, tags included."""


def inspect_mp3(file: BinaryIO, name: str) -> Audio:
    """Reads the first frames of an open, seekable file and leaves it at its start; `name` is for the message only.

    Raises UsageError for all but MPEG layer III, and names what it looks like instead. At most 1 MB is read.
    """
    try:
        return _inspect(file, name)
    finally:
        file.seek(0)


def _inspect(file: BinaryIO, name: str) -> Audio:
    size = file.seek(0, os.SEEK_END)
    start = _after_tags(file)
    if start >= size:
        raise _refusal(name, "empty" if size == 0 else "a tag without any sound", sounds=False)
    file.seek(start)
    head = file.read(_HEAD_SIZE)
    for where, magic, kind in _SOUNDS + _OTHERS:
        if head.startswith(magic, where):
            raise _refusal(name, kind, sounds=(where, magic, kind) in _SOUNDS)
    info = _frames(file, start, size)
    if info is None:
        raise _refusal(name, _guess(head), sounds=not _is_text(head))
    if info.layer != 3:
        raise _refusal(name, f"MPEG layer {info.layer} (MP{info.layer})", sounds=True)
    return Audio(float(info.length), int(info.bitrate), int(info.sample_rate), int(info.channels), size)


def _after_tags(file: BinaryIO) -> int:
    """Where the ID3v2 tags at the start end; a length in them may point behind the end of the file."""
    at = 0
    while True:
        file.seek(at)
        header = file.read(_TAG_HEADER_SIZE)
        if len(header) < _TAG_HEADER_SIZE or not header.startswith(b"ID3"):
            return at
        body = 0
        for byte in header[6:]:
            body = body << 7 | byte & 0x7F  # seven bits a byte, so that no length looks like a frame
        at += _TAG_HEADER_SIZE + body


def _frames(file: BinaryIO, start: int, size: int) -> Any | None:
    """The stream as mutagen reads it (an MPEGInfo, whose attributes mypy cannot see), or None where it is none."""
    try:
        info = mp3.MPEGInfo(file, start)
    except mutagen.MutagenError:
        return None
    few = info.sketchy and size - info.frame_offset > _FRAMES_THAT_PROVE * _LONGEST_FRAME
    file.seek(start)
    lead = file.read(info.frame_offset - start).strip(b"\0")
    # A file cut out of a longer one may begin within a frame; whatever is longer belongs to another format.
    return None if few or len(lead) > _LONGEST_FRAME else info


def _guess(head: bytes) -> str:
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_PAGES):
        return "a web page (HTML or XML)"
    return "text" if _is_text(head) else "data of no kind that is known here"


def _is_text(head: bytes) -> bool:
    if any(byte < 0x20 and byte not in b"\t\r\n\f" for byte in head):
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # incremental: the last letter may be cut
    except UnicodeDecodeError:
        return False
    return True


def _refusal(name: str, kind: str, *, sounds: bool) -> UsageError:
    if sounds:
        given = PurePath(name)
        stem = f"{given.stem}-converted" if given.suffix.lower() == ".mp3" else given.stem
        hint = "convert it: " + _ffmpeg(name, str(given.with_name(f"{stem}.mp3")))
    else:
        hint = "give the recording itself; one of another format is converted by: " + _ffmpeg("RECORDING", "OUT.mp3")
    return UsageError(f"{name} is no MP3: it is {kind}", hint=hint)


def _ffmpeg(source: str, target: str) -> str:
    return f"ffmpeg -i {_quoted(source)} -codec:a libmp3lame -b:a 64k {_quoted(target)}"


def _quoted(word: str) -> str:
    if word.startswith("-"):
        word = f"./{word}"  # else ffmpeg takes it for an option
    if os.name == "nt":
        return f'"{word}"' if " " in word else word
    return shlex.quote(word)
