"""MP3s as a telephone exchange tells them, by what it can play; and the recordings that the simulated PBX serves."""

import io
import math
import wave
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

_ID3_HEADER = 10
_SEARCHED = 64 * 1024
_FRAMES_IN_A_ROW = 3

_BITRATES_V1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_BITRATES_V2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_LAYER_3 = 1


def is_mp3(file: BinaryIO) -> bool:
    """Whether MPEG layer III frames follow each other, after an ID3 tag if there is one. Reads at most 64 KiB."""
    file.seek(0)
    head = file.read(_ID3_HEADER)
    start = 0
    if head[:3] == b"ID3" and len(head) == _ID3_HEADER:
        size = 0
        for byte in head[6:10]:  # a "syncsafe" number: seven bits a byte
            size = size << 7 | byte & 0x7F
        start = _ID3_HEADER + size
    file.seek(start)
    data = file.read(_SEARCHED)
    position = data.find(b"\xff")
    while position >= 0:
        if _frames_follow(data, position):
            return True
        position = data.find(b"\xff", position + 1)
    return False


def _frames_follow(data: bytes, position: int) -> bool:
    found = 0
    while found < _FRAMES_IN_A_ROW:
        length = _frame_length(data[position : position + 4])
        if length == 0:
            return False
        found += 1
        position += length
        if position >= len(data):  # a very short announcement: all of it was frames
            return position == len(data)
    return True


def _frame_length(header: bytes) -> int:
    """Bytes of the layer III frame that this header opens; 0 if it opens none."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return 0
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    bitrate_index, rate_index = header[2] >> 4, header[2] >> 2 & 3
    if layer != _LAYER_3 or version not in _RATES or rate_index == 3 or bitrate_index in (0, 15):
        return 0
    bitrate = (_BITRATES_V1 if version == 3 else _BITRATES_V2)[bitrate_index] * 1000
    samples_by_eight = 144 if version == 3 else 72
    return samples_by_eight * bitrate // _RATES[version][rate_index] + (header[2] >> 1 & 1)


_RATE = 8000
_BLOCK_MS = 20
_LONGEST_MS = 120_000
_SILENCE = 0x80  # WAV's eight-bit samples are unsigned
_TONES = {"operator": 450, "client": 600}  # whole waves a block: neighbouring blocks join without a click


def stereo_wav(stalk: Sequence[Mapping[str, Any]]) -> bytes:
    """A WAV of 8 kHz, 8 bits, two channels, with tones where the phrases of the talk stand; two minutes at most."""
    length = min(max((phrase["end"] for phrase in stalk), default=0) + 500, _LONGEST_MS)
    blocks = [_block("")] * (length // _BLOCK_MS)
    for phrase in stalk:
        first, last = phrase["begin"] // _BLOCK_MS, min(phrase["end"] // _BLOCK_MS, len(blocks))
        blocks[first:last] = [_block(phrase["direction"])] * max(last - first, 0)
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(1)
        file.setframerate(_RATE)
        file.writeframes(b"".join(blocks))
    return sound.getvalue()


def _block(direction: str) -> bytes:
    samples = _RATE * _BLOCK_MS // 1000
    block = bytearray([_SILENCE]) * (2 * samples)
    if direction in _TONES:
        step = 2 * math.pi * _TONES[direction] / _RATE
        tone = bytes(round(_SILENCE + 48 * math.sin(step * number)) for number in range(samples))
        block[0 if direction == "operator" else 1 :: 2] = tone
    return bytes(block)
