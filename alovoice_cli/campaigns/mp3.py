"""Reads an MP3 file frame by frame, from its first byte to its last, and skips the tags of other programs.

The header of a frame (ISO/IEC 11172-3, 2.4.1.3) gives its length; the next frame must begin at its end.
"""

import re
import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import BinaryIO, Final

from alovoice_cli.campaigns.mp3_tags import LONGEST_MARK, LYRICS_LIMIT, TAG_HEAD, TAG_MARK, sound_end, tag_size

_V1, _V2, _V25 = 3, 2, 0  # the version's bits in a header
_BITRATES: Final = {  # kbit/s, by (MPEG 1?, layer); the index 0 is "free format", 15 is forbidden
    (True, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES: Final = {_V1: (44100, 48000, 32000), _V2: (22050, 24000, 16000), _V25: (11025, 12000, 8000)}
_MONO: Final = 3
_HEADER: Final = 4
_LONGEST_FRAME: Final = 1441  # bytes, of layer III: 320 kbit/s at 32 kHz with its padding
_PADDED: Final = 4  # the lower bits of a header's third byte are padding and a private bit
_FREE_FRAMES: Final = range(24, 4096)  # the most bytes of a frame of free format
_FRAMES_THAT_PROVE: Final = 4  # shorter chains also occur in random bytes
_FOREIGN_LIMIT: Final = 1 << 18  # bytes to search for more frames, a bound for hostile files
_TAG_LIMIT: Final = 10_000  # tags of one file to skip, for the same reason

_SIDE: Final = {(True, 2): 32, (True, 1): 17, (False, 2): 17, (False, 1): 9}  # bytes, by (MPEG 1?, channels)
_VBRI_AT: Final = _HEADER + 32

_ANY_LAYER: Final = re.compile(rb"\xff[\xe2-\xff]|" + TAG_MARK.pattern)
_LAYER_3: Final = re.compile(rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb][\x00-\xef]|" + TAG_MARK.pattern)
_BLOCK: Final = 1 << 18  # bytes read at a time


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """The content of a frame's four-byte header. `size` is in bytes, 0 in free format; rates are in hertz and bit/s."""

    size: int
    padding: int
    samples: int
    sample_rate: int
    bitrate: int
    channels: int
    layer: int
    mpeg1: bool


@dataclass(frozen=True, slots=True)
class EncoderIndex:
    """The first, silent frame of an encoder (Xing, Info, VBRI), with the expected size; 0 is unknown."""

    frames: int
    size: int
    """Bytes, this frame included."""


@dataclass(frozen=True, slots=True)
class AudioPart:
    """One recording of a file. Most files have one part; joined files have several."""

    frames: int
    seconds: float
    size: int
    """Bytes from the first frame, or the index, to the end of the last frame."""
    index: EncoderIndex | None = None


@dataclass(frozen=True, slots=True)
class AudioStream:
    """All the frames of a file. `foreign` counts the bytes that belong neither to a frame nor to a tag."""

    parts: tuple[AudioPart, ...] = ()
    bits: int = 0
    foreign: int = 0
    cut: int = 0
    """The missing bytes of the last frame."""
    cut_of: int = 0
    """The full size of an incomplete last frame, in bytes."""
    formats: tuple[tuple[int, int], ...] = ()
    """Each (sample rate, channels) that occurs, in the order of the file."""
    layer: int = 3
    free_format: bool = False

    @property
    def frames(self) -> int:
        """Returns the number of whole frames, without the encoders' indexes."""
        return sum(part.frames for part in self.parts)

    @property
    def seconds(self) -> float:
        """Returns the duration of the frames."""
        return sum(part.seconds for part in self.parts)


def _padding(header: bytes) -> int:
    return header[2] >> 1 & 1


def _are_alike(one: FrameHeader | None, other: FrameHeader) -> bool:
    return one is not None and (one.layer, one.sample_rate) == (other.layer, other.sample_rate)


@lru_cache(maxsize=1024)
def parse_header(data: bytes) -> FrameHeader | None:
    """Returns the frame of four bytes, of any layer, or None where they are no header."""
    if len(data) < _HEADER or data[0] != 0xFF or data[1] & 0xE0 != 0xE0:
        return None
    version, layer = data[1] >> 3 & 3, 4 - (data[1] >> 1 & 3)
    rate_index, bitrate_index = data[2] >> 2 & 3, data[2] >> 4
    if version not in _RATES or layer == 4 or rate_index == 3 or bitrate_index == 15:
        return None
    mpeg1 = version == _V1
    bitrate, rate = _BITRATES[mpeg1, layer][bitrate_index] * 1000, _RATES[version][rate_index]
    samples = 384 if layer == 1 else 576 if layer == 3 and not mpeg1 else 1152
    slot = 4 if layer == 1 else 1
    padding = _padding(data) * slot
    size = samples // 8 // slot * bitrate // rate * slot + padding if bitrate else 0
    return FrameHeader(size, padding, samples, rate, bitrate, 1 if data[3] >> 6 == _MONO else 2, layer, mpeg1)


def read_stream(file: BinaryIO) -> AudioStream | None:
    """Reads all frames of an open, seekable file, in constant memory; None where the file is not MPEG audio.

    For another layer than III sets `layer` and stops reading.
    """
    return _FrameReader(file).run()


def sound_range(file: BinaryIO) -> tuple[int, int]:
    """Returns the range between leading and trailing tags; without sound the start may lie behind the end."""
    reader = _FrameReader(file)
    reader.skip_tags()
    return reader.place, reader.end


@dataclass(slots=True)
class _PartCount:
    """The counts of the present part."""

    start: int
    index: EncoderIndex | None = None
    frames: int = 0
    seconds: float = 0.0
    end: int = 0


@dataclass(slots=True)
class _Gap:
    """The bytes between two frames."""

    zeros: int = 0
    foreign: int = 0
    tagged: bool = False


class _FrameReader:
    """One reading of a file: its position, and the block of the file in memory."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.place = file, 0
        self.end = sound_end(file)
        self._block, self._block_at = b"", 0
        self._free_size = 0  # bytes of a frame of free format, without its padding
        self._parts: list[_PartCount] = []
        self._bits = self._foreign = self._cut = self._cut_of = 0
        self._formats: dict[tuple[int, int], None] = {}
        self._last: FrameHeader | None = None
        self._layers: tuple[int, ...] = (1, 2, 3)
        self._candidate = _ANY_LAYER
        self._tags = 0
        self._has_free_format, self._may_have_lyrics = False, True

    def run(self) -> AudioStream | None:
        first = self._find_first()
        if first is None:
            return None
        if first.layer != 3:
            return AudioStream(layer=first.layer)
        self._layers, self._candidate = (3,), _LAYER_3
        self._parts.append(_PartCount(self.place))
        while self.place < self.end:
            frame = self._frame(self.place)
            if frame is not None and (_are_alike(self._last, frame) or self._is_chain(self.place, 2)):
                self._take(frame)
            elif not self._pass_gap():
                break
        parts = tuple(
            AudioPart(part.frames, part.seconds, part.end - part.start, part.index)
            for part in self._parts
            if part.frames or part.index
        )
        return AudioStream(
            parts,
            self._bits,
            self._foreign,
            self._cut,
            self._cut_of,
            tuple(self._formats),
            free_format=self._has_free_format,
        )

    def skip_tags(self) -> int:
        """Skips tags, and the zeros between them, from here; returns how many tags there were."""
        before, place = self._tags, self.place
        while self._tags < _TAG_LIMIT and (size := self._tag_at(place)):
            self._tags += 1
            self.place = min(place + size, self.end)
            place = self._behind_zeros(self.place)
        return self._tags - before

    # --- frames ------------------------------------------------------------------------------------------------------

    def _find_first(self) -> FrameHeader | None:
        """Moves to the first of several successive frames. A cut file may begin within a frame."""
        self.skip_tags()
        begin = self.place = self._behind_zeros(self.place)
        while self.place <= begin + _LONGEST_FRAME and self._seek_candidate():
            self._free_size = 0
            if self.place <= begin + _LONGEST_FRAME and self._is_chain(self.place, _FRAMES_THAT_PROVE):
                self._foreign = self.place - begin
                return self._frame(self.place)
            self.place += 1
        return None

    def _frame(self, place: int) -> FrameHeader | None:
        """Returns the header at a position; None where its length is unknown."""
        frame = parse_header(self._at(place, _HEADER))
        if frame is None or frame.layer not in self._layers:
            return None
        if not frame.size and not self._free_size and not self._formats:  # free format, and no sound before it
            self._free_size = self._measure_free(place)
        return frame if self._length(frame) > frame.padding else None

    def _length(self, frame: FrameHeader) -> int:
        return frame.size or self._free_size + frame.padding

    def _measure_free(self, place: int) -> int:
        """Returns the length of a frame of free format: the distance to the next frame, if the one after agrees."""
        data = self._at(place, 2 * _FREE_FRAMES.stop)

        def is_like_first(at: int) -> bool:
            return data[at : at + 2] == data[:2] and data[at + 2 : at + 3] != b"" and (data[at + 2] ^ data[2]) < _PADDED

        second = data.find(data[:2], _FREE_FRAMES.start)
        while second in _FREE_FRAMES:
            size = second - _padding(data)
            if is_like_first(second) and is_like_first(second + size + _padding(data[second:])):
                return size
            second = data.find(data[:2], second + 1)
        return 0

    def _is_chain(self, place: int, length: int) -> bool:
        """Returns whether this many frames of one kind follow each other, or fewer up to the sound's end."""
        frame = self._frame(place)
        for count in range(1, length):
            if frame is None:
                return False
            place += self._length(frame)
            if place > self.end:
                return count > 1
            if place == self.end or self._tag_at(place):
                return True
            if count > 1 and not self._at(place, _HEADER).strip(b"\0"):
                return True
            following = self._frame(place)
            frame = following if following is not None and _are_alike(frame, following) else None
        return frame is not None

    def _take(self, frame: FrameHeader) -> None:
        """Counts the frame that begins here, and moves behind it."""
        part, length = self._parts[-1], self._length(frame)
        end = self.place + length
        if end > self.end:
            self._cut, self._cut_of = end - self.end, length
        elif (index := self._index(frame)) is not None:
            if part.frames or part.index:
                self._parts.append(part := _PartCount(self.place))
            part.index, part.end = index, end
        else:
            part.frames += 1
            part.seconds += frame.samples / frame.sample_rate
            part.end = end
            self._bits += length * 8
            self._has_free_format |= not frame.size
            self._formats[frame.sample_rate, frame.channels] = None
        self._last, self.place = frame, min(end, self.end)

    def _index(self, frame: FrameHeader) -> EncoderIndex | None:
        data = self._at(self.place, _VBRI_AT + 18)
        if data[_VBRI_AT : _VBRI_AT + 4] == b"VBRI" and len(data) == _VBRI_AT + 18:
            size, frames = struct.unpack(">II", data[_VBRI_AT + 10 :])
            return EncoderIndex(frames, size)
        at = _HEADER + _SIDE[frame.mpeg1, frame.channels]
        if data[at : at + 4] not in (b"Xing", b"Info"):
            at += 2  # a checksum stands before
            if data[at : at + 4] not in (b"Xing", b"Info"):
                return None
        flags, *numbers = struct.unpack(">III", self._at(self.place + at + 4, 12).ljust(12, b"\0"))
        frames = numbers.pop(0) if flags & 1 else 0
        return EncoderIndex(frames, numbers[0] if flags & 2 else 0)

    # --- what is no frame --------------------------------------------------------------------------------------------

    def _pass_gap(self) -> bool:
        """Moves to the next frame; returns False at the file's end."""
        gap = _Gap()
        while self.place < self.end:
            begin = self.place
            self.place = self._behind_zeros(begin)
            gap.zeros += self.place - begin
            if self.place == self.end:
                break
            if self.skip_tags():
                gap.tagged = True
            elif self._is_chain(self.place, 2):
                self._foreign += gap.foreign + (0 if gap.tagged else gap.zeros)  # zeros beside a tag are its padding
                if gap.tagged and self._parts[-1].frames:
                    self._parts.append(_PartCount(self.place))
                return True
            elif not self._pass_foreign(gap):
                break
        self._foreign += gap.foreign
        return False

    def _pass_foreign(self, gap: _Gap) -> bool:
        """Moves to a possible frame or tag; returns False where none follows."""
        begin = self.place
        if self.end - begin < _HEADER and self._last and self._at(begin, 1) == b"\xff":  # cut within a header
            self._cut_of = self._length(self._last)
            self._cut = self._cut_of - (self.end - begin)
            return False
        while self._foreign + gap.foreign + self.place - begin < _FOREIGN_LIMIT:
            self.place += 1
            if not self._seek_candidate():
                break
            if self._is_chain(self.place, 2) or (self._tags < _TAG_LIMIT and self._tag_at(self.place)):
                passed = self.place - begin
                gap.foreign += 0 if self._closes_ape(passed) else passed
                return True
        self.place = self.end
        if not TAG_MARK.match(self._at(begin, LONGEST_MARK)):  # a tag that is cut or broken
            gap.foreign += self.end - begin
        return False

    def _closes_ape(self, passed: int) -> bool:
        """Returns whether the bytes before this position are items of an APE tag, which may lack a header."""
        data = self._at(self.place, TAG_HEAD)
        return data.startswith(b"APETAGEX") and data[12:16] == (passed + TAG_HEAD).to_bytes(4, "little")

    def _tag_at(self, place: int) -> int:
        data = self._at(place, TAG_HEAD)
        if not data.startswith(b"LYRICSBEGIN"):
            return tag_size(data)
        size = tag_size(self._at(place, LYRICS_LIMIT)) if self._may_have_lyrics else 0
        self._may_have_lyrics = size > 0  # without an end, further beginnings are not worth a search
        return size

    def _behind_zeros(self, place: int) -> int:
        while place < self.end:
            self._fill(place, 1)
            block = self._block[place - self._block_at :]
            rest = block.lstrip(b"\0")
            place += len(block) - len(rest)
            if rest:
                break
        return place

    def _seek_candidate(self) -> bool:
        """Moves to the next possible beginning of a frame or tag; returns False at the end of the file."""
        while self.place < self.end:
            self._fill(self.place, 2 * LONGEST_MARK)
            match = self._candidate.search(self._block, self.place - self._block_at)
            end = self._block_at + len(self._block)
            if match is not None:
                self.place = self._block_at + match.start()
                return True
            self.place = end if end >= self.end else end - LONGEST_MARK
        return False

    def _at(self, place: int, length: int) -> bytes:
        """Returns at most this many bytes from a position on."""
        self._fill(place, length)
        return self._block[place - self._block_at : place - self._block_at + length]

    def _fill(self, place: int, length: int) -> None:
        """Loads the block so that it holds this many bytes from the position on, if the file has them."""
        offset = place - self._block_at
        if offset < 0 or min(place + length, self.end) > self._block_at + len(self._block):
            self._file.seek(place)
            wanted = max(length, _BLOCK)
            self._block, self._block_at = self._file.read(wanted), place
            if len(self._block) < wanted:
                self.end = min(self.end, place + len(self._block))  # the file may have become shorter
