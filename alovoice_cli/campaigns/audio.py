"""Checks an audio file by its frames, not by its name: whether it is an MP3, whether it is whole, and how long."""

import codecs
import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import BinaryIO

from alovoice_cli.campaigns.mp3 import AudioPart, AudioStream, read_stream, sound_range
from alovoice_cli.errors import CheckFailedError
from alovoice_cli.findings import Finding, Severity
from alovoice_cli.language import joined, mark, ngettext, tr

_HEAD_SIZE = 512

DEFAULT_GOODTIME = 3
"""Seconds; the API's default (document, addAutorule, `goodtime`)."""
_LONG_SECONDS = 120
_FEW_OF_A_FRAME = 4  # a last frame with three quarters of its bytes or more lacks only a few bytes
_LAST_FRAME_HINT = mark("players skip this frame; to be sure, copy or download the file again")

# (place, bytes, name) of other file types that people give for an MP3.
_SOUNDS = (
    (0, b"RIFF", mark("a WAV file")),
    (0, b"RF64", mark("a WAV file")),
    (4, b"ftyp", mark("an M4A/MP4 file")),
    (0, b"OggS", mark("an OGG file")),
    (0, b"fLaC", mark("a FLAC file")),
    (0, b"FORM", mark("an AIFF file")),
    (0, b"#!AMR", mark("an AMR file")),
    (0, b".snd", mark("an AU file")),
    (0, b"caff", mark("a CAF file")),
    (0, b"\x30\x26\xb2\x75", mark("a WMA file")),
    (0, b"\x1aE\xdf\xa3", mark("a WebM/Matroska file")),
    (0, b"\xff\xf1", mark("an AAC file")),
    (0, b"\xff\xf9", mark("an AAC file")),
)
_OTHERS = (
    (0, b"\xff\xd8\xff", mark("a JPEG picture")),
    (0, b"\x89PNG", mark("a PNG picture")),
    (0, b"GIF8", mark("a GIF picture")),
    (0, b"%PDF", mark("a PDF document")),
    (0, b"PK\x03\x04", mark("a ZIP archive or an Office document")),
    (0, b"\x1f\x8b", mark("a gzip archive")),
    (0, b"Rar!", mark("a RAR archive")),
    (0, b"7z\xbc\xaf", mark("a 7z archive")),
    (257, b"ustar", mark("a tar archive")),
    (0, b"\x7fELF", mark("a program")),
    (0, b"MZ", mark("a program")),
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
    stream: AudioStream = field(default_factory=AudioStream, compare=False)

    def as_dict(self) -> dict[str, object]:
        """Returns the audio file as JSON prints it."""
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
        raise _refusal(name, tr("an empty file") if size == 0 else tr("a tag without any sound"), sounds=False)
    file.seek(start)
    head = file.read(_HEAD_SIZE)
    for where, magic, kind in _SOUNDS + _OTHERS:
        if head.startswith(magic, where):
            raise _refusal(name, tr(kind), sounds=(where, magic, kind) in _SOUNDS)
    stream = read_stream(file)
    if stream is None:
        raise _refusal(name, _guess(head), sounds=not _is_text(head))
    if stream.layer != 3:
        raise _refusal(name, tr("MPEG layer {layer} (MP{layer})", layer=stream.layer), sounds=True)
    if not stream.frames:
        raise _refusal(name, tr("an MP3 index without any sound"), sounds=False)
    (rate, channels), seconds = stream.formats[0], stream.seconds
    return Audio(seconds, round(stream.bits / seconds), rate, channels, size, stream)


def audio_findings(sound: Audio, name: str, goodtime: int | None) -> Iterator[Finding]:
    """Returns the defects of an MP3. `goodtime` is in seconds, None for the PBX's default."""
    stream = sound.stream
    convert = _convert(_ffmpeg(name, _converted(name)))
    if stream.free_format:
        message = tr("the audio file is an MP3 of free format: its frames name no bitrate, and few players can play it")
        again = _convert(f"lame --mp3input -b 64 {_quoted(name)} {_quoted(_converted(name))}")
        yield Finding(Severity.ERROR, "audio_free_format", message, again, file=name)
    yield from _whole_findings(stream, name)
    if len(stream.parts) > 1:
        lengths = " + ".join(f"{part.seconds:.1f}" for part in stream.parts)
        message = ngettext(
            "the audio file consists of {n} part ({lengths} s): some players stop after the first",
            "the audio file consists of {n} parts ({lengths} s): some players stop after the first",
            len(stream.parts),
            lengths=lengths,
        )
        yield Finding(Severity.WARNING, "audio_joined", message, convert, file=name)
    if stream.foreign:
        message = ngettext(
            "{n} byte of the audio file is not sound: it belongs to no frame",
            "{n} bytes of the audio file are not sound: they belong to no frame",
            stream.foreign,
        )
        yield Finding(Severity.WARNING, "audio_foreign_bytes", message, convert, file=name)
    if len(stream.formats) > 1:
        formats = joined(", ", (_format(rate, channels) for rate, channels in stream.formats))
        message = tr("the audio file changes its format ({formats}): it is joined from several files", formats=formats)
        yield Finding(Severity.WARNING, "audio_mixed", message, convert, file=name)
    yield from _length_findings(sound, name, goodtime)


def _whole_findings(stream: AudioStream, name: str) -> Iterator[Finding]:
    """Checks each part against its encoder's index, and whether the last frame of the file is cut."""
    parts = _indexed_parts(stream)
    for part in parts:
        yield from _index_findings(part, stream.cut if part is parts[-1] else 0, name)
    if not stream.cut or _missing(parts[-1]) > 1:
        return
    known_end = parts[-1].index is not None and parts[-1].index.frames > 0
    lost = {"missing": stream.cut, "all": stream.cut_of}
    if known_end or stream.cut * _FEW_OF_A_FRAME <= stream.cut_of:
        message = tr("the last frame of the audio file is cut: {missing} of its {all} bytes are missing", **lost)
        yield Finding(Severity.WARNING, "audio_last_frame", message, tr(_LAST_FRAME_HINT), file=name)
    else:
        message = tr("the audio file is cut off within a frame: {missing} of its {all} bytes are missing", **lost)
        yield Finding(Severity.ERROR, "audio_truncated", message, _again_or_copy(name), file=name)


def _index_findings(part: AudioPart, cut: int, name: str) -> Iterator[Finding]:
    """Compares a part with its index. Encoders differ: an index may count one frame more or less."""
    if part.index is None or not part.index.frames:
        return
    missing, has_all_bytes = _missing(part), part.size >= part.index.size > 0
    frames = {"frames": part.frames, "all": part.index.frames}
    if missing < -1 or (missing > 1 and has_all_bytes):
        message = tr("the index of the audio file is wrong: it counts {all} frames, the file has {frames}", **frames)
        text = mark("players show a wrong length or stop early; write the index again: {command}")
        hint = tr(text, command=_ffmpeg_copy(name))
        yield Finding(Severity.WARNING, "audio_index", message, hint, file=name)
    elif missing > 1:
        share = max(missing / part.index.frames, 0.01)
        text = mark("the audio file is cut off: {share} of it is missing, {frames} of {all} frames are there")
        message = tr(text, share=f"{share:.0%}", **frames)
        yield Finding(Severity.ERROR, "audio_truncated", message, _again_or_copy(name), file=name)
    elif missing == 1 and not cut and part.size < part.index.size:
        message = tr("the last frame of the audio file is missing: {frames} of {all} frames are there", **frames)
        yield Finding(Severity.WARNING, "audio_last_frame", message, tr(_LAST_FRAME_HINT), file=name)


def _indexed_parts(stream: AudioStream) -> tuple[AudioPart, ...]:
    """Returns the parts, each with its own index; one part where the first index counts all frames."""
    first, total = stream.parts[0], stream.frames
    if first.index is not None and total <= first.index.frames <= total + len(stream.parts):
        size = sum(part.size for part in stream.parts)
        return (AudioPart(total, stream.seconds, size, first.index),)
    return stream.parts


def _missing(part: AudioPart) -> int:
    """Returns how many frames of the index are missing; below 0 where the file has more."""
    return part.index.frames - part.frames if part.index is not None and part.index.frames else 0


def _again_or_copy(name: str) -> str:
    text = mark("copy or download the file again; if it is complete, write its index again: {command}")
    return tr(text, command=_ffmpeg_copy(name))


def _format(rate: int, channels: int) -> str:
    return tr("{rate} Hz mono", rate=rate) if channels == 1 else tr("{rate} Hz stereo", rate=rate)


def _length_findings(sound: Audio, name: str, goodtime: int | None) -> Iterator[Finding]:
    good = DEFAULT_GOODTIME if goodtime is None else goodtime
    if sound.duration_seconds > _LONG_SECONDS:
        text = mark("the audio file is {seconds} s long: few people listen longer than {limit} s")
        message = tr(text, seconds=f"{sound.duration_seconds:.0f}", limit=_LONG_SECONDS)
        yield Finding(Severity.WARNING, "audio_long", message, tr("use a shorter text: each second costs"), file=name)
    if sound.duration_seconds < good:
        text = mark("the audio file is {seconds} s long, shorter than goodtime ({goodtime} s)")
        message = tr(text, seconds=f"{sound.duration_seconds:.1f}", goodtime=good)
        hint = tr("it ends before a call counts as successful: give a --goodtime below its length")
        yield Finding(Severity.WARNING, "audio_short", message, hint, file=name)


def _guess(head: bytes) -> str:
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_PAGES):
        return tr("a web page (HTML or XML)")
    return tr("text") if _is_text(head) else tr("a file of unknown type")


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
        hint = _convert(_ffmpeg(name, _converted(name)))
    else:
        text = mark("give an audio file; to convert another format to MP3: {command}")
        hint = tr(text, command=_ffmpeg("AUDIO", "OUT.mp3"))
    return CheckFailedError(tr("{name} is not an MP3: it is {kind}", name=name, kind=kind), hint=hint)


def _convert(command: str) -> str:
    return tr("convert it: {command}", command=command)


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
