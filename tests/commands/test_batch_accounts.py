"""Full disks, do-not-call files, pauses: what keeps rows from going is named, and each row is accounted for."""

import csv
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from batch_server import FILES_ONLY, OUT, Exchange, point_at, write_list
from front_door import FrontDoor, Result
from raw_server import Connection, Seen

pytestmark = pytest.mark.usefixtures("profile_store")


@pytest.fixture
def small_disk(alovoice: FrontDoor) -> Iterator[Any]:
    """Mounts a disk of so many kilobytes."""
    mounted: list[Path] = []

    def mount(kilobytes: int) -> Path:
        place = alovoice.home / f"disk-{kilobytes}"
        place.mkdir()
        words = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(place)]
        if os.name == "nt" or subprocess.run(words, capture_output=True, check=False).returncode:
            pytest.skip("nothing may be mounted here")
        mounted.append(place)
        return place

    yield mount
    for place in mounted:
        subprocess.run(["umount", str(place)], check=True)


def _states(result: Result) -> list[str]:
    rows = [json.loads(line) for line in result.out.splitlines()]
    return [row["outcome"] for row in sorted(rows, key=lambda row: row["row"])]


# --- full disks ------------------------------------------------------------------------------------------------------


@FILES_ONLY
@pytest.mark.parametrize("kilobytes", [60, 350, 900, 1200])
def test_a_full_state_disk_is_named_and_accounts_for_every_row(
    alovoice: FrontDoor, pbx: Exchange, small_disk: Any, kilobytes: int
) -> None:
    called = write_list(alovoice.home, 200)
    alovoice.environ["ALOVOICE_STATE_DIR"] = str(small_disk(kilobytes) / "state")
    report = alovoice.home / "report.csv"
    done = alovoice.process(*OUT, "--confirm", "200", "--jobs", "4", "--report", "report.csv")
    assert b"no space is left in" in done.stderr
    if not pbx.requests:
        assert done.returncode == 2
        return
    rows = list(csv.DictReader(report.read_text("utf-8-sig").splitlines()))
    states = Counter(row["outcome"] for row in rows)
    assert done.returncode == (6 if states["unknown"] else 7), done.stderr
    assert (len(rows), states["done"] + states["unknown"]) == (200, len(pbx.requests))
    assert f"{states['pending']} rows were not sent".encode() in done.stderr
    assert set(pbx.calls) <= set(called)  # with four jobs not always the first of the list
    assert set(pbx.calls.values()) == {1}


@FILES_ONLY
def test_a_limit_on_the_size_of_files_is_no_success_either(alovoice: FrontDoor, pbx: Exchange) -> None:
    write_list(alovoice.home, 90)
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (250_000, 250_000));"
    code = f"import sys; {limit} from alovoice_cli.__main__ import main; sys.argv = ['alovoice', *sys.argv[1:]]; main()"
    done = alovoice.run_shell([sys.executable, "-c", code, *OUT, "--report", "report.csv"])
    assert done.returncode in (6, 7), done.stderr
    assert 0 < len(pbx.requests) < 90
    assert b"no space is left in" in done.stderr
    assert len((alovoice.home / "report.csv").read_text("utf-8").splitlines()) == 91


def test_a_report_on_a_full_disk_is_refused_before_the_first_call(
    alovoice: FrontDoor, pbx: Exchange, small_disk: Any
) -> None:
    write_list(alovoice.home, 2)
    disk = small_disk(64)
    (disk / "ballast").write_bytes(b"0" * 64 * 1024)
    result = alovoice(*OUT, "--report", f"{disk.name}/report.csv")
    assert (result.code, pbx.connections) == (2, 0)
    assert f"no space is left in {disk}" in result.err
    assert [file.name for file in disk.iterdir()] == ["ballast"]


def test_a_report_that_fails_at_the_end_is_no_success(alovoice: FrontDoor) -> None:
    write_list(alovoice.home, 2)
    report = alovoice.home / "reports" / "report.csv"
    report.parent.mkdir()

    def answer(connection: Connection, seen: Seen) -> None:
        if report.parent.exists():
            report.parent.rmdir()
        connection.answer("200 OK", b"true")

    pbx = Exchange(answer)
    point_at(alovoice, pbx)
    result = alovoice(*OUT, "--report", str(report))
    pbx.stop()
    assert (result.code, _states(result)) == (7, ["done", "done"])
    assert "has the rows" in result.err


# --- do-not-call files -----------------------------------------------------------------------------------------------


def test_rows_of_excluded_people_are_told_and_not_sent(alovoice: FrontDoor, pbx: Exchange) -> None:
    called = write_list(alovoice.home, 4)
    for name, number in (("stop.csv", called[1]), ("stop2.csv", called[3])):
        (alovoice.home / name).write_text(f"Телефон\n8 {number[:2]} {number[2:]}\n", "utf-8")
    words = (*OUT, "--exclude", "stop.csv", "--exclude", "stop2.csv")
    dry = alovoice(*words, "--dry-run")
    assert "2 rows are excluded and not sent, rows 3 and 5" in dry.err
    assert "2 rows would be sent" in dry.err
    result = alovoice(*words, "--confirm", "2", "--report", "report.csv")
    assert (result.code, _states(result)) == (0, ["done", "excluded", "done", "excluded"]), result.err
    assert pbx.calls == {called[0]: 1, called[2]: 1}
    assert (alovoice.home / "report.csv").read_text("utf-8").count("excluded") == 2
    again = alovoice(*OUT)  # without the files: whoever asked not to be called stays out
    assert (again.code, _states(again), len(pbx.requests)) == (0, ["excluded", "excluded"], 2)


def test_a_resumption_takes_a_do_not_call_file_too(alovoice: FrontDoor) -> None:
    called = write_list(alovoice.home, 3)
    pbx = Exchange(lambda connection, seen: connection.answer("200 OK", b"false"))
    point_at(alovoice, pbx)
    assert alovoice(*OUT, "--stop-after-failures", "1").code == 1
    (alovoice.home / "stop.csv").write_text(f"{called[2]}\n", "utf-8")
    (batch,) = json.loads(alovoice("call", "batches", "list", "--json").out)
    resumed = alovoice("call", "batches", "resume", batch["name"], "--night-ok", "--yes", "--exclude", "stop.csv")
    pbx.stop()
    assert (resumed.code, pbx.calls) == (1, {called[0]: 1, called[1]: 1}), resumed.err
    shown = json.loads(alovoice("call", "batches", "show", batch["name"], "--state", "excluded", "--json").out)
    assert [row["row"] for row in shown] == [4]


def test_an_entry_that_cannot_be_read_stops_the_batch_unless_it_may_pass(alovoice: FrontDoor, pbx: Exchange) -> None:
    write_list(alovoice.home, 2)
    (alovoice.home / "stop.csv").write_text("phone\n901000001\nspoke with Anvar\n", "utf-8")
    refused = alovoice(*OUT, "--exclude", "stop.csv")
    assert (refused.code, pbx.connections) == (8, 0)
    assert "row 3" in refused.err
    passed = alovoice(*OUT, "--exclude", "stop.csv", "--exclude-unread-ok")
    assert (passed.code, len(pbx.requests)) == (0, 1), passed.err


# --- pauses, hours, codes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("retry_after", ["Retry-After: 1\r\n", ""])
def test_a_pause_says_until_when_by_the_profiles_clock(
    alovoice: FrontDoor, monkeypatch: pytest.MonkeyPatch, retry_after: str
) -> None:
    monkeypatch.setattr("alovoice_cli.batch.send_rows._PAUSE_SECONDS", 1.0)
    write_list(alovoice.home, 2)
    busy = iter([True])

    def answer(connection: Connection, seen: Seen) -> None:
        if next(busy, False):
            connection.write(f"HTTP/1.1 429 Too Many Requests\r\n{retry_after}Content-Length: 0\r\n\r\n".encode())
        else:
            connection.answer("200 OK", b"true")

    pbx = Exchange(answer)
    point_at(alovoice, pbx)
    alovoice("config", "set", "timezone", "utc +5")
    result = alovoice(*OUT)
    pbx.stop()
    assert result.code == 7
    (told,) = [line for line in result.err.splitlines() if "429); waiting until" in line]
    assert "(UTC+05:00)" in told


def test_a_batch_obeys_the_quiet_hours_that_no_profile_sets(alovoice: FrontDoor, pbx: Exchange) -> None:
    write_list(alovoice.home, 1)
    words = [word for word in OUT if word != "--night-ok"]
    codes = set()
    for hour in range(0, 24, 6):
        alovoice.later(hours=6 if hour else 0)
        result = alovoice(*words, "--journal", f"at-{hour}", "--allow-duplicate")
        codes.add(result.code)
        assert result.code == 0 or "quiet hours" in result.err
    assert codes == {0, 8}


def test_a_batch_ends_with_its_worst_row_and_1_is_worse_than_4(alovoice: FrontDoor) -> None:
    called = write_list(alovoice.home, 2)

    def answer(connection: Connection, seen: Seen) -> None:
        if called[0] in seen.body.decode():
            connection.answer("404 Not Found", b"")
        else:
            connection.answer("200 OK", b"false")

    pbx = Exchange(answer)
    point_at(alovoice, pbx)
    code = alovoice(*OUT).code
    pbx.stop()
    assert code == 1
