"""Checks a recording by its frames, not by its name: whether it is an MP3, whether it is whole, and how long."""

import codecs
import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import BinaryIO

from alovoice_cli.campaigns.mp3 import Mp3Part, Mp3Stream, read_stream, sound_range
from alovoice_cli.errors import CheckFailedError
from alovoice_cli.findings import Finding, Severity

_HEAD_SIZE = 512

DEFAULT_GOODTIME = 3
"""Seconds; the API's default (document, addAutorule, `goodtime`)."""
_LONG_SECONDS = 120
_FEW_OF_A_FRAME = 4  # a last frame with three quarters of its bytes or more lacks only a few bytes
_AGAIN = "copy or download it again"
_LAST_FRAME_HINT = f"players leave it out; to be sure, {_AGAIN}"
_NUMBER_WORDS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}

# (place, bytes, name) of other file types that people take for recordings.
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
    """The sound of an MP3 file. `duration_seconds` is the sum of its frames, not the claim of an index or a tag."""

    duration_seconds: float
    bitrate: int
    """Bits per second, on average."""
    sample_rate: int
    """Hertz, of the first frame."""
    channels: int
    size: int
    """Bytes, tags included."""
    stream: Mp3Stream = field(default_factory=Mp3Stream, compare=False)

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

    Raises CheckFailedError for all but MPEG layer III, and names the file's probable type. Needs constant memory.
    """
    try:
        return _inspect(file, name)
    finally:
        file.seek(0)


def _inspect(file: BinaryIO, name: str) -> Audio:
    size = file.seek(0, os.SEEK_END)
    start, end = sound_range(file)
    if start >= end:
        raise _refusal(name, "empty" if size == 0 else "a tag without any sound", sounds=False)
    file.seek(start)
    head = file.read(_HEAD_SIZE)
    for where, magic, kind in _SOUNDS + _OTHERS:
        if head.startswith(magic, where):
            raise _refusal(name, kind, sounds=(where, magic, kind) in _SOUNDS)
    stream = read_stream(file)
    if stream is None:
        raise _refusal(name, _guess(head), sounds=not _is_text(head))
    if stream.layer != 3:
        raise _refusal(name, f"MPEG layer {stream.layer} (MP{stream.layer})", sounds=True)
    if not stream.frames:
        raise _refusal(name, "an MP3 index without any sound", sounds=False)
    (rate, channels), seconds = stream.formats[0], stream.seconds
    return Audio(seconds, round(stream.bits / seconds), rate, channels, size, stream)


def audio_findings(sound: Audio, name: str, goodtime: int | None) -> Iterator[Finding]:
    """Returns the defects of a recording that is an MP3. `goodtime` is in seconds, None for the PBX's default."""
    stream = sound.stream
    convert = "convert it: " + _ffmpeg(name, _converted(name))
    if stream.free_format:
        message = "the recording is an MP3 of free format: its frames name no bitrate, and few players can play it"
        again = f"convert it: lame --mp3input -b 64 {_quoted(name)} {_quoted(_converted(name))}"
        yield Finding(Severity.ERROR, "audio_free_format", message, again, file=name)
    yield from _whole_findings(stream, name)
    if len(stream.parts) > 1:
        lengths = " and ".join(f"{part.seconds:.1f} s" for part in stream.parts)
        number = _NUMBER_WORDS.get(len(stream.parts), str(len(stream.parts)))
        message = f"the file is {number} recordings joined ({lengths}): some players stop after the first"
        yield Finding(Severity.WARNING, "audio_joined", message, convert, file=name)
    if stream.foreign:
        message = f"{stream.foreign} bytes of the recording are no sound: they belong to no frame"
        yield Finding(Severity.WARNING, "audio_foreign_bytes", message, convert, file=name)
    if len(stream.formats) > 1:
        formats = ", then ".join(_format(rate, channels) for rate, channels in stream.formats)
        message = f"the recording changes its format ({formats}): it is pieced together"
        yield Finding(Severity.WARNING, "audio_mixed", message, convert, file=name)
    yield from _length_findings(sound, name, goodtime)


def _whole_findings(stream: Mp3Stream, name: str) -> Iterator[Finding]:
    """Checks each part against its encoder's index, and whether the last frame of the file is cut."""
    parts = _indexed_parts(stream)
    for part in parts:
        yield from _index_findings(part, stream.cut if part is parts[-1] else 0, name)
    if not stream.cut or _missing(parts[-1]) > 1:
        return
    known_end = parts[-1].index is not None and parts[-1].index.frames > 0
    lost = f"{stream.cut} of its {stream.cut_of} bytes are missing"
    if known_end or stream.cut * _FEW_OF_A_FRAME <= stream.cut_of:
        message = f"the last frame of the recording is cut: {lost}"
        yield Finding(Severity.WARNING, "audio_last_frame", message, _LAST_FRAME_HINT, file=name)
    else:
        message = f"the recording is cut off within a frame: {lost}"
        yield Finding(Severity.ERROR, "audio_truncated", message, _again_or_copy(name), file=name)


def _index_findings(part: Mp3Part, cut: int, name: str) -> Iterator[Finding]:
    """Compares a part with its index. Encoders differ: an index may count one frame more or less."""
    if part.index is None or not part.index.frames:
        return
    missing, has_all_bytes = _missing(part), part.size >= part.index.size > 0
    there = f"{part.frames} of {part.index.frames} frames are there"
    if missing < -1 or (missing > 1 and has_all_bytes):
        message = f"the recording's index is wrong: it announces {part.index.frames} frames, the file has {part.frames}"
        hint = "players show a wrong length or stop early; write the index anew: " + _ffmpeg_copy(name)
        yield Finding(Severity.WARNING, "audio_index", message, hint, file=name)
    elif missing > 1:
        share = max(missing / part.index.frames, 0.01)
        message = f"the recording is cut off: {share:.0%} of it is missing: {there}"
        yield Finding(Severity.ERROR, "audio_truncated", message, _again_or_copy(name), file=name)
    elif missing == 1 and not cut and part.size < part.index.size:
        message = f"the last frame of the recording is missing: {there}"
        yield Finding(Severity.WARNING, "audio_last_frame", message, _LAST_FRAME_HINT, file=name)


def _indexed_parts(stream: Mp3Stream) -> tuple[Mp3Part, ...]:
    """Returns the parts, each with its own index; one part where the first index counts all frames."""
    first, total = stream.parts[0], stream.frames
    if first.index is not None and total <= first.index.frames <= total + len(stream.parts):
        size = sum(part.size for part in stream.parts)
        return (Mp3Part(total, stream.seconds, size, first.index),)
    return stream.parts


def _missing(part: Mp3Part) -> int:
    """Returns how many frames of the index are missing; below 0 where the file has more."""
    return part.index.frames - part.frames if part.index is not None and part.index.frames else 0


def _again_or_copy(name: str) -> str:
    return f"{_AGAIN}; if it is complete, write its index anew: {_ffmpeg_copy(name)}"


def _format(rate: int, channels: int) -> str:
    return f"{rate} Hz {'mono' if channels == 1 else 'stereo'}"


def _length_findings(sound: Audio, name: str, goodtime: int | None) -> Iterator[Finding]:
    good = DEFAULT_GOODTIME if goodtime is None else goodtime
    if sound.duration_seconds > _LONG_SECONDS:
        message = f"the recording is {sound.duration_seconds:.0f} s long: few listen beyond {_LONG_SECONDS} s"
        yield Finding(Severity.WARNING, "audio_long", message, "say it in less, or go on: each second costs", file=name)
    if sound.duration_seconds < good:
        message = f"the recording is {sound.duration_seconds:.1f} s long, shorter than goodtime ({good} s)"
        hint = "it ends before a call counts as successful: give --goodtime less than its length"
        yield Finding(Severity.WARNING, "audio_short", message, hint, file=name)


def _guess(head: bytes) -> str:
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_PAGES):
        return "a web page (HTML or XML)"
    return "text" if _is_text(head) else "data of no kind that is known here"


def _is_text(head: bytes) -> bool:
    if any(byte < 0x20 and byte not in b"\t\r\n\f" for byte in head):
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # incremental: the last letter may be incomplete
    except UnicodeDecodeError:
        return False
    return True


def _refusal(name: str, kind: str, *, sounds: bool) -> CheckFailedError:
    if sounds:
        hint = "convert it: " + _ffmpeg(name, _converted(name))
    else:
        hint = "give the recording itself; one of another format is converted by: " + _ffmpeg("RECORDING", "OUT.mp3")
    return CheckFailedError(f"{name} is no MP3: it is {kind}", hint=hint)


def _converted(name: str) -> str:
    given = PurePath(name)
    stem = f"{given.stem}-converted" if given.suffix.lower() == ".mp3" else given.stem
    return str(given.with_name(f"{stem}.mp3"))


def _ffmpeg(source: str, target: str) -> str:
    return f"ffmpeg -i {_quoted(source)} -codec:a libmp3lame -b:a 64k {_quoted(target)}"


def _ffmpeg_copy(name: str) -> str:
    return f"ffmpeg -i {_quoted(name)} -codec copy {_quoted(_converted(name))}"


def _quoted(word: str) -> str:
    if word.startswith("-"):
        word = f"./{word}"  # a name with a leading dash would be an option of ffmpeg
    if os.name == "nt":
        return f'"{word}"' if " " in word else word
    return shlex.quote(word)
