"""A recording walked through to its end: real files of lame and ffmpeg, whole, cut, pieced together."""

import contextlib
import io
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.campaigns.audio import Audio, audio_findings, inspect_mp3
from alovoice_cli.campaigns.mp3 import parse_header
from alovoice_cli.errors import CheckFailedError
from alovoice_cli.findings import Severity

needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is missing")
needs_lame = pytest.mark.skipif(not (shutil.which("lame") and shutil.which("ffmpeg")), reason="lame is missing")
TONE = Path(__file__).parent / "data" / "tone.mp3"
ANNOUNCEMENT = Path(__file__).parents[2] / "alovoice_cli" / "sandbox" / "scenarios" / "announcement.mp3"


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studio")
    _ffmpeg(folder, "tone.wav")
    return folder


def _ffmpeg(folder: Path, name: str, *how: str, seconds: int = 5) -> bytes:
    words = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", f"sine=440:d={seconds}", *how, str(folder / name)]
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL)
    return (folder / name).read_bytes()


def _codes(data: bytes, goodtime: int | None = 1) -> list[str]:
    sound = inspect_mp3(io.BytesIO(data), "a.mp3")
    return [f"{finding.severity} {finding.code}" for finding in audio_findings(sound, "a.mp3", goodtime)]


@needs_ffmpeg
@pytest.mark.parametrize(("name", "kind"), [("a.wav", "WAV"), ("a.m4a", "M4A"), ("a.ogg", "OGG"), ("a.flac", "FLAC")])
def test_another_format_under_the_name_mp3_gets_the_line_that_converts_it(studio: Path, name: str, kind: str) -> None:
    with pytest.raises(CheckFailedError, match=kind) as caught:
        inspect_mp3(io.BytesIO(_ffmpeg(studio, name)), "promo.mp3")
    assert "ffmpeg -i promo.mp3" in caught.value.hint


@needs_ffmpeg
def test_an_mp3_wrapped_in_a_wav_is_a_wav(studio: Path) -> None:
    with pytest.raises(CheckFailedError, match="WAV"):
        inspect_mp3(io.BytesIO(_ffmpeg(studio, "wrapped.wav", "-codec:a", "libmp3lame")), "promo.mp3")


def test_bytes_between_the_frames_and_a_changed_rate_are_told() -> None:
    announcement, tone = ANNOUNCEMENT.read_bytes(), TONE.read_bytes()
    assert _codes(announcement + b"<html>" * 50 + announcement) == ["warning audio_foreign_bytes"]
    assert "warning audio_mixed" in _codes(announcement + tone)


def test_zeros_and_tags_behind_the_last_frame_are_no_trouble() -> None:
    data = ANNOUNCEMENT.read_bytes()
    for tail in (bytes(5000), b"TAG" + bytes(125), b"APETAGEX" + bytes(200), b"LYRICSBEGIN" + bytes(50)):
        assert _codes(data + tail) == []


def test_a_message_too_short_for_goodtime_or_too_long_for_anybody_is_a_warning() -> None:
    data = ANNOUNCEMENT.read_bytes()  # 3.9 s
    assert _codes(data, goodtime=None) == []
    assert _codes(data, goodtime=5) == ["warning audio_short"]
    assert _codes(data * 40) == ["warning audio_long"]


CASES = Path(__file__).parent / "data" / "cases"


def test_two_recordings_behind_an_id3v1_are_told_with_both_lengths() -> None:
    sound = inspect_mp3(io.BytesIO((CASES / "joined_id3v1.mp3").read_bytes()), "a.mp3")
    (finding,) = audio_findings(sound, "a.mp3", None)
    assert round(sound.duration_seconds, 1) == 24.2
    assert "2 parts (4.1 + 20.1 s)" in finding.message


def test_a_tag_with_a_footer_hides_no_cut() -> None:
    sound = inspect_mp3(io.BytesIO((CASES / "v24_footer_cut.mp3").read_bytes()), "a.mp3")
    (finding,) = audio_findings(sound, "a.mp3", None)
    assert round(sound.duration_seconds, 1) == 5.0
    assert finding.severity is Severity.ERROR
    assert "cut off: 50% of it is missing, 191 of 384 frames" in finding.message


def _repaired(data: bytes, folder: Path, code: str) -> Audio:
    """What the command in the hint of this finding makes of a file whose name needs quotes."""
    source = folder / "e'lon 1.mp3"
    source.write_bytes(data)
    found = list(audio_findings(inspect_mp3(io.BytesIO(data), str(source)), str(source), 0))
    (hint,) = (finding.hint for finding in found if finding.code == code)
    subprocess.run(hint[hint.index(": ") + 2 :], shell=True, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    whole = (folder / "e'lon 1-converted.mp3").read_bytes()
    sound = inspect_mp3(io.BytesIO(whole), "a.mp3")
    assert list(audio_findings(sound, "a.mp3", 0)) == []
    return sound


@needs_ffmpeg
@pytest.mark.parametrize("factor", [0.5, 3])
def test_the_command_for_a_wrong_index_writes_a_right_one(tmp_path: Path, factor: float) -> None:
    data = TONE.read_bytes()
    at = data.index(b"Info") + 8
    count = struct.pack(">I", int(int.from_bytes(data[at : at + 4], "big") * factor))
    sound = _repaired(data[:at] + count + data[at + 4 :], tmp_path, "audio_index")
    assert sound.duration_seconds == inspect_mp3(io.BytesIO(data), "a.mp3").duration_seconds


@needs_ffmpeg
@pytest.mark.parametrize("code", ["audio_joined", "audio_foreign_bytes", "audio_mixed"])
def test_the_command_for_a_file_that_is_pieced_together_makes_it_one_recording(tmp_path: Path, code: str) -> None:
    tone, announcement = TONE.read_bytes(), ANNOUNCEMENT.read_bytes()
    between = {"audio_joined": b"TAG" + bytes(125), "audio_foreign_bytes": b"<html>" * 50, "audio_mixed": b""}[code]
    other = (CASES / "v24_footer_cut.mp3").read_bytes()[:-83] if code == "audio_mixed" else tone
    data = announcement + between + other
    heard = inspect_mp3(io.BytesIO(data), "a.mp3").duration_seconds
    assert _repaired(data, tmp_path, code).duration_seconds == pytest.approx(heard, abs=0.4)


@needs_lame
def test_the_command_for_free_format_makes_an_mp3_with_a_bitrate(studio: Path, tmp_path: Path) -> None:
    words = ["lame", "--quiet", "--freeformat", "-b", "400", str(studio / "tone.wav"), str(tmp_path / "free.mp3")]
    subprocess.run(words, check=True)
    sound = _repaired((tmp_path / "free.mp3").read_bytes(), tmp_path, "audio_free_format")
    assert sound.bitrate == pytest.approx(64_000, rel=0.01)
    assert not sound.stream.free_format


WHOLE = {
    "with an index": TONE.read_bytes(),
    "without an index": ANNOUNCEMENT.read_bytes(),
    "joined": ANNOUNCEMENT.read_bytes() + b"TAG" + bytes(125) + TONE.read_bytes(),
}


@given(st.sampled_from([*WHOLE]), st.floats(0, 1), st.sampled_from([b"", b"TAG" + bytes(125)]))
@examples(300)
def test_a_recording_cut_at_any_byte_is_never_without_a_finding(kind: str, share: float, tail: bytes) -> None:
    whole = WHOLE[kind]
    size = int(share * (len(whole) - 1))
    try:
        sound = inspect_mp3(io.BytesIO(whole[:size] + tail), "a.mp3")
    except CheckFailedError:
        return
    found = {finding.severity for finding in audio_findings(sound, "a.mp3", 0)}
    assert size in _ENDS[kind] or found & {Severity.ERROR, Severity.WARNING}, size


def _frame_ends(data: bytes) -> set[int]:
    ends, place = set(), 0
    while place < len(data) and (header := parse_header(data[place : place + 4])):
        place += header.size
        ends.add(place)
    return ends


_FIRST = len(WHOLE["without an index"])
# Where a file without an index ends with a whole frame, or in what follows its last, nothing tells that there was more.
_ENDS = {
    "with an index": set(),
    "without an index": _frame_ends(WHOLE["without an index"]),
    "joined": _frame_ends(WHOLE["joined"]) | set(range(_FIRST, _FIRST + 128 + TONE.read_bytes().index(b"\xff\xf3"))),
}


def test_hostile_bytes_cost_a_bounded_number_of_reads() -> None:
    """Bytes that look like headers or tags everywhere are searched up to a limit, and no part is read often."""
    tone = TONE.read_bytes()
    for filler in (b"\xff\xfb\x90\x64", b"\xff", b"LYRICSBEGIN", b"APETAGEX", b"TAG", b"\xff\xf3\x02\xc4"):
        file = _Counted(tone + filler * (400_000 // len(filler)) + tone)
        with contextlib.suppress(CheckFailedError):
            inspect_mp3(file, "a.mp3")
        assert file.got < 40 * len(file.getvalue())


class _Counted(io.BytesIO):
    """A file that counts the bytes that are read from it."""

    got = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.got += len(data)
        return data
