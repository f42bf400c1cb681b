"""The lengths of many MP3 files, as ffprobe and mpg123 find them too: made by ffmpeg, by lame, and by hand."""

import functools
import re
import shutil
import struct
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import pytest

from alovoice_cli.campaigns.audio import audio_findings, inspect_mp3

pytestmark = pytest.mark.skipif(
    not all(shutil.which(tool) for tool in ("ffmpeg", "ffprobe", "lame", "mpg123")),
    reason="ffmpeg, lame or mpg123 is not installed",
)

SECONDS = 2
# Each is one output of one run of ffmpeg, from a tone of two seconds in stereo.
FFMPEG = {
    "64k": "-ac 1 -b:a 64k",
    "stereo": "-b:a 128k",
    "plain stereo": "-b:a 128k -joint_stereo 0",
    "320k at 48000": "-ar 48000 -b:a 320k",
    "48k at 32000": "-ac 1 -ar 32000 -b:a 48k",
    "variable": "-ac 1 -q:a 5",
    "variable stereo": "-q:a 2",
    "average": "-ac 1 -abr 1 -b:a 56k",
    "without reservoir": "-ac 1 -b:a 64k -reservoir 0",
    "without index": "-ac 1 -b:a 64k -write_xing 0",
    "without index or tag": "-ac 1 -b:a 64k -write_xing 0 -id3v2_version 0",
    "with ID3v1 alone": "-ac 1 -b:a 64k -id3v2_version 0 -write_id3v1 1 -metadata title=Salom",
    "with ID3v2.3": "-ac 1 -b:a 64k -id3v2_version 3 -metadata title=Salom",
    "with a huge tag": f"-ac 1 -b:a 64k -metadata comment={'x' * 50_000}",
    "MPEG 2, 22050": "-ac 1 -ar 22050 -b:a 32k",
    "MPEG 2, 24000": "-ac 1 -ar 24000 -b:a 8k",
    "MPEG 2, 16000 stereo": "-ar 16000 -b:a 32k",
    "MPEG 2.5, 8000": "-ac 1 -ar 8000 -b:a 16k",
    "MPEG 2.5, 11025": "-ac 1 -ar 11025 -b:a 24k",
    "MPEG 2.5, 12000 without index": "-ar 12000 -b:a 24k -write_xing 0",
}
LAME = {
    "lame 64": "-b 64",
    "lame 320": "-b 320",
    "lame variable": "-V 5",
    "lame average": "--abr 48",
    "lame phone": "--preset phone",
    "lame without index": "-t -b 64",
    "lame with checksums": "-p -b 64",
    "lame variable with checksums": "-p -V 4 -m m",
    "lame mono": "-m m -b 48",
    "lame 8 kHz": "-m m --resample 8 -b 8",
    "lame 11 kHz": "--resample 11.025 -V 6",
    "lame with tags": "-b 64 --add-id3v2 --tt Salom --tl Reklama",
    "lame free format": "--freeformat -b 400",
    "lame free format without index": "-t --freeformat -b 500",
}
ID3V1 = b"TAG" + b"Salom".ljust(125, b"\0")
ID3V2 = b"ID3\x03\0\0\0\0\0\x20" + bytes(32)
ID3V2_FOOTER = b"ID3\x04\0\x10\0\0\0\x20" + bytes(32) + b"3DI\x04\0\x10\0\0\0\x20"
LYRICS_V1 = b"LYRICSBEGIN[00:01]Salom\xff\xfb\x90LYRICSEND"
LYRICS_V2 = b"LYRICSBEGININD0000210LYR00006Alomat000031LYRICS200"
APE_ITEM = struct.pack("<II", 5, 0) + b"Title\0Salom"


def ape(*, header: bool, footer: bool, version: int = 2000) -> bytes:
    """An APE tag. Its size counts the items and the footer; a tag of version 1 has no header."""
    items = APE_ITEM * 3
    size = len(items) + 32 * footer
    made = struct.Struct("<8sIIII8x").pack
    flags = (header << 31) | ((not footer) << 30)
    head = made(b"APETAGEX", version, size, 3, flags | 1 << 29) if header else b""
    return head + items + (made(b"APETAGEX", version, size, 3, flags) if footer else b"")


def with_count(data: bytes, change: Callable[[int], int]) -> bytes:
    """The same file, whose index announces another number of frames."""
    at = data.index(b"Info") + 8
    return data[:at] + struct.pack(">I", change(int.from_bytes(data[at : at + 4], "big"))) + data[at + 4 :]


def with_vbri(data: bytes, frames: int) -> bytes:
    """The sound of a file without an index, with the index that Fraunhofer's encoder writes."""
    return (data[:4] + bytes(32) + struct.pack(">4sHHHII", b"VBRI", 1, 0, 75, len(data), frames)).ljust(
        208, b"\0"
    ) + data


@functools.cache
def body(data: bytes) -> bytes:
    """A file of ffmpeg without the tag at its front."""
    return data[10 + int.from_bytes(data[8:10], "big") // 256 * 128 + data[9] :] if data.startswith(b"ID3") else data


def by_hand(made: dict[str, bytes]) -> dict[str, tuple[bytes, list[str]]]:
    """Files that no encoder writes, each with the findings that it deserves."""
    whole, bare, phone = body(made["64k"]), made["without index or tag"], made["MPEG 2.5, 12000 without index"]
    stereo, tone = made["lame without index"], made["lame 64"]
    joined = ["warning audio_joined"]
    foreign = ["warning audio_foreign_bytes"]
    frames = 78
    return {
        "ID3v1 behind": (whole + ID3V1, []),
        "APE behind": (whole + ape(header=True, footer=True), []),
        "APE of version 1 behind": (bare + ape(header=False, footer=True, version=1000), []),
        "APE and ID3v1 behind": (whole + ape(header=True, footer=True) + ID3V1, []),
        "Lyrics3 behind": (whole + LYRICS_V1 + ID3V1, []),
        "Lyrics3v2 behind": (whole + LYRICS_V2 + ID3V1, []),
        "a cut tag behind": (whole + ID3V1[:50], []),
        "an ID3v2 behind": (whole + ID3V2, []),
        "zeros behind": (whole + bytes(5000), []),
        "a footer in front": (ID3V2_FOOTER + whole, []),
        "several tags in front": (ID3V2 + ID3V2_FOOTER + bytes(100) + ID3V2 + whole, []),
        "APE in front": (ape(header=True, footer=True) + whole, []),
        "APE without a footer in front": (ape(header=True, footer=False) + whole, []),
        "APE and ID3v2 in front": (ape(header=True, footer=True) + ID3V2 + whole, []),
        "zeros in front": (bytes(3000) + whole, []),
        "a VBRI index": (with_vbri(bare, frames), []),
        "garbage in front": (b"\x55" * 243 + bare, foreign),
        "garbage between": (bare[: 209 * 20] + b"<html>" * 50 + bare[209 * 20 :], foreign),
        "garbage behind": (bare + b"\r\nHTTP/1.1 200 OK" * 20, foreign),
        "a hole of zeros": (bare[:4180] + bytes(700) + bare[4180:], foreign),
        "joined behind ID3v1": (whole + ID3V1 + whole, joined),
        "joined behind APE": (whole + ape(header=True, footer=True) + whole, joined),
        "joined behind APE of version 1": (bare + ape(header=False, footer=True, version=1000) + bare, joined),
        "joined behind Lyrics3 and ID3v1": (whole + LYRICS_V2 + ID3V1 + whole, joined),
        "joined behind ID3v2": (bare + ID3V2 + bare, joined),
        "joined at once, with indexes": (whole + whole, joined),
        "three joined": (whole + ID3V1 + whole + ID3V1 + bytes(60) + ID3V2 + whole, joined),
        "joined, and the last cut": ((whole + ID3V1 + whole)[:-4000], ["error audio_truncated", *joined]),
        "joined, and the first cut": (whole[: 209 * 40] + ID3V1 + whole, ["error audio_truncated", *joined, *foreign]),
        "another rate": (bare + body(phone), ["warning audio_mixed"]),
        "mono, then stereo": (bare + stereo, ["warning audio_mixed"]),
        "an index that announces twice as many": (with_count(whole, lambda n: 2 * n), ["warning audio_index"]),
        "an index that announces half": (with_count(tone, lambda n: n // 2), ["warning audio_index"]),
        "an index before more sound": (whole + bare, ["warning audio_index"]),
        "a VBRI index that announces half": (with_vbri(bare, frames // 2), ["warning audio_index"]),
        "cut by a few bytes": (whole[:-9], ["warning audio_last_frame"]),
        "cut by a few bytes, without index": (bare[:-9], ["warning audio_last_frame"]),
        "without its last frame": (whole[:-208], ["warning audio_last_frame"]),
        "cut in half": (whole[: len(whole) // 2], ["error audio_truncated"]),
        "cut in half behind a footer": (ID3V2_FOOTER + whole[: len(whole) // 2], ["error audio_truncated"]),
        "cut in half behind APE": (ape(header=True, footer=True) + whole[:8000], ["error audio_truncated"]),
        "cut, with VBRI": (with_vbri(bare, frames)[:8000], ["error audio_truncated"]),
        "cut, without index": (bare[:8300], ["error audio_truncated"]),
    }


@dataclass(frozen=True)
class Recording:
    """A file, the findings that it deserves, and the seconds that ffmpeg finds in its header and in its packets."""

    path: Path
    deserved: list[str]
    announced: float = 0.0
    packets: float = 0.0


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Recording]:
    """All the files, each looked at by ffmpeg; one process looks at all, for a start of ffprobe costs 0.2 s."""
    folder = tmp_path_factory.mktemp("recordings")
    source = f"aevalsrc='0.4*sin(2764*t)|0.3*sin(4147*t)':s=44100:d={SECONDS}"
    words = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", source, str(folder / "tone.wav")]
    for number, options in enumerate(FFMPEG.values()):
        words += ["-codec:a", "libmp3lame", *options.split(), str(folder / f"{number}.mp3")]
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL)
    made = {name: (folder / f"{number}.mp3").read_bytes() for number, name in enumerate(FFMPEG)}
    for name, options in LAME.items():
        subprocess.run(["lame", "--quiet", *options.split(), folder / "tone.wav", folder / "lame.mp3"], check=True)
        made[name] = (folder / "lame.mp3").read_bytes()
    every = {}
    for number, (name, data) in enumerate(made.items()):
        deserved = ["error audio_free_format"] if "free format" in name else []
        every[name] = _saved(folder / f"made{number}.mp3", data, deserved)
    for number, (name, (data, deserved)) in enumerate(by_hand(made).items()):
        every[name] = _saved(folder / f"hand{number}.mp3", data, deserved)
    return every | looked_at({name: one for name, one in every.items() if "free format" not in name})


def _saved(path: Path, data: bytes, deserved: list[str]) -> Recording:
    path.write_bytes(data)
    return Recording(path, deserved)


def looked_at(every: dict[str, Recording]) -> dict[str, Recording]:
    """The same recordings, with what ffmpeg finds in them. It cannot read free format."""
    words = ["ffmpeg", "-hide_banner", *(word for one in every.values() for word in ("-i", str(one.path)))]
    words += [word for number in range(len(every)) for word in ("-map", f"{number}:a")]
    words += ["-codec", "copy", "-f", "framecrc", "-"]
    done = subprocess.run(words, capture_output=True, check=True, stdin=subprocess.DEVNULL, text=True)
    bases = dict(re.findall(r"^#tb (\d+): (\S+)$", done.stdout, re.MULTILINE))
    ticks: Counter[str] = Counter()
    for line in done.stdout.splitlines():
        if not line.startswith("#"):
            stream, _, _, duration, *_ = line.split(",")
            ticks[stream] += int(duration)
    announced = re.findall(r"Duration: 00:00:(\d+\.\d+)", done.stderr)
    return {
        name: replace(one, announced=float(length), packets=float(ticks[str(at)] * Fraction(bases[str(at)])))
        for at, ((name, one), length) in enumerate(zip(every.items(), announced, strict=True))
    }


def heard_by_mpg123(path: Path, rate: int) -> float:
    """Seconds that mpg123 decodes, resampled to this rate where the recording changes its own."""
    words = ["mpg123", "-q", "--no-gapless", "--ignore-streamlength", "--resync-limit", "-1", "--mono", "-s"]
    done = subprocess.run([*words, "-r", str(rate), str(path)], capture_output=True, check=False)
    return len(done.stdout) / 2 / rate


NAMES = [*FFMPEG, *LAME, *by_hand(dict.fromkeys([*FFMPEG, *LAME], b"Info" + bytes(8)))]


def test_the_set_is_large() -> None:
    assert len(NAMES) >= 70


@pytest.mark.parametrize("name", NAMES)
def test_ffmpeg_and_mpg123_hear_as_long(recordings: dict[str, Recording], name: str) -> None:
    one = recordings[name]
    with one.path.open("rb") as file:
        sound = inspect_mp3(file, "a.mp3")
    found = [f"{finding.severity} {finding.code}" for finding in audio_findings(sound, "a.mp3", 0)]
    assert found == one.deserved
    frame = 1152 / min(rate for rate, _ in sound.stream.formats)
    # Others count the index of a further part as sound, and lose ten frames behind bytes that are none.
    frames = 1.5 + len(sound.stream.parts) + (10 if "warning audio_foreign_bytes" in found else 0)
    same = pytest.approx(sound.duration_seconds, abs=frame * frames)
    assert heard_by_mpg123(one.path, sound.sample_rate) == same
    if one.packets:
        assert one.packets == same
    if one.packets and name in (*FFMPEG, *LAME):
        assert one.announced == same
    if not one.deserved:
        assert sound.duration_seconds == pytest.approx(SECONDS, abs=0.25)
