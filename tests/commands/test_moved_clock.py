"""A clock that jumps while calls are made, or between two runs: nobody is called at night, nobody twice."""

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from batch_server import Exchange, point_at, write_list
from front_door import FrontDoor
from moved_clock import MovedClock, needs_faketime
from raw_server import Connection, Seen
from strength import rounds
from waiting import wait_until

ROWS = 12
OUT = ("call", "out", "--batch", "clients.csv", "--map", "number=Телефон", "--inner-phone", "2424", "--yes")
NOON = datetime(2026, 11, 30, 12, 0, tzinfo=UTC) - timedelta(hours=5)  # of the campaigns' zone
HOURS_TO_NIGHT = 9.5


class JumpingPbx(Exchange):
    """Answers `true`; before some of its answers the clock jumps."""

    def __init__(self) -> None:
        self.jumps: dict[int, Callable[[], None]] = {}
        super().__init__(self._jump_and_answer)

    def _jump_and_answer(self, connection: Connection, seen: Seen) -> None:
        jump = self.jumps.pop(len(self.requests), None)
        if jump is not None:
            jump()
        connection.answer("200 OK", b"true")


@pytest.fixture
def pbx(alovoice: FrontDoor) -> Iterator[JumpingPbx]:
    server = JumpingPbx()
    point_at(alovoice, server)
    yield server
    server.stop()


@pytest.fixture
def called(alovoice: FrontDoor) -> list[str]:
    """The numbers of the list; it is noon on a Monday, and the clock goes on from there."""
    begun = time.monotonic()
    alovoice.clock = lambda: NOON + timedelta(seconds=time.monotonic() - begun)
    return write_list(alovoice.home, ROWS)


def _states(alovoice: FrontDoor) -> list[str]:
    batches = json.loads(alovoice("call", "batches", "list", "--json").out)
    return [
        row["outcome"]
        for batch in batches
        for row in json.loads(alovoice("call", "batches", "show", batch["name"], "--json").out)
    ]


@pytest.mark.parametrize("many", [1, 4])
@pytest.mark.parametrize("hours", [-1, 24, -72, 0.5])
def test_a_jump_in_mid_batch_loses_no_row_and_repeats_none(
    alovoice: FrontDoor, pbx: JumpingPbx, called: list[str], hours: float, many: int
) -> None:
    pbx.jumps = {at: lambda: alovoice.later(hours=hours) for at in (3, 4, 8)}
    done = alovoice(*OUT, "--jobs", str(many), "--rate", "40/s")
    assert done.code == 0, done.err
    assert pbx.calls == dict.fromkeys(called, 1)
    assert _states(alovoice) == ["done"] * ROWS
    assert alovoice(*OUT).code == 0
    assert pbx.calls == dict.fromkeys(called, 1)


def test_after_any_jump_between_two_runs_the_rest_is_called_once(
    alovoice: FrontDoor, pbx: JumpingPbx, called: list[str]
) -> None:
    for place, hours in enumerate((0, -1, 24, -50, 7, 48)[: 3 + rounds(1)]):
        alovoice.later(hours=hours)
        alovoice.environ["ALOVOICE_BASE_URL"] = pbx.url
        write_list(alovoice.home, 4 * (place + 1))
        done = alovoice(*OUT, "--changed-ok", "--night-ok")
        assert done.code == 0, done.err
        assert set(pbx.calls.values()) == {1}
        assert len(pbx.calls) == 4 * (place + 1)


@pytest.mark.parametrize("hours", [-1, -23, -72, 23])
def test_the_same_people_under_another_name_are_refused_after_a_jump(
    alovoice: FrontDoor, pbx: JumpingPbx, called: list[str], hours: float
) -> None:
    assert alovoice(*OUT).code == 0
    alovoice.later(hours=hours)
    (alovoice.home / "copy.csv").write_bytes((alovoice.home / "clients.csv").read_bytes())
    words = [word if word != "clients.csv" else "copy.csv" for word in OUT]
    refused = alovoice(*words, "--night-ok")
    assert (refused.code, len(pbx.requests)) == (8, ROWS), refused.err


@pytest.mark.parametrize("hours", [-1, -72])
def test_a_daily_limit_counts_what_was_called_before_the_clock_was_set_back(
    alovoice: FrontDoor, pbx: JumpingPbx, called: list[str], hours: float
) -> None:
    alovoice("config", "set", "max_calls_per_day", str(ROWS))
    assert alovoice(*OUT).code == 0
    alovoice.later(hours=hours)
    single = alovoice("call", "out", "--number", "998911234567", "--inner-phone", "2424", "--yes")
    assert (single.code, len(pbx.requests)) == (8, ROWS), single.err


def test_a_pause_that_the_pbx_asks_for_ends_though_the_clock_was_set_back(
    alovoice: FrontDoor, called: list[str]
) -> None:
    asked: list[str] = []

    def answer(connection: Connection, seen: Seen) -> None:
        asked.append(json.loads(seen.body)["number"])
        if len(asked) == 4:
            connection.answer("429 Too Many Requests", b"", "Retry-After: 2")
            time.sleep(0.5)  # the pause has begun
            alovoice.later(hours=-1)
        else:
            connection.answer("200 OK", b"true")

    server = Exchange(answer)
    point_at(alovoice, server)
    done = alovoice(*OUT)
    server.stop()
    assert done.code == 7, done.err
    assert sorted(asked) == sorted(called)


@pytest.mark.soak
@needs_faketime
def test_a_process_whose_clock_jumps_into_the_night_dials_nobody_until_the_morning(
    alovoice: FrontDoor, pbx: JumpingPbx
) -> None:
    clock = MovedClock(alovoice)
    clock.set_to(12)
    called = write_list(alovoice.home, ROWS)
    pbx.jumps = {4: lambda: clock.set_to(21, 30)}

    def told_of() -> str:
        return _text(alovoice.home / "told")

    with (alovoice.home / "told").open("wb") as told:
        process = alovoice.start(*OUT, "--window", "08:00-23:00", streams=told.fileno())
        try:
            wait_until(lambda: "quiet hours" in told_of() or process.poll() is not None, told_of)
        finally:
            _ended(process)
    assert process.returncode == 130, told_of()
    assert len(pbx.requests) == 4
    late = alovoice.process(*OUT)
    assert (late.returncode, len(pbx.requests)) == (8, 4), late.stderr
    clock.set_to(8, 1)
    assert alovoice.process(*OUT).returncode == 0
    assert pbx.calls == dict.fromkeys(called, 1)


def _ended(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    process.wait(60)


def _text(path: Path) -> str:
    return path.read_text("utf-8", "replace")
