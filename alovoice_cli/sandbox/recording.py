"""A call's recording as sound: stereo, the operator on the left, the client on the right, a tone for each phrase."""

import io
import math
import wave
from collections.abc import Mapping, Sequence
from typing import Any

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
