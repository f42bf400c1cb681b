"""Disks without room, and such as went read-only: what a way to dial, or a listener, does on one, and the next run."""

import contextlib
import json
import os
import re
import subprocess
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from batch_server import Exchange
from dialling_ways import Way, furnish, journal_rows
from front_door import TOKEN, FrontDoor
from ports import free_port
from raw_server import Connection, Seen
from waiting import wait_until

KILOBYTES = (0, 8, 24, 64, 160, 400)
"""How much room is left: too little for a receipt, for the row after it, for the batch, for its account."""
ROWS = 40
_SIZE = 8 * 1024
_PERSON = re.compile(r"9012345\d\d|(?<=[/\"])80\d\d")
_SECRET = "s3cret-in-the-path"


@contextlib.contextmanager
def small_disk(place: Path) -> Iterator[Path]:
    """A disk of 8 MB."""
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE}k", "tmpfs", str(place)]
    if os.name == "nt" or subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("nothing may be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@contextlib.contextmanager
def room(disk: Path, kilobytes: int) -> Iterator[None]:
    """Leaves so much room on the disk while the block runs."""
    ballast = disk / "ballast"
    free = os.statvfs(disk)
    ballast.write_bytes(b"0" * (free.f_bavail * free.f_frsize - kilobytes * 1024))
    yield
    ballast.unlink()


@contextlib.contextmanager
def read_only(disk: Path) -> Iterator[None]:
    """Lets nobody write on the disk while the block runs, as a kernel does after an error of the device."""
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    yield
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)


@contextlib.contextmanager
def _way_on_small_disk(home: FrontDoor, way: Way) -> Iterator[tuple[Path, Exchange]]:
    """A home whose state lies on a small disk, with a ledger and all that the way needs, and its PBX."""

    def accept(connection: Connection, seen: Seen) -> None:
        connection.answer("200 OK", b'["712037006"]' if seen.target.endswith("getMyTrunks") else way.good)

    with small_disk(home.home / "disk") as disk:
        pbx = Exchange(accept)
        home.environ |= {
            "ALOVOICE_TOKEN": TOKEN,
            "ALOVOICE_BASE_URL": pbx.url,
            "ALOVOICE_STATE_DIR": str(disk / "state"),
        }
        furnish(home, ROWS if way.is_batch else 1)
        assert home("api", "POST", "/outcall/{token}", "-f", "number=1").code in (0, 6)  # the ledger is there
        way.prepare(home)
        pbx.requests.clear()
        yield disk, pbx
        pbx.stop()


def attack_read_only(home: FrontDoor, way: Way) -> None:
    """Runs the way on a disk that went read-only: nothing is sent, and all is there once the disk is whole again."""
    with _way_on_small_disk(home, way) as (disk, pbx):
        before = home("call", "receipts", "list", "--json", "--limit", "0").out
        with read_only(disk):
            refused = home(*way.words)
        assert (refused.code, pbx.effects) == (2, [])
        assert refused.err.startswith("error: ") or "\nerror: " in refused.err
        assert "alovoice itself" not in refused.err
        assert home("call", "receipts", "list", "--json", "--limit", "0").out == before


def attack_way(home: FrontDoor, way: Way, kilobytes: int) -> None:
    """Runs the way without room, then with it: nobody is called twice or forgotten, and 0 means that all were."""
    with _way_on_small_disk(home, way) as (disk, pbx):
        with room(disk, kilobytes):
            first = home(*way.words)
            dialled = _people(pbx)
        again = home(*way.words)
        assert first.code == _code(way, first.code, len(dialled), ROWS if way.is_batch else 1), first.err
        if "--batch" in way.words or "resume" in way.words:
            _account_for_rows(home, pbx, again.code)
        elif way.method in ("addAutorule", "callsendai"):
            assert len(pbx.effects) == 1, again.err


def _people(pbx: Exchange) -> Counter[str]:
    """Whom the requests ring: a number or the id of a recorded call."""
    wire = [f"{seen.target} {seen.body.decode('utf-8', 'replace')}" for seen in pbx.effects]
    return Counter(_PERSON.findall(" ".join(wire)))


def _code(way: Way, code: int, dialled: int, rows: int) -> int:
    """The only right code, or this one where several are."""
    if not dialled:
        return 2
    if "--wait=1s" in way.words:
        return 6
    if not way.is_batch:
        return 0
    return code if code in (6, 7) or (code == 0 and dialled == rows) else 7


def _account_for_rows(home: FrontDoor, pbx: Exchange, code: int) -> None:
    states = {_PERSON.findall(json.dumps(row))[0]: row["outcome"] for row in journal_rows(home)}
    people = _people(pbx)
    assert max(people.values()) == 1
    assert len(states) == ROWS
    unknown = {who for who, state in states.items() if state == "unknown"}
    assert set(states.values()) <= {"done", "unknown"}
    assert {who for who in states if who not in people} <= unknown
    assert code == (6 if unknown else 0)


def attack_listener(home: FrontDoor, kilobytes: int) -> None:
    """Sends events until the disk is full: what was answered with 200 is in the store once there is room again."""
    with small_disk(home.home / "disk") as disk:
        home.environ["ALOVOICE_STATE_DIR"] = str(disk / "state")
        assert _deliver(home, 1) == ["event-0"]
        with room(disk, kilobytes):
            kept = _deliver(home, 60)
        stored = json.loads(home("events", "list", "--limit", "0", "--json").out)
        assert {*kept} <= {event["event_call_id"] for event in stored}


def _deliver(home: FrontDoor, count: int) -> list[str]:
    """Runs a listener, and returns the ids of the events that it answered with 200."""
    port = free_port()
    process = home.start("listen", "--port", str(port), "--secret", _SECRET, streams=subprocess.DEVNULL)
    kept = []
    try:
        wait_until(lambda: process.poll() is not None or _post(port, "probe", "") != 0, "the listener to answer")
        for number in range(count):
            name = f"event-{number}"
            if _post(port, name, "x" * 8000) == 200:
                kept.append(name)
            if process.poll() is not None:
                break
    finally:
        process.terminate()
        process.wait(60)
    return kept


def _post(port: int, name: str, filling: str) -> int:
    """Returns the status of the answer; 0 without one."""
    body = json.dumps({"call_id": name, "filling": filling}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/h/{_SECRET}/callend", body, {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        time.sleep(0.05)
        return 0
