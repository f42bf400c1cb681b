"""Tells whether a recording is an MP3, by its frames and not by its name, and what it is where it is none.

What is an MP3 is then walked through to its end: it may be cut off, or hold more than sound.
"""

import codecs
import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, BinaryIO

import mutagen
from mutagen import mp3

from alovoice_cli.campaigns.findings import Finding, Severity
from alovoice_cli.campaigns.frames import TAG_HEADER_SIZE, Stream, tag_size, walk
from alovoice_cli.errors import UsageError

_HEAD_SIZE = 512
_LONGEST_FRAME = 1441  # bytes, of layer III: 320 kbit/s at 32 kHz with its padding
_FRAMES_THAT_PROVE = 4  # fewer in a row also occur in random bytes

DEFAULT_GOODTIME = 3
"""Seconds; the API's own default (document, addAutorule, `goodtime`)."""
_LONG_SECONDS = 120
_MISSING_ANYHOW = 0.005  # of the frames: encoders count a few of padding differently
_AGAIN = "copy or download it again"

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
    stream: Stream = field(default_factory=Stream, compare=False)
    """Its frames, counted from the first to the last."""

    def as_dict(self) -> dict[str, object]:
        """The recording as JSON prints it."""
        return {
            "duration_seconds": round(self.duration_seconds, 2),
            "bitrate": self.bitrate,
            "sample_rate": self.sample_rate,
            "channels": self.channels,
            "size": self.size,
        }


def inspect_mp3(file: BinaryIO, name: str) -> Audio:
    """Reads an open, seekable file frame by frame and leaves it at its start; `name` is for the message only.

    Raises UsageError for all but MPEG layer III, and names what it looks like instead. Needs constant memory.
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
    stream = walk(file, start)
    seconds = stream.seconds or float(info.length)
    bitrate = round(stream.bits / seconds) if stream.seconds else int(info.bitrate)
    return Audio(seconds, bitrate, int(info.sample_rate), int(info.channels), size, stream)


def audio_findings(sound: Audio, name: str, goodtime: int | None) -> Iterator[Finding]:
    """What is to be said of a recording that is an MP3. `goodtime` is in seconds, None where the PBX's own holds."""
    stream = sound.stream
    repair = "make it whole: " + _ffmpeg(name, _converted(name))
    if stream.share_missing > _MISSING_ANYHOW:
        lost = f"{stream.share_missing:.0%} of it is missing: {stream.frames} of {stream.announced} frames are there"
        yield Finding(Severity.ERROR, "audio_truncated", f"the recording is cut off: {lost}", _AGAIN, file=name)
    elif stream.cut:
        message = f"the recording is cut off within a frame: {stream.cut} bytes of the last one are missing"
        yield Finding(Severity.ERROR, "audio_truncated", message, f"{_AGAIN}; if it is complete, {repair}", file=name)
    if stream.foreign:
        message = f"{stream.foreign} bytes between the frames of the recording are no sound"
        yield Finding(Severity.WARNING, "audio_foreign_bytes", message, repair, file=name)
    if len(stream.sample_rates) > 1:
        rates = " and ".join(f"{rate} Hz" for rate in sorted(stream.sample_rates))
        message = f"the recording changes its sample rate ({rates}): it is pieced together"
        yield Finding(Severity.WARNING, "audio_mixed", message, repair, file=name)
    yield from _length_findings(sound, name, goodtime)


def _length_findings(sound: Audio, name: str, goodtime: int | None) -> Iterator[Finding]:
    good = DEFAULT_GOODTIME if goodtime is None else goodtime
    if sound.duration_seconds > _LONG_SECONDS:
        message = f"the recording is {sound.duration_seconds:.0f} s long: few listen beyond {_LONG_SECONDS} s"
        yield Finding(Severity.WARNING, "audio_long", message, "say it in less, or go on: each second costs", file=name)
    if sound.duration_seconds < good:
        message = f"the recording is {sound.duration_seconds:.1f} s long, shorter than goodtime ({good} s)"
        hint = "it ends before a call counts as successful: give --goodtime less than its length"
        yield Finding(Severity.WARNING, "audio_short", message, hint, file=name)


def _after_tags(file: BinaryIO) -> int:
    """Where the ID3v2 tags at the start end; a length in them may point behind the end of the file."""
    at = 0
    while True:
        file.seek(at)
        header = file.read(TAG_HEADER_SIZE)
        if len(header) < TAG_HEADER_SIZE or not header.startswith(b"ID3"):
            return at
        at += tag_size(header)


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
        hint = "convert it: " + _ffmpeg(name, _converted(name))
    else:
        hint = "give the recording itself; one of another format is converted by: " + _ffmpeg("RECORDING", "OUT.mp3")
    return UsageError(f"{name} is no MP3: it is {kind}", hint=hint)


def _converted(name: str) -> str:
    given = PurePath(name)
    stem = f"{given.stem}-converted" if given.suffix.lower() == ".mp3" else given.stem
    return str(given.with_name(f"{stem}.mp3"))


def _ffmpeg(source: str, target: str) -> str:
    return f"ffmpeg -i {_quoted(source)} -codec:a libmp3lame -b:a 64k {_quoted(target)}"


def _quoted(word: str) -> str:
    if word.startswith("-"):
        word = f"./{word}"  # else ffmpeg takes it for an option
    if os.name == "nt":
        return f'"{word}"' if " " in word else word
    return shlex.quote(word)
