"""A recording walked through to its end: real files of lame and ffmpeg, whole, cut, pieced together."""

import io
import shutil
import subprocess
from pathlib import Path

import pytest

from alovoice_cli.campaigns.audio import audio_findings, inspect_mp3
from alovoice_cli.errors import UsageError

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
    with pytest.raises(UsageError, match=kind) as caught:
        inspect_mp3(io.BytesIO(_ffmpeg(studio, name)), "promo.mp3")
    assert "ffmpeg -i promo.mp3" in caught.value.hint


@needs_ffmpeg
def test_an_mp3_wrapped_in_a_wav_is_a_wav(studio: Path) -> None:
    with pytest.raises(UsageError, match="WAV"):
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
