"""The files of `autorule create`: the list is read once, and list and recording go out as they are."""

import hashlib
import io
import json
import os
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from campaign_server import CAMPAIGN, CSV, MP3, creation_words, parts_of, serve_campaigns
from front_door import TOKEN, FrontDoor
from raw_server import Connection, RawServer
from workbooks import xlsx


@pytest.fixture
def pbx(autorule_pbx: RawServer) -> RawServer:
    return autorule_pbx


def _tells_lines(connection: Connection) -> None:
    if connection.read() is not None:
        connection.answer("200 OK", b'["712037006"]', "Connection: close")


@dataclass
class _Reads:
    """How often a file was opened, and how many bytes were read of it."""

    opens: int = 0
    size: int = 0


@pytest.fixture
def reads(alovoice: FrontDoor, pbx: RawServer, monkeypatch: pytest.MonkeyPatch) -> _Reads:
    """Counts what happens to the list: every way of the program to a file leads through `os.open` or `io.open`."""
    found, path, real_open, real_fdopen = _Reads(), alovoice.home / "clients.csv", os.open, os.fdopen

    class Counted(io.FileIO):
        def readinto(self, buffer: Any) -> int:
            size = super().readinto(buffer)
            found.size += size or 0
            return size or 0

        def readall(self) -> bytes:
            content = super().readall()
            found.size += len(content)
            return content

    def opened(name: Any, *words: Any, **more: Any) -> int:
        found.opens += Path(os.fsdecode(name)).name == path.name
        return real_open(name, *words, **more)

    def wrapped(descriptor: int, *words: Any, **more: Any) -> Any:
        if os.path.samestat(os.fstat(descriptor), path.stat()):
            return io.BufferedReader(Counted(descriptor))
        return real_fdopen(descriptor, *words, **more)

    monkeypatch.setattr(os, "open", opened)
    monkeypatch.setattr(os, "fdopen", wrapped)
    return found


@pytest.mark.parametrize(
    ("verb", "more"),
    [
        ("check", []),
        ("create", []),
        ("create", ["--clean"]),
        ("create", ["--clean", "good.csv", "--rejected", "bad.csv"]),
        ("create", ["--split", "1/day"]),
        ("create", ["--from-file", "campaign.toml"]),
    ],
    ids=" ".join,
)
def test_a_list_is_opened_once_and_read_once(
    alovoice: FrontDoor, pbx: RawServer, reads: _Reads, verb: str, more: list[str]
) -> None:
    digest = hashlib.sha256(CSV).hexdigest()
    toml = f'recipients = "clients.csv"\nrecipients_sha256 = "{digest}"\n'
    (alovoice.home / "campaign.toml").write_text(toml)
    words = creation_words(recipients=None if "--from-file" in more else "clients.csv")
    words[1] = verb
    if verb == "check":
        words.remove("--yes")
    assert alovoice(*words, *more).code == 0
    assert (reads.opens, reads.size) == (1, len(CSV))
    assert len(pbx.effects) == (0 if verb == "check" else 2 if "--split" in more else 1)


def test_what_is_sent_is_what_was_checked_though_the_list_changes_meanwhile(
    alovoice: FrontDoor, pbx: RawServer
) -> None:
    def swaps(connection: Connection) -> None:
        (alovoice.home / "clients.csv").write_bytes(b"998907777777\n998906666666\n")
        serve_campaigns(connection)

    pbx.acts = [swaps]
    assert alovoice(*creation_words()).code == 0
    assert parts_of(pbx.effects[0])["recipients"][2] == CSV
    exported = tomllib.loads(alovoice("autorule", "export", "124").out)
    assert exported["recipients_sha256"] == hashlib.sha256(CSV).hexdigest()


@pytest.mark.parametrize(
    ("name", "sent"), [('қ "q" $HOME.mp3', 'қ "q" $HOME.mp3'), ("a\\b.mp3", "b.mp3"), ("no-extension", "no-extension")]
)
@pytest.mark.skipif(os.name != "posix", reason="such names are POSIX's")
def test_a_recording_is_known_by_its_frames_and_named_by_its_last_part(
    alovoice: FrontDoor, pbx: RawServer, name: str, sent: str
) -> None:
    (alovoice.home / "sub").mkdir()
    (alovoice.home / "sub" / name).write_bytes(MP3)
    assert alovoice(*creation_words(record=f"sub/{name}")).code == 0
    seen = pbx.effects[0]
    assert seen.body.count(b"Content-Disposition:") == 10, "no header line was smuggled in"
    quoted = sent.replace('"', "%22").encode()
    assert b'name="record"; filename="' + quoted + b'"' in seen.body


def test_a_recording_that_shrinks_while_it_is_sent_is_never_taken_for_whole(alovoice: FrontDoor) -> None:
    path = alovoice.home / "promo.mp3"
    path.write_bytes(MP3 * 2000)
    got = bytearray()

    def shrinks(connection: Connection) -> None:
        got.extend(connection.sock.recv(65536))
        with path.open("r+b") as file:
            file.truncate(1000)
        while chunk := connection.sock.recv(1 << 16):
            got.extend(chunk)

    server = RawServer([_tells_lines, shrinks])
    try:
        alovoice.environ |= {"ALOVOICE_BASE_URL": server.url, "ALOVOICE_TOKEN": TOKEN}
        result = alovoice(*creation_words(recipients=None, recipient=["901234567"]))
    finally:
        server.stop()
    assert result.code == 6, result.err
    assert "shorter" in result.err
    length = int(bytes(got).partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
    assert len(got) < length
    boundary = bytes(got).partition(b"boundary=")[2].partition(b"\r\n")[0]
    assert b"--" + boundary + b"--" not in bytes(got)


# Runs the program, then writes the most memory that it ever held (in KiB) to the file named first.
_WEIGHED = """
import pathlib, sys, threading
from alovoice_cli.__main__ import main
where = sys.argv.pop(1)
try:
    main()
finally:
    status = pathlib.Path("/proc/self/status").read_text()
    pathlib.Path(where).write_text(status.partition("VmHWM:")[2].split()[0])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc to read the memory from")
def test_a_large_upload_is_streamed_from_disk(alovoice: FrontDoor) -> None:
    received: list[int] = []

    def swallows(connection: Connection) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.sock.recv(4096)
        length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
        left, buffer = length - len(head.partition(b"\r\n\r\n")[2]), bytearray(1 << 20)
        while left > 0 and (size := connection.sock.recv_into(buffer)):
            left -= size
        received.append(length)
        connection.answer("200 OK", json.dumps(CAMPAIGN).encode())

    server = RawServer([_tells_lines, swallows])
    alovoice.environ |= {"ALOVOICE_BASE_URL": server.url, "ALOVOICE_TOKEN": TOKEN}
    frame = b"\xff\xfb\x90\x00" + b"\0" * 413  # MPEG 1 layer III, 128 kbit/s, 44.1 kHz
    peaks = []
    try:
        for megabytes in (1, 80):
            server.acts = [*([_tells_lines] * (server.connections + 1)), swallows]
            with (alovoice.home / "promo.mp3").open("wb") as file:
                for _ in range(megabytes):
                    file.write(frame * 2398)  # a million bytes
            words = [*creation_words(recipients=None, recipient=["901234567"]), "--timeout", "60"]
            done = subprocess.run(
                [sys.executable, "-c", _WEIGHED, "peak.txt", *words],
                env=alovoice.environ,
                cwd=alovoice.home,
                capture_output=True,
                timeout=90,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            peaks.append(int((alovoice.home / "peak.txt").read_text()))
    finally:
        server.stop()
        (alovoice.home / "promo.mp3").unlink()
    assert received[1] > 79_000_000
    assert peaks[1] - peaks[0] < 30 * 1024, f"{peaks} KiB"


@pytest.mark.parametrize(
    ("name", "content", "uploaded"),
    [
        ("clients.csv", b"sep=;\r\nName;Phone\r\nA;901234567\r\n", b"Name;Phone\nA;998901234567\n"),
        ("clients.csv", b"\n\nphone\n901234567\n\x1a\n", b"phone\n998901234567\n"),
        (
            "clients.xlsx",
            xlsx({"S": [["Имя", "Phone"], ["А", 998901234567.0]]}),
            "Имя,Phone\nА,998901234567\n".encode(),
        ),
    ],
)
def test_what_is_no_plain_csv_goes_out_as_one(
    alovoice: FrontDoor, pbx: RawServer, name: str, content: bytes, uploaded: bytes
) -> None:
    (alovoice.home / name).write_bytes(content)
    result = alovoice(*creation_words(recipients=name))
    assert result.code == 0, result.err
    assert parts_of(pbx.effects[0])["recipients"] == ("recipients.csv", "text/csv", uploaded)
