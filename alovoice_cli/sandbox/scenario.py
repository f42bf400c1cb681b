"""The data of the simulated PBX: lines, extensions, queues, menus, past campaigns, talks, recordings."""

import io
import json
import math
import tomllib
import wave
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from alovoice_cli.campaigns.dialer_simulation import lot

VENDOR_CALL_ID = "CALL_ID"
"""The literal of the vendor's samples: it has the vendor's own dialogue."""

_PEER_DEFAULTS: Mapping[str, object] = {
    "paystatus": "free",
    "block": 0,
    "dnd": False,
    "isws": False,
    "lastip": None,
    "isdef": None,
    "rule": 0,
    "trunk_id": 37,
    "amoid": False,
    "bxid": False,
    "payto": 0,
}
_PEER_KEYS = (
    *("id", "number", "username", "secret", "paystatus", "status", "block", "dnd", "isws", "lastip", "isdef"),
    *("extnumber", "rule", "trunk_id", "amoid", "bxid", "windowsapp", "mobileqr", "payto"),
)


@dataclass(frozen=True, slots=True)
class Scenario:
    """The constant data of the PBX. `trunks` maps a line's number to the server's own id of it."""

    trunks: Mapping[str, str]
    peers: tuple[Mapping[str, object], ...]
    queues: Mapping[str, str]
    ivrs: Mapping[str, str]
    campaigns: tuple[Mapping[str, Any], ...]
    dialogues: tuple[Mapping[str, Any], ...]
    vendor_dialogue: Mapping[str, Any]

    def peers_for(self, seed: int) -> list[dict[str, object]]:
        """Returns the extensions in the long form of `getpeers`, in the order of the vendor's sample; secrets by the
        seed.
        """
        return [_long_peer(peer, seed) for peer in self.peers]

    def dialogue_for(self, seed: int, call_id: str) -> Mapping[str, Any]:
        """Returns the talk of a call in the wire's keys `stalk` and `tags`: always the same for the same call."""
        if call_id == VENDOR_CALL_ID:
            return self.vendor_dialogue
        return _wired(self.dialogues[lot(seed, "dialogue", call_id) % len(self.dialogues)], seed, call_id)


def data(name: str) -> Traversable:
    """Returns a file that is shipped with the scenarios, such as `announcement.mp3` or `recipients.csv`."""
    return files("alovoice_cli.sandbox").joinpath("scenarios", name)


def hexadecimal(seed: int, *keys: object, length: int = 24) -> str:
    """Returns this many hexadecimal digits, determined by the seed and the keys."""
    return "".join(f"{lot(seed, *keys, part):016x}" for part in range(-(-length // 16)))[:length]


@cache
def shipped() -> Scenario:
    """Returns the scenario of this program."""
    pbx = tomllib.loads(data("pbx.toml").read_text("utf-8"))
    talks = sorted((file for file in data("dialogues").iterdir() if file.name.endswith(".toml")), key=lambda f: f.name)
    return Scenario(
        trunks={trunk["number"]: trunk["id"] for trunk in pbx["trunks"]},
        peers=tuple(pbx["peers"]),
        queues=pbx["queues"],
        ivrs=pbx["ivrs"],
        campaigns=tuple(pbx["campaigns"]),
        dialogues=tuple(tomllib.loads(talk.read_text("utf-8")) for talk in talks),
        vendor_dialogue=json.loads(data("vendor-sample.json").read_text("utf-8")),
    )


def _long_peer(peer: Mapping[str, object], seed: int) -> dict[str, object]:
    number = peer["number"]
    made = {
        "username": number,
        "secret": hexadecimal(seed, "secret", number, length=16),
        "windowsapp": f"http://sandbox.localhost/windowsapp/{hexadecimal(seed, 'windowsapp', number, length=32)}",
        "mobileqr": f"http://sandbox.localhost/mobileqr/{hexadecimal(seed, 'mobileqr', number, length=32)}",
    }
    whole = {**_PEER_DEFAULTS, **made, **peer}
    return {key: whole[key] for key in _PEER_KEYS}


def _wired(dialogue: Mapping[str, Any], seed: int, call_id: str) -> dict[str, object]:
    stalk = [
        {**fragment, "fragment_id": hexadecimal(seed, "fragment", call_id, place)}
        for place, fragment in enumerate(dialogue["fragments"])
    ]
    return {
        "stalk": [{key: said[key] for key in ("begin", "end", "direction", "text", "fragment_id")} for said in stalk],
        "tags": [_wired_tag(tag, stalk) for tag in dialogue["tags"]],
    }


def _wired_tag(tag: Mapping[str, Any], stalk: list[dict[str, Any]]) -> dict[str, object]:
    """Returns a tag in the vendor's keys: a tag for something missing has an empty value and no place."""
    if "line" not in tag:
        return {"name": tag["name"], "value": "", "visible": None, "tag_type": "rule"}
    said = stalk[tag["line"]]
    return {
        "name": tag["name"],
        "value": tag["name"],
        "visible": None,
        "tag_type": "rule",
        "begin": said["begin"],
        "end": said["end"],
        "match_text": tag["match_text"],
        "fragment_id": said["fragment_id"],
    }


_RATE = 8000
_BLOCK_MS = 20
_LONGEST_MS = 120_000
_SILENCE = 0x80  # WAV's eight-bit samples are unsigned
_TONES = {"operator": 450, "client": 600}  # whole waves a block: neighbouring blocks join without a click


def stereo_wav(stalk: Sequence[Mapping[str, Any]]) -> bytes:
    """Returns a WAV of 8 kHz, 8 bits, two channels, with tones in place of the phrases; at most two minutes."""
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
