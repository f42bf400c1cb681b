"""The sandbox's file: shared by processes, kept between openings, reset without losing the token."""

import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from alovoice_cli.errors import UsageError
from alovoice_cli.sandbox.opening import open_sandbox, reset_sandbox
from alovoice_cli.stores.pbx import PbxStore

from .conftest import Mounted

PROGRAM = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from alovoice_cli.sandbox.opening import open_sandbox
from alovoice_cli.sandbox.calls import CallOrder
from alovoice_cli.sandbox.pbx import Pbx
from alovoice_cli.sandbox.scenario import shipped
from alovoice_cli.stores.pbx import PbxStore

path, name = Path(sys.argv[1]), sys.argv[2]
token = open_sandbox(path).token
pbx = Pbx(PbxStore(path), shipped(), seed=1, speed=60, now=lambda: datetime.now(UTC))
ids = [pbx.place_call(CallOrder("out", f"{name}-{n}", "100", ("901234567",))).id for n in range(25)]
print(token, *ids)
"""


@pytest.mark.soak
def test_processes_that_open_a_new_file_at_once_share_one_token_and_lose_no_call(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "sandbox.db"
    running = [
        subprocess.Popen([sys.executable, "-c", PROGRAM, str(path), str(name)], stdout=subprocess.PIPE, text=True)
        for name in range(4)
    ]
    lines = [process.communicate(timeout=60)[0].split() for process in running]
    assert [process.returncode for process in running] == [0] * 4
    assert len({line[0] for line in lines}) == 1
    assert sorted(int(number) for line in lines for number in line[1:]) == list(range(1, 101))
    assert all(PbxStore(path).find_call(f"{name}-{n}") for name in range(4) for n in range(25))


def test_what_one_mount_makes_another_sees(pbx: Mounted) -> None:
    other = type(pbx)(pbx.path)
    assert pbx.create().json()["id"] == 124
    assert other.create().json()["id"] == 125
    assert pbx.get("/mapi/getAutorule/125")["name"] == other.get("/mapi/getAutorule/124")["name"]


def test_the_token_is_made_once_and_a_given_one_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.db"
    first = open_sandbox(path).token
    assert len(first) == 36
    assert open_sandbox(path, token="mine").token == "mine"
    assert open_sandbox(path).token == first


def test_the_seed_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.db"
    open_sandbox(path, seed=42)
    open_sandbox(path)
    assert PbxStore(path).setting("seed", lambda: "made anew") == "42"


def test_a_reset_pbx_is_as_new_but_keeps_its_token_for_running_mounts(pbx: Mounted) -> None:
    pbx.create()
    pbx.ask("GET", "/callsendai/{token}/42")
    kept = open_sandbox(pbx.path).token
    assert reset_sandbox(pbx.path) is True
    assert open_sandbox(pbx.path).token == kept
    assert pbx.ask("GET", "/mapi/getAutorule/124").status_code == 404
    assert pbx.get("/mapi/getAutorule/123")["status"] == "done"
    assert "aicallid" not in pbx.get("/callgetaireresult/{token}/42")["answer"]
    assert pbx.create().json()["id"] == 124


def test_resetting_what_is_not_there_makes_nothing(tmp_path: Path) -> None:
    assert reset_sandbox(tmp_path / "sandbox.db") is False
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_is_told_and_reset_heals_it(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.db"
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(UsageError, match=r"sandbox\.db"):
        open_sandbox(path)
    assert reset_sandbox(path) is True
    assert open_sandbox(path).token


def test_a_file_that_breaks_under_a_running_pbx_is_a_500_with_its_reason(pbx: Mounted) -> None:
    for file in pbx.path.parent.iterdir():
        file.unlink()
    pbx.path.write_bytes(b"no database at all" * 100)
    answer = pbx.ask("GET", "/mapi/getAutorule/123")
    assert answer.status_code == 500
    assert "sandbox.db" in answer.json()["error"]


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX's")
def test_the_file_is_its_owners_alone(pbx: Mounted) -> None:
    assert stat.S_IMODE(pbx.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(pbx.path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("token", ["a/b", "a b", "a%20b", "a?", "a\n", "x" * 201])
def test_a_token_that_cannot_stand_in_a_path_is_refused(tmp_path: Path, token: str) -> None:
    with pytest.raises(UsageError, match="token"):
        open_sandbox(tmp_path / "sandbox.db", token=token)


@pytest.mark.parametrize("speed", [0, -1, float("nan"), float("inf"), 1e9])
def test_a_speed_that_is_none_is_refused(tmp_path: Path, speed: float) -> None:
    with pytest.raises(UsageError, match="speed"):
        open_sandbox(tmp_path / "sandbox.db", speed=speed)


def test_another_process_that_writes_is_waited_for_and_readers_do_not_wait(pbx: Mounted) -> None:
    holder = sqlite3.connect(pbx.path, isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    assert pbx.get("/mapi/getAutorule/123")["id"] == 123
    assert holder.in_transaction
    released = threading.Timer(0.2, lambda: holder.execute("COMMIT"))
    released.start()
    assert pbx.create().json()["id"] == 124
    assert not holder.in_transaction
    released.join()
    holder.close()
