"""`ai audio`: recordings of several calls, names that fit the sound, downloads that go on behind a break."""

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from front_door import TOKEN, FrontDoor
from raw_server import Connection, RawServer

SOUND = b"RIFF" + random.Random(3).randbytes(300_000)
OTHER = b"RIFF" + random.Random(4).randbytes(300_000)


class Pbx:
    """A PBX with a recording; may know ranges, and break off after so many bytes."""

    def __init__(self) -> None:
        self.sound, self.ranges, self.breaks_after = SOUND, True, 0
        self.asked: list[str] = []

    def __call__(self, connection: Connection) -> None:
        while (seen := connection.read()) is not None:
            if seen.target.startswith("/callget"):
                call_id = seen.target.rsplit("/", 1)[1]
                document = {"answer": {} if call_id == "none" else {"stereoaudio": f"/stereo/{call_id}"}}
                connection.answer("200 OK", json.dumps(document).encode())
                continue
            self._sound(connection, seen.headers)

    def _sound(self, connection: Connection, headers: object) -> None:
        match = re.search(r"bytes=(\d+)-", str(headers))
        self.asked.append(match.group() if match else "all")
        start = int(match.group(1)) if match and self.ranges else 0
        if start >= len(self.sound):
            connection.answer("416 Range Not Satisfiable", b"")
            return
        body = self.sound[start:]
        status = f"206 Partial Content\r\nContent-Range: bytes {start}-{len(self.sound) - 1}/*" if start else "200 OK"
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
        connection.write(head + body[: self.breaks_after or None])
        connection.close()


@pytest.fixture
def pbx(alovoice: FrontDoor) -> Iterator[Pbx]:
    pbx = Pbx()
    server = RawServer([pbx])
    alovoice.environ |= {"ALOVOICE_BASE_URL": server.url, "ALOVOICE_TOKEN": TOKEN}
    yield pbx
    server.stop()


def _broken(alovoice: FrontDoor, pbx: Pbx, after: int = 200_000) -> Path:
    pbx.breaks_after = after
    assert alovoice("ai", "audio", "1", "-o", "a.wav", "--resume").code in (5, 7)
    pbx.breaks_after = 0
    pbx.asked.clear()
    part = alovoice.home / "a.wav.part"
    assert part.stat().st_size == after
    assert part.stat().st_mode & 0o777 == 0o600
    return alovoice.home / "a.wav"


def test_a_download_goes_on_behind_its_break(alovoice: FrontDoor, pbx: Pbx) -> None:
    target = _broken(alovoice, pbx)
    result = alovoice("ai", "audio", "1", "-o", "a.wav", "--resume", "--json")
    assert json.loads(result.out) == {"call_id": "1", "file": "a.wav", "bytes": len(SOUND)}
    assert target.read_bytes() == SOUND
    assert pbx.asked == [f"bytes={200_000 - 65_536}-"]
    assert not list(alovoice.home.glob("*.part"))


def test_a_server_that_knows_no_ranges_sends_all(alovoice: FrontDoor, pbx: Pbx) -> None:
    target = _broken(alovoice, pbx)
    pbx.ranges = False
    assert alovoice("ai", "audio", "1", "-o", "a.wav", "--resume").code == 0
    assert target.read_bytes() == SOUND


@pytest.mark.parametrize("length", [300_004, 100_000])
def test_another_recording_is_fetched_from_its_beginning(alovoice: FrontDoor, pbx: Pbx, length: int) -> None:
    target = _broken(alovoice, pbx)
    pbx.sound = OTHER[:length]
    assert alovoice("ai", "audio", "1", "-o", "a.wav", "--resume").code == 0
    assert target.read_bytes() == OTHER[:length]
    assert pbx.asked == [f"bytes={200_000 - 65_536}-", "all"]


def test_without_resume_nothing_is_left_behind_and_nothing_gone_on_with(alovoice: FrontDoor, pbx: Pbx) -> None:
    target = _broken(alovoice, pbx)
    assert alovoice("ai", "audio", "1", "-o", "a.wav").code == 0
    assert (pbx.asked, target.read_bytes()) == (["all"], SOUND)
    pbx.breaks_after = 1000
    assert alovoice("ai", "audio", "1", "-o", "b.wav").code in (5, 7)
    assert not list(alovoice.home.glob("b.wav*"))


def test_a_planted_link_is_not_gone_on_with(alovoice: FrontDoor, pbx: Pbx) -> None:
    victim = alovoice.home / "victim"
    victim.write_bytes(SOUND[:200_000])
    (alovoice.home / "a.wav.part").symlink_to(victim)
    assert alovoice("ai", "audio", "1", "-o", "a.wav", "--resume").code == 0
    assert victim.read_bytes() == SOUND[:200_000]
    assert pbx.asked == ["all"]


def test_several_recordings_are_named_after_their_calls_and_sounds(alovoice: FrontDoor, pbx: Pbx) -> None:
    (alovoice.home / "out").mkdir()
    result = alovoice("ai", "audio", "1", "a+b", "none", "-o", "out", "--json")
    assert result.code == 9, "one of them has no recording"
    assert [row["file"] for row in json.loads(result.out)] == ["out/1.wav", "out/a+b.wav"]
    assert alovoice("ai", "audio", "1", "2", "-o", "nosuch").code == 2
    pbx.asked.clear()
    again = alovoice("ai", "audio", "1", "-o", "out")
    assert (again.code, pbx.asked) == (2, [])
    assert alovoice("ai", "audio", "1", "2", "-o", "out", "--resume").code == 0
    assert pbx.asked == ["all"], "what is finished is left"


def test_without_a_name_it_goes_into_this_folder(alovoice: FrontDoor, pbx: Pbx) -> None:
    assert alovoice("ai", "audio", "1").code == 0
    assert (alovoice.home / "1.wav").read_bytes() == SOUND
    pbx.sound = b"\xff\xfb" + SOUND
    assert alovoice("ai", "audio", "2").code == 0
    assert (alovoice.home / "2.mp3").exists()
