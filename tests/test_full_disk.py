"""A full disk is named as such, with the folder; no call is made that the ledger could not note."""

import errno
import resource
import signal
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dialling_ways import WAYS
from front_door import TOKEN, FrontDoor
from full_disks import attack_listener, attack_read_only, attack_way, read_only, small_disk
from raw_server import Connection, RawServer

from alovoice_cli.session import Session

CALL = ("call", "out", "--from", "2424", "--to", "+998994412860")


WRITERS = (
    ("-p", "sandbox", "sandbox", "reset", "--yes"),
    ("config", "set", "timeout", "8"),
    ("login", "--with-token", "--no-check"),
    ("route", "override", "hangup", "--for", "5m"),
    ("sandbox", "sample", "disk/sample"),
    ("-p", "sandbox", "trunks"),
)
"""What writes, beside the ways to dial."""
_NO_BYTECODE = {"PYTHONDONTWRITEBYTECODE": "1"}
"""Without room Python writes the bytecode of a changed module cut short, and every later run fails by it."""


def _accepts(connection: Connection) -> None:
    connection.read()
    connection.answer("200 OK", b"true")


@pytest.fixture
def pbx(alovoice: FrontDoor) -> Iterator[RawServer]:
    server = RawServer([_accepts])
    alovoice.environ |= {**_NO_BYTECODE, "ALOVOICE_BASE_URL": server.url, "ALOVOICE_TOKEN": TOKEN}
    yield server
    server.stop()


def _no_file_over(size: int) -> Callable[[], None]:
    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


@pytest.mark.parametrize("is_new", [True, False])
def test_a_call_that_the_ledger_has_no_room_for_is_not_made(is_new: bool, pbx: RawServer, alovoice: FrontDoor) -> None:
    if not is_new:
        assert alovoice(*CALL).code == 0
    before = pbx.connections
    ended = alovoice.process(*CALL, preexec_fn=_no_file_over(8_000))
    assert ended.returncode == 2, ended.stderr
    assert f"no space is left in {alovoice.home / 'state'}" in ended.stderr.decode().replace("\n", " ")
    assert b"ALOVOICE_STATE_DIR" in ended.stderr
    assert pbx.connections == before


@pytest.mark.parametrize("words", [("call", "receipts", "list"), ("ai", "list")])
def test_a_disk_without_room_for_a_new_store_is_named(words: tuple[str, ...], alovoice: FrontDoor) -> None:
    alovoice.environ |= {**_NO_BYTECODE, "ALOVOICE_TOKEN": TOKEN}
    ended = alovoice.process(*words, preexec_fn=_no_file_over(0))
    assert b"error in alovoice" not in ended.stderr
    if ended.returncode:
        assert (ended.returncode, b"no space is left in" in ended.stderr) == (2, True)


FULL = {
    "a file": OSError(errno.ENOSPC, "No space left on device", "/var/full/x.lock"),
    "a quota": OSError(errno.EDQUOT, "Disk quota exceeded", "/var/full/x.lock"),
}


@pytest.mark.parametrize("trouble", FULL)
def test_trouble_of_a_full_disk_names_the_folder(
    trouble: str, pbx: RawServer, alovoice: FrontDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise FULL[trouble]

    monkeypatch.setattr(Session, "show", fail)
    result = alovoice("config", "list")
    assert result.code == 2
    assert result.err.startswith("error: no space is left in /var/full\n")


def test_a_database_that_is_full_names_the_state_folder(
    alovoice: FrontDoor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    database = sqlite3.connect(tmp_path / "x.db")
    database.execute("PRAGMA max_page_count = 2")
    database.execute("CREATE TABLE t (x)")

    def fail(*_: Any) -> None:
        database.execute("INSERT INTO t VALUES (zeroblob(100000))")

    monkeypatch.setattr(Session, "show", fail)
    result = alovoice("config", "list")
    assert result.code == 2
    assert result.err.startswith(f"error: no space is left in {alovoice.home / 'state'}\n")


def test_after_the_call_a_full_disk_is_a_warning_and_the_call_stands(
    pbx: RawServer, alovoice: FrontDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alovoice_cli.stores.ledger import Ledger
    from alovoice_cli.stores.migrations import full_disk_error

    def fail(*_: Any) -> None:
        raise full_disk_error(Path("/var/full/ledger.db"), "database or disk is full")

    monkeypatch.setattr(Ledger, "settle", fail)
    result = alovoice(*CALL)
    assert result.code == 0
    assert "no space is left in /var/full" in result.err
    assert len(pbx.requests) == 1


_ROOM = (8, 160)
_CELLS = [(name, _ROOM[number % len(_ROOM)]) for number, name in enumerate(WAYS)]


@pytest.mark.parametrize(("way", "kilobytes"), _CELLS)  # all of them: tests/soak/test_full_disk_soak.py
def test_without_room_nobody_is_called_twice_or_forgotten(alovoice: FrontDoor, way: str, kilobytes: int) -> None:
    attack_way(alovoice, WAYS[way], kilobytes)


@pytest.mark.parametrize("way", WAYS)
def test_on_a_disk_that_went_read_only_nobody_is_called(alovoice: FrontDoor, way: str) -> None:
    attack_read_only(alovoice, WAYS[way])


def test_no_command_crashes_on_a_disk_that_went_read_only(alovoice: FrontDoor) -> None:
    with small_disk(alovoice.home / "disk") as disk:
        alovoice.environ |= {"ALOVOICE_STATE_DIR": str(disk / "state"), "ALOVOICE_CONFIG_DIR": str(disk / "config")}
        sandbox = disk / "state" / "sandbox.db"
        assert alovoice("-p", "sandbox", "trunks").code == 0
        assert alovoice("config", "set", "timeout", "9").code == 0
        whole = sandbox.read_bytes()
        with read_only(disk):
            for words in WRITERS:
                ended = alovoice(*words, stdin=f"{TOKEN}\n")
                assert ended.code == 2, (words, ended)
                assert "alovoice itself" not in ended.err, (words, ended.err)
            listened = alovoice.process("-p", "sandbox", "listen", "--port", "0")
            assert (listened.returncode, listened.stdout) == (2, b"")
        assert sandbox.read_bytes() == whole


def test_what_a_listener_without_room_has_taken_is_there(alovoice: FrontDoor) -> None:
    attack_listener(alovoice, 160)
