"""Walks an MPEG layer III stream frame by frame, from the first to the end of the file: what a player would hear.

The header of a frame (ISO/IEC 11172-3, 2.4.1.3) gives its length; the next one must begin where it ends.
"""

import os
import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import BinaryIO, Final

_BITRATES: Final = {  # kbit/s of layer III, by MPEG version; the index 0 is "free", 15 is forbidden
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES: Final = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_MONO: Final = 3
_HEADER: Final = 4
TAG_HEADER_SIZE: Final = 10
_TAIL_TAGS: Final = (b"TAG", b"APETAGEX", b"LYRICSBEGIN", b"3DI")
_BLOCK: Final = 1 << 18  # bytes read at a time
_SIDE: Final = {(1, False): 32, (1, True): 17, (2, False): 17, (2, True): 9}


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame's header: lengths in bytes, rates in hertz and bit/s."""

    size: int
    samples: int
    sample_rate: int
    bitrate: int
    channels: int
    version: int


@dataclass(slots=True)
class Stream:
    """What the frames come to. `foreign` are bytes between them that belong to none."""

    frames: int = 0
    seconds: float = 0.0
    bits: float = 0.0
    channels: int = 0
    foreign: int = 0
    cut: int = 0
    """Bytes that the last frame lacks."""
    announced: int | None = None
    """How many frames the encoder's own index (Xing, Info) says there are."""
    sample_rates: frozenset[int] = frozenset()

    @property
    def share_missing(self) -> float:
        """The part of the announced frames that is not there, 0 to 1."""
        if not self.announced:
            return 0.0
        return max(0.0, 1 - self.frames / self.announced)


def tag_size(header: bytes) -> int:
    """The length of an ID3v2 tag in bytes, by its header of ten."""
    body = 0
    for byte in header[6:TAG_HEADER_SIZE]:
        body = body << 7 | byte & 0x7F  # seven bits a byte, so that no length looks like a frame
    return TAG_HEADER_SIZE + body


@lru_cache(maxsize=1024)
def parse_header(data: bytes) -> Frame | None:
    """The frame that four bytes announce, or None where they are no header of layer III. Free format is none here."""
    if len(data) < _HEADER or data[0] != 0xFF or data[1] & 0xE0 != 0xE0:
        return None
    version, layer = data[1] >> 3 & 3, data[1] >> 1 & 3
    rate_index, bitrate_index = data[2] >> 2 & 3, data[2] >> 4
    if version == 1 or layer != 1 or rate_index == 3 or bitrate_index in (0, 15):
        return None
    generation = 1 if version == 3 else 2
    bitrate, rate = _BITRATES[generation][bitrate_index] * 1000, _RATES[version][rate_index]
    samples = 1152 if generation == 1 else 576
    size = samples // 8 * bitrate // rate + (data[2] >> 1 & 1)
    return Frame(size, samples, rate, bitrate, 1 if data[3] >> 6 == _MONO else 2, generation)


def walk(file: BinaryIO, start: int) -> Stream:
    """Goes through all the frames behind `start`, in constant memory. Tags behind the last frame are no frames."""
    return _Walk(file, start).run()


class _Walk:
    """One walk: where it is, and the part of the file that it holds."""

    def __init__(self, file: BinaryIO, start: int) -> None:
        self._file, self._place = file, start
        self._size = file.seek(0, os.SEEK_END)
        self._block, self._block_at = b"", 0
        self._stream = Stream()

    def run(self) -> Stream:
        stream, rates = self._stream, set()
        while self._place < self._size:
            frame = parse_header(self._at(_HEADER))
            if frame is None:
                if not self._skip():
                    break
                continue
            if not stream.frames and stream.announced is None and self._has_index(frame):
                self._place += frame.size  # the index is a frame of silence, and does not count itself
                continue
            rates.add(frame.sample_rate)
            self._count(frame)
        stream.sample_rates = frozenset(rates)
        return stream

    def _count(self, frame: Frame) -> None:
        stream, end = self._stream, self._place + frame.size
        if end > self._size:
            stream.cut = end - self._size
        else:
            stream.frames += 1
            stream.seconds += frame.samples / frame.sample_rate
            stream.bits += frame.size * 8
            stream.channels = max(stream.channels, frame.channels)
        self._place = end

    def _has_index(self, frame: Frame) -> bool:
        side = _SIDE[frame.version, frame.channels == 1]
        tag = self._at(_HEADER + side + 12)[_HEADER + side :]
        if tag[:4] not in (b"Xing", b"Info") or len(tag) < 12:
            return False
        flags, frames = struct.unpack(">II", tag[4:12])
        self._stream.announced = frames if flags & 1 else 0
        return True

    def _skip(self) -> bool:
        """Goes on to the next frame; False where there is none, or what follows is a tag."""
        if any(self._at(len(tag)) == tag for tag in _TAIL_TAGS):
            return False
        if (header := self._at(TAG_HEADER_SIZE)).startswith(b"ID3"):  # two recordings, one behind the other
            self._place += tag_size(header)
            return True
        begin = self._place
        while self._place < self._size:
            self._place += 1
            block = self._at(_BLOCK)
            ahead = block.find(b"\xff")
            if ahead < 0:
                self._place += len(block)
                continue
            self._place += ahead
            if self._is_sound():
                self._stream.foreign += self._place - begin if self._stream.frames else 0
                return True
        self._place = begin
        rest = self._at(_BLOCK).strip(b"\0")
        self._stream.foreign += self._size - begin if rest else 0
        return False

    def _is_sound(self) -> bool:
        """Whether a frame begins here that another follows: 0xFF alone is in any data."""
        frame = parse_header(self._at(_HEADER))
        if frame is None:
            return False
        here, self._place = self._place, self._place + frame.size
        following = parse_header(self._at(_HEADER))
        self._place = here
        return following is not None and following.sample_rate == frame.sample_rate

    def _at(self, length: int) -> bytes:
        """The bytes from the place on, at most so many."""
        offset = self._place - self._block_at
        if offset < 0 or offset + length > len(self._block):
            self._file.seek(self._place)
            self._block, self._block_at, offset = self._file.read(max(length, _BLOCK)), self._place, 0
        return self._block[offset : offset + length]
