"""Uploads from disk and recordings to disk: whole or not at all, in little memory, nowhere else."""

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from alovoice_cli.api.request import FilePart
from alovoice_cli.errors import AlovoiceError, OutcomeUnknownError, ServerError, UsageError

FIELDS = {"name": "N"}
SOUND = b"RIFF" + bytes(range(256)) * 2000


def part(file: Any, name: str = "x.mp3") -> FilePart:
    return FilePart(name, "audio/mpeg", file)


def created(c: Any) -> None:
    c.read()
    c.answer("200 OK", b'{"id": 124}')


def recipients() -> FilePart:
    return FilePart("r.csv", "text/csv", io.BytesIO(b"901234567\n"))


def test_the_upload_tells_how_far_it_is(serve: Any, client: Any, tmp_path: Path) -> None:
    path = tmp_path / "x.mp3"
    path.write_bytes(b"\xff" * 300_000)
    steps: list[tuple[int, int | None]] = []
    with path.open("rb") as file:
        client(serve(created)).autorule.create(
            FIELDS, record=part(file), recipients=recipients(), progress=lambda *step: steps.append(step)
        )
    assert steps[-1] == (300_010, 300_010)
    assert steps == sorted(steps)
    assert len(steps) > 3


def test_a_progress_bar_that_breaks_does_not_cut_the_upload(serve: Any, client: Any) -> None:
    def broken(done: int, total: int | None) -> None:
        raise RuntimeError("no terminal")

    pbx = client(serve(created))
    assert pbx.autorule.create(FIELDS, record=part(io.BytesIO(b"a")), recipients=recipients(), progress=broken)


def test_a_file_that_shrinks_on_the_way_leaves_no_whole_body(serve: Any, client: Any, tmp_path: Path) -> None:
    path = tmp_path / "x.mp3"
    path.write_bytes(b"\xff" * 4_000_000)
    server = serve(created)
    with path.open("rb") as file, pytest.raises(OutcomeUnknownError, match="shorter") as caught:
        client(server).autorule.create(
            FIELDS, record=part(file), recipients=recipients(), progress=lambda *_: os.truncate(path, 1000)
        )
    assert server.requests == []
    assert "web console" in caught.value.hint


def test_a_file_that_grows_is_cut_at_the_size_that_was_announced(serve: Any, client: Any, tmp_path: Path) -> None:
    path = tmp_path / "x.mp3"
    path.write_bytes(b"\xff" * 200_000)
    server = serve(created)

    def grow(done: int, total: int | None) -> None:
        with path.open("ab") as more:
            more.write(b"MORE" * 1000)

    with path.open("rb") as file:
        client(server).autorule.create(FIELDS, record=part(file), recipients=recipients(), progress=grow)
    assert b"MORE" not in server.requests[0].body


def test_a_file_that_changed_between_two_tries_is_not_sent(serve: Any, client: Any, tmp_path: Path) -> None:
    path = tmp_path / "x.mp3"
    path.write_bytes(b"\xff" * 2000)
    server = serve(lambda c: c.reset())  # within the handshake: it never left
    url = server.url.replace("http:", "https:")
    with path.open("rb") as file, pytest.raises(UsageError, match="changed"):
        client(url, sleep=lambda _: os.truncate(path, 5)).autorule.create(
            FIELDS, record=part(file), recipients=recipients()
        )


def test_a_second_try_sends_the_file_from_its_start(serve: Any, client: Any, tls: Any, certificate: Path) -> None:
    tries: list[int] = []

    def at_first_no_tls(c: Any) -> None:
        tries.append(1)
        c.reset()

    lame = serve(at_first_no_tls)
    server = serve(created, context=tls)
    url = f"https://localhost:{lame.port}"
    pbx = client(url, environ={"SSL_CERT_FILE": str(certificate)})
    with pytest.raises(AlovoiceError):
        pbx.autorule.create(FIELDS, record=part(io.BytesIO(b"abc")), recipients=recipients())
    assert len(tries) == 3
    file = io.BytesIO(b"abc")
    file.read()
    client(server, environ={"SSL_CERT_FILE": str(certificate)}).autorule.create(
        FIELDS, record=part(file), recipients=recipients()
    )
    assert b"\r\n\r\nabc\r\n" in server.requests[0].body


def test_a_413_names_the_size(serve: Any, client: Any) -> None:
    def too_large(c: Any) -> None:
        c.read()
        c.answer("413 Request Entity Too Large")

    with pytest.raises(AlovoiceError, match=r"3\.0 MB") as caught:
        client(serve(too_large)).autorule.create(
            FIELDS, record=part(io.BytesIO(b"a" * 3_000_000)), recipients=recipients()
        )
    assert caught.value.exit_code == 1


MEMORY = r"""
import re, sys
from pathlib import Path
from alovoice_cli.api.client import Client
from alovoice_cli.api.request import FilePart
def peak():  # KiB; ru_maxrss would remember the parent's memory from before exec
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])
base = peak()
with open(sys.argv[2], "rb") as record, open(sys.argv[3], "rb") as recipients:
    pbx = Client(sys.argv[1], "22dfbb22-d073-4422-b322-22949d14a022", timeout=60, environ={})
    pbx.autorule.create({"name": "N"}, record=FilePart("x.mp3", "audio/mpeg", record),
                        recipients=FilePart("r.csv", "text/csv", recipients))
print(peak() - base)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_an_upload_of_200_mb_takes_less_than_30_mb(serve: Any, tmp_path: Path) -> None:
    size = 200 * 1024 * 1024
    path, small = tmp_path / "x.mp3", tmp_path / "r.csv"
    with path.open("wb") as sparse:
        sparse.truncate(size)
    small.write_bytes(b"901234567\n")
    taken: list[int] = []

    def swallow(c: Any) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += c.sock.recv(1)
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        buffer, rest = bytearray(1 << 20), length
        while rest:
            rest -= c.sock.recv_into(buffer)
        taken.append(length)
        c.answer("200 OK", b'{"id": 1}')

    server = serve(swallow)
    command = [sys.executable, "-c", MEMORY, server.url, str(path), str(small)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=True)
    assert taken[0] > size
    assert int(done.stdout) < 30 * 1024  # KiB


# --- recordings ------------------------------------------------------------------------------------------------------


def sound(c: Any) -> None:
    c.read()
    c.answer("200 OK", SOUND, "Content-Type: audio/wav")


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_recording_is_saved_whole_and_private(serve: Any, client: Any, tmp_path: Path) -> None:
    server = serve(sound)
    steps: list[tuple[int, int | None]] = []
    size = client(server).ai.audio("/stereo/17.5", tmp_path / "a.wav", progress=lambda *step: steps.append(step))
    assert size == len(SOUND)
    assert (tmp_path / "a.wav").read_bytes() == SOUND
    assert steps[-1] == (len(SOUND), len(SOUND))
    assert left_in(tmp_path) == ["a.wav"]
    assert server.requests[0].target == "/stereo/17.5"
    assert server.requests[0].header("authorization").startswith("Bearer ")
    if os.name == "posix":
        assert (tmp_path / "a.wav").stat().st_mode & 0o777 == 0o600


def test_a_url_of_the_same_origin_is_fetched(serve: Any, client: Any, tmp_path: Path) -> None:
    server = serve(sound)
    client(server).ai.audio(f"{server.url}/stereo/1?x=2", tmp_path / "a")
    assert server.requests[0].target == "/stereo/1?x=2"


@pytest.mark.parametrize(
    "where",
    [
        "http://169.254.169.254/latest/meta-data",
        "https://localhost/stereo/1",
        "//evil.test/stereo/1",
        "file:///etc/passwd",
        "/stereo/../callsendai/x/1",
        "/stereo/%2e%2e/%2e%2e/x",
        "stereo/1",
        "",
        "\\\\evil\\x",
        "http://localhost:1@evil.test/",
    ],
)
def test_a_recording_elsewhere_is_refused_before_any_connection(
    where: str, serve: Any, client: Any, tmp_path: Path
) -> None:
    server = serve(sound)
    with pytest.raises(UsageError):
        client(server).ai.audio(where, tmp_path / "a")
    assert server.connections == 0
    assert left_in(tmp_path) == []


def cut(c: Any) -> None:
    c.read()
    c.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n" + SOUND)


def boasts(c: Any) -> None:
    c.read()
    c.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n" + SOUND)
    c.hang()


def endless(c: Any) -> None:
    c.read()
    c.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    while True:
        c.write(SOUND)


def empty(c: Any) -> None:
    c.read()
    c.answer("200 OK")


@pytest.mark.parametrize("act", [cut, boasts, endless, empty])
def test_a_recording_that_is_not_whole_leaves_no_file(act: Any, serve: Any, client: Any, tmp_path: Path) -> None:
    with pytest.raises(ServerError) as caught:
        client(serve(act)).ai.audio("/stereo/1", tmp_path / "a", largest=3_000_000)
    assert caught.value.exit_code == 7
    assert left_in(tmp_path) == []


def test_a_recording_that_is_cut_once_is_fetched_anew(serve: Any, client: Any, tmp_path: Path) -> None:
    assert client(serve(cut, sound)).ai.audio("/stereo/1", tmp_path / "a") == len(SOUND)
    assert (tmp_path / "a").read_bytes() == SOUND


def test_an_error_page_is_no_recording(serve: Any, client: Any, tmp_path: Path) -> None:
    def gone(c: Any) -> None:
        c.read()
        c.answer("404 Not Found", b"<html>no</html>")

    with pytest.raises(AlovoiceError) as caught:
        client(serve(gone)).ai.audio("/stereo/1", tmp_path / "a")
    assert caught.value.exit_code == 4
    assert left_in(tmp_path) == []


def test_a_file_that_is_there_stays_unless_forced(serve: Any, client: Any, tmp_path: Path) -> None:
    target = tmp_path / "a"
    target.write_text("mine")
    server = serve(sound)
    with pytest.raises(UsageError, match="exists"):
        client(server).ai.audio("/stereo/1", target)
    assert (target.read_text(), server.connections) == ("mine", 0)
    client(server).ai.audio("/stereo/1", target, force=True)
    assert target.read_bytes() == SOUND


def test_a_stale_part_and_a_planted_link_are_not_written_through(serve: Any, client: Any, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (folder / "b.part").write_text("stale")
    (folder / "a.part").symlink_to(victim)
    for name in ("a", "b"):
        client(serve(sound)).ai.audio("/stereo/1", folder / name)
    assert victim.read_text() == "mine"
    assert left_in(folder) == ["a", "b"]


def test_a_folder_that_cannot_be_written_is_a_usage_error(serve: Any, client: Any, tmp_path: Path) -> None:
    server = serve(sound)
    for target in (tmp_path, tmp_path / "no" / "a"):
        with pytest.raises(UsageError):
            client(server).ai.audio("/stereo/1", target)
    assert server.connections == 0
