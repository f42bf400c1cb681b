"""An MP3 is known by its frames; anything else is named for what it is."""

import io
import random
import shutil
import subprocess
import tracemalloc
import wave
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.campaigns.audio import Audio, inspect_mp3
from alovoice_cli.campaigns.files import open_regular
from alovoice_cli.errors import CheckFailedError

TONE = (
    Path(__file__).parent / "data" / "tone.mp3"
)  # one second of 440 Hz: mono, 16 kHz, 24 kbit/s, an ID3 tag before it

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


def refusal(data: bytes, name: str = "hello.mp3") -> CheckFailedError:
    with pytest.raises(CheckFailedError) as caught:
        inspect_mp3(io.BytesIO(data), name)
    return caught.value


def wav() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\1" * 8000)
    return out.getvalue()


def test_a_real_mp3_is_described_and_left_at_its_start() -> None:
    with open_regular(TONE) as file:
        audio = inspect_mp3(file, "tone.mp3")
        assert file.tell() == 0
    assert audio.duration_seconds == pytest.approx(1.08, abs=0.1)
    assert audio == Audio(audio.duration_seconds, 24000, 16000, 1, TONE.stat().st_size)


def test_the_name_decides_nothing() -> None:
    assert inspect_mp3(io.BytesIO(TONE.read_bytes()), "tone.wav").sample_rate == 16000


def test_stacked_tags_and_padding_before_the_frames_are_skipped() -> None:
    tag = b"ID3\x03\0\0\0\0\x02\0" + bytes(256)
    assert inspect_mp3(io.BytesIO(tag + tag + bytes(3000) + TONE.read_bytes()[45:]), "x.mp3").channels == 1


def test_a_recording_cut_out_of_a_longer_one_is_an_mp3() -> None:
    assert inspect_mp3(io.BytesIO(TONE.read_bytes()[300:]), "x.mp3").sample_rate == 16000


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (wav(), "a WAV file"),
        (b"\0\0\0\x20ftypM4A " + bytes(3000), "an M4A/MP4 file"),
        (b"OggS" + bytes(3000), "an OGG file"),
        (b"\xff\xf1P\x80\x02\x1f\xfc" * 400, "an AAC file"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0" + TONE.read_bytes(), "a JPEG picture"),
        (b"\x89PNG\r\n\x1a\n" + bytes(300), "a PNG picture"),
        (b"PK\x03\x04" + TONE.read_bytes(), "a ZIP archive"),
        (b"<!DOCTYPE html><title>404</title>", "a web page"),
        (b"\xef\xbb\xbf\n <HTML>", "a web page"),
        (b"998901234567\n" * 50, "text"),
        ("Ассалому алайкум! ".encode() * 40, "text"),
        (b"", "empty"),
        (b"ID3\x04\0\0\0\0\0\x20" + bytes(32), "a tag without any sound"),
        (b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + bytes(32), "a tag without any sound"),
        (b"ID3\x04\0\0\0\0\0\x20" + bytes(32) + wav(), "a WAV file"),
        (bytes(5000), "a file of unknown type"),
        (
            (b"\xff\xfb\x90\x64" + bytes(413)) * 3 + b"\x55" * 20_000,
            "a file of unknown type",
        ),  # three frames by accident
        (b"\xff\xfb" * 5000, "a file of unknown type"),
        (random.Random(7).randbytes(200_000), "a file of unknown type"),
        (random.Random(8).randbytes(9000) + TONE.read_bytes(), "a file of unknown type"),
    ],
)
def test_what_is_no_mp3_is_named_with_the_line_that_converts(data: bytes, kind: str) -> None:
    error = refusal(data)
    assert error.message.startswith("hello.mp3 is not an MP3: it is ")
    assert kind in error.message
    assert "ffmpeg -i " in error.hint
    assert "-codec:a libmp3lame -b:a 64k" in error.hint


def test_the_converting_line_is_quoted_and_writes_another_file() -> None:
    assert refusal(wav(), "мой $(файл).wav").hint.endswith(
        "ffmpeg -i 'мой $(файл).wav' -codec:a libmp3lame -b:a 64k 'мой $(файл).mp3'"
    )
    assert refusal(wav(), "a.mp3").hint.endswith("ffmpeg -i a.mp3 -codec:a libmp3lame -b:a 64k a-converted.mp3")
    assert "-i ./-x.wav" in refusal(wav(), "-x.wav").hint


def test_a_megabyte_of_random_bytes_is_never_an_mp3() -> None:
    for seed in range(8):
        refusal(random.Random(seed).randbytes(1 << 20))


@needs_ffmpeg
def test_the_converting_line_works(tmp_path: Path) -> None:
    source = tmp_path / "o'zbek tili.wav"
    source.write_bytes(wav())
    line = refusal(source.read_bytes(), str(source)).hint.removeprefix("convert it: ")
    subprocess.run(f"{line} -loglevel error", shell=True, check=True, timeout=60)
    with open_regular(source.with_suffix(".mp3")) as file:
        assert inspect_mp3(file, "x").duration_seconds == pytest.approx(1, abs=0.2)


@needs_ffmpeg
@pytest.mark.parametrize(
    ("options", "bitrate", "sample_rate", "channels"),
    [
        ("-c:a libmp3lame -b:a 64k -ar 44100 -ac 1", 64000, 44100, 1),
        ("-c:a libmp3lame -b:a 320k -ar 48000 -ac 2", 320000, 48000, 2),
        ("-c:a libmp3lame -b:a 8k -ar 8000 -ac 1", 8000, 8000, 1),
        ("-c:a libmp3lame -b:a 64k -ar 22050 -ac 1 -write_xing 0 -id3v2_version 0", 64000, 22050, 1),
    ],
)
def test_real_encodings_are_described(
    tmp_path: Path, options: str, bitrate: int, sample_rate: int, channels: int
) -> None:
    path = tmp_path / "x.mp3"
    command = f"ffmpeg -loglevel error -f lavfi -i sine=duration=2 {options} {path}"
    subprocess.run(command.split(), check=True, timeout=60)
    with open_regular(path) as file:
        audio = inspect_mp3(file, "x.mp3")
    assert (audio.sample_rate, audio.channels) == (sample_rate, channels)
    assert audio.bitrate == pytest.approx(bitrate, rel=0.05)
    assert audio.duration_seconds == pytest.approx(2, abs=0.2)


@needs_ffmpeg
@pytest.mark.parametrize(
    ("suffix", "codec", "kind"), [("mp2", "mp2", "MPEG layer 2 (MP2)"), ("m4a", "aac", "M4A"), ("aac", "aac", "AAC")]
)
def test_real_recordings_of_other_formats_are_named(tmp_path: Path, suffix: str, codec: str, kind: str) -> None:
    path = tmp_path / f"x.{suffix}"
    command = f"ffmpeg -loglevel error -f lavfi -i sine=duration=1 -c:a {codec} {path}"
    subprocess.run(command.split(), check=True, timeout=60)
    assert kind in refusal(path.read_bytes()).message


def test_two_hundred_megabytes_are_not_read_into_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.mp3"
    with path.open("wb") as file:
        file.write(b"ID3\x03\0\0\x20\0\0\0" + bytes(64))  # a tag of 64 MB
        file.seek(10 + (0x20 << 21))
        file.write(TONE.read_bytes())
        file.truncate(200 << 20)
    tracemalloc.start()
    with open_regular(path) as stream:
        assert inspect_mp3(stream, "long.mp3").size == 200 << 20
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


@given(
    st.binary(max_size=3000)
    | st.binary(max_size=300).map(lambda tail: b"\xff\xfb\x90\x64" + tail)
    | st.binary(max_size=300).map(lambda tail: b"ID3" + tail)
    | st.tuples(st.integers(0, 3000), st.binary(max_size=64)).map(
        lambda cut: TONE.read_bytes()[: cut[0]] + cut[1] + TONE.read_bytes()[cut[0] :]
    )
    | st.tuples(st.integers(40, 120), st.binary(max_size=64)).map(
        lambda cut: TONE.read_bytes()[: cut[0]] + cut[1] + TONE.read_bytes()[cut[0] + len(cut[1]) :]
    )
)
@examples(400)
def test_any_bytes_are_an_mp3_or_refused_never_a_crash(data: bytes) -> None:
    file = io.BytesIO(data)
    try:
        audio = inspect_mp3(file, "x.mp3")
    except CheckFailedError:
        pass
    else:
        assert audio.size == len(data)
        assert audio.duration_seconds >= 0
        assert audio.sample_rate > 0
    assert file.tell() == 0
