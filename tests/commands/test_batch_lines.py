"""Batches leave lines free: `reserve_lines`, by an event store as a listener fills it, and without one."""

import json
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from batch_server import FILES_ONLY, OUT, Exchange, numbers, point_at, write_list
from event_rows import Rows, end_of
from front_door import FrontDoor
from raw_server import Connection, Seen
from waiting import wait_until

from alovoice_cli.batch.pacing import HOLD, LineClaim, count_busy
from alovoice_cli.stores.line_calls import LineClaims

pytestmark = pytest.mark.usefixtures("profile_store")

LINE = "712037006"
IVR = ("call", "ivr", "--batch", "-", "--ivr", "222", "--night-ok", "--yes")
CONFERENCE = ("call", "conference", "--batch", "-", "--night-ok", "--yes")
needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")


class Pbx(Exchange):
    """Tells the listener of each call that it makes (where `lasts` is set), and that it ended so much later."""

    def __init__(self, store: str) -> None:
        self.store = store
        self.lasts: float | None = None
        self.going, self.most = 0, 0
        self._endings: list[threading.Timer] = []
        self._lock = threading.Lock()
        super().__init__(self._ring)

    def listens(self) -> Rows:
        """A listener is there, and was for a while."""
        rows = Rows(self.store)
        rows.listened((time.time() - 9999, time.time() + 999, True))
        return rows

    def stop(self) -> None:
        """Ends the server, and the calls that go on."""
        super().stop()
        for ending in self._endings:
            ending.cancel()
            ending.join()

    def _ring(self, connection: Connection, seen: Seen) -> None:
        body = json.loads(seen.body)
        if self.lasts is not None:
            with self._lock:
                self.going += 1
                self.most = max(self.most, self.going)
                own = str(body.get("call_id") or body.get("extid"))
                number = body.get("number") or body["callto"]
                Rows(self.store).call(time.time(), number, status=None, direction="out", peer=2424, call_id=own)
            ending = threading.Timer(self.lasts, self._hang_up, (own,))
            self._endings.append(ending)
            ending.start()
        connection.answer("200 OK", b"true")

    def _hang_up(self, own: str) -> None:
        with self._lock:
            self.going -= 1
            end_call(Rows(self.store), own)


def end_call(rows: Rows, call_id: str) -> None:
    now = int(time.time())
    rows.deliver("callend", now, end_of(call_id, now, 5, "200"))


@pytest.fixture
def pbx(alovoice: FrontDoor, profile_store: str) -> Iterator[Pbx]:
    server = Pbx(profile_store)
    point_at(alovoice, server)
    yield server
    server.stop()


@pytest.fixture
def started(alovoice: FrontDoor) -> Iterator[Any]:
    """Starts a batch as a process, and reads what it says until it waits for a line."""
    running: list[subprocess.Popen[bytes]] = []

    def start(*words: str) -> tuple[subprocess.Popen[bytes], list[str]]:
        process = alovoice.start(*words)
        running.append(process)
        assert process.stderr is not None
        told: list[str] = []
        while not told or "waiting for" not in told[-1]:
            line = process.stderr.readline().decode()
            assert line, told
            told.append(line.strip())
        return process, told

    yield start
    for process in running:
        process.kill()
        process.communicate()


def _limit(alovoice: FrontDoor, trunk: int | None, reserve: int | None) -> None:
    for key, value in (("trunk_lines", trunk), ("reserve_lines", reserve)):
        if value is not None:
            assert alovoice("config", "set", key, str(value)).code == 0


def _by_line(*lines: str) -> str:
    rows = [{"to": number, "line": line} for number, line in zip(numbers(len(lines)), lines, strict=True)]
    return "".join(json.dumps(row) + "\n" for row in rows)


# --- with a listener -------------------------------------------------------------------------------------------------


def test_a_row_waits_while_the_trunk_is_full_and_goes_when_a_call_ends(
    alovoice: FrontDoor, pbx: Pbx, started: Any
) -> None:
    _limit(alovoice, 3, 1)
    rows = pbx.listens()
    callers = [rows.call(time.time() - 60, status=None, direction=way) for way in ("inc", "out")]
    write_list(alovoice.home, 2)
    process, told = started(*OUT)
    assert told[1:] == [f"note: waiting for 1 free line of {LINE} (busy: 2 of 3; reserved: 1)"]
    time.sleep(1.5)
    assert pbx.requests == []
    for caller in callers:
        end_call(rows, caller)
    _, err = process.communicate(timeout=90)
    assert (process.returncode, len(pbx.requests)) == (0, 2), err
    assert b"waiting" not in err  # said once


def test_own_calls_never_take_more_than_is_left(alovoice: FrontDoor, pbx: Pbx) -> None:
    _limit(alovoice, 4, 1)
    pbx.listens().call(time.time() - 5, status=None)
    pbx.lasts = 1.0
    write_list(alovoice.home, 6)
    result = alovoice(*OUT, "--jobs", "4")
    assert (result.code, len(pbx.requests), pbx.most) == (0, 6, 2), result.err
    assert result.err.count("waiting for 1 free line of") >= 1


def test_each_trunk_is_counted_by_itself(alovoice: FrontDoor, pbx: Pbx) -> None:
    _limit(alovoice, 2, 1)
    rows = pbx.listens()
    rows.call(time.time() - 60, status=None, line="712037007")
    rows.call(time.time() - 60, status="200", line=LINE)
    rows.call(time.time() - 4 * 3600, status=None, line=LINE, call_id="its-end-was-lost")
    result = alovoice(*IVR, stdin=_by_line(LINE))
    assert (result.code, len(pbx.requests), "waiting" in result.err) == (0, 1, False), result.err


@needs_signals
def test_a_call_that_nobody_told_of_yet_holds_its_line(alovoice: FrontDoor, pbx: Pbx, started: Any) -> None:
    _limit(alovoice, 2, 1)
    pbx.listens()
    assert alovoice("call", "ivr", "--to", "909999999", "--ivr", "222", "--line", LINE).code == 0
    (alovoice.home / "rows.jsonl").write_text(_by_line(LINE), "utf-8")
    process, _ = started("call", "ivr", "--batch", "rows.jsonl", "--ivr", "222", "--night-ok", "--yes")
    process.send_signal(signal.SIGINT)
    assert (process.wait(60), len(pbx.requests)) == (130, 1)
    alovoice.later(minutes=3)
    assert alovoice("call", "ivr", "--batch", "rows.jsonl", "--ivr", "222", "--night-ok", "--yes").code == 0


@FILES_ONLY
def test_a_listener_that_runs_gives_the_line_back_with_the_callend(alovoice: FrontDoor, pbx: Pbx, started: Any) -> None:
    _limit(alovoice, 1, 0)
    listener = alovoice.start("listen", "--port", "0", "--json")
    try:
        assert listener.stdout is not None
        urls = json.loads(listener.stdout.readline())["urls"]
        now = int(time.time())
        start = {"inner_phone": 101, "number": "+998935550000", "line": LINE, "type": "inc", "start_time": now}
        own = httpx.post(urls["callstart"], json=start).text.strip('"')
        assert json.loads(listener.stdout.readline())["type"] == "callstart"
        write_list(alovoice.home, 1)
        process, told = started(*OUT)
        assert told[-1] == f"note: waiting for 1 free line of {LINE} (busy: 1 of 1; reserved: 0)"
        assert pbx.requests == []
        assert httpx.post(urls["callend"], json=end_of(own, now + 3, 3, "200")).status_code == 200
        _, err = process.communicate(timeout=90)
    finally:
        listener.kill()
        listener.communicate()
    assert (process.returncode, len(pbx.requests)) == (0, 1), err


# --- without ---------------------------------------------------------------------------------------------------------


@needs_signals
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_without_a_listener_a_time_is_assumed_and_said_so_and_a_signal_ends_the_wait_at_once(
    alovoice: FrontDoor, pbx: Pbx, started: Any, number: int, code: int
) -> None:
    _limit(alovoice, 2, 1)
    write_list(alovoice.home, 2)
    process, told = started(*OUT)
    assert told[-2:] == [
        "warning: no listener runs for this PBX: it is assumed that each call from this computer uses its line for 2"
        " minutes",
        "note: waiting for 1 free line (busy: 1 of 2; reserved: 1)",
    ]
    process.send_signal(number)
    _, err = process.communicate(timeout=60)  # alone it would wait two minutes
    assert (process.returncode, len(pbx.requests)) == (code, 1)
    assert b"running the same command again continues" in err
    alovoice.later(minutes=3)
    assert alovoice(*OUT).code == 0
    assert len(pbx.requests) == 2


@needs_signals
def test_two_batches_at_once_share_the_lines(alovoice: FrontDoor, pbx: Pbx, started: Any) -> None:
    _limit(alovoice, 6, 1)
    running = []
    for name in ("a.csv", "b.csv"):
        write_list(alovoice.home, 8, name)
        words = [name if word == "clients.csv" else word for word in OUT]
        thread = threading.Thread(
            target=lambda words=words: running.append(started(*words, "--jobs", "4", "--allow-duplicate"))
        )
        thread.start()
        running.append(thread)
    for thread in running[:2]:
        thread.join(60)
    batches = running[2:]
    assert len(batches) == 2
    wait_until(lambda: len(pbx.requests) >= 5, "five requests")
    time.sleep(1.2)  # they look again
    assert len(pbx.requests) == 5
    for process, _ in batches:
        process.send_signal(signal.SIGINT)
    assert [process.wait(60) for process, _ in batches] == [130, 130]


@FILES_ONLY
@needs_signals
@pytest.mark.parametrize("trouble", ["damaged", "locked"])
def test_a_store_that_cannot_be_read_stops_nothing_and_is_warned_of_once(
    alovoice: FrontDoor, pbx: Pbx, started: Any, trouble: str
) -> None:
    _limit(alovoice, 3, 1)
    pbx.listens()
    holder = sqlite3.connect(Rows(pbx.store).path, isolation_level=None)
    if trouble == "damaged":
        holder.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        holder.close()
        Rows(pbx.store).path.write_bytes(b"no database" * 999)
    else:
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("PRAGMA journal_mode = DELETE")
        holder.execute("BEGIN EXCLUSIVE")
    write_list(alovoice.home, 3)
    process, told = started(*OUT)
    holder.close()
    warnings = [line for line in told if "the event store cannot be read" in line]
    assert len(warnings) == 1, told
    assert "busy: 2 of 3" in told[-1]
    assert len(pbx.requests) == 2
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130


@FILES_ONLY
def test_what_was_known_before_the_store_broke_is_believed_for_a_while(
    alovoice: FrontDoor, pbx: Pbx, started: Any
) -> None:
    _limit(alovoice, 2, 1)
    rows = pbx.listens()
    caller = rows.call(time.time() - 60, status=None)
    write_list(alovoice.home, 1)
    process, _ = started(*OUT)
    kept = rows.path.with_name("kept.db")
    rows.path.rename(kept)
    rows.path.write_bytes(b"no database" * 999)
    assert b"the event store cannot be read" in process.stderr.readline()
    time.sleep(1.2)
    assert pbx.requests == []
    kept.rename(rows.path)
    end_call(rows, caller)
    assert process.communicate(timeout=90)[1].count(b"warning") == 0
    assert (process.returncode, len(pbx.requests)) == (0, 1)


def test_two_that_look_at_once_do_not_both_take_the_last_line(store_place: Callable[[str], Path | str]) -> None:
    now, where = time.time_ns() // 1000, store_place("lines.db")

    def take(place: int) -> bool:
        claims = LineClaims(where, "default", HOLD)
        with claims.turn(now) as turn:
            if is_free := count_busy([], [LineClaim(*row) for row in turn.claims], None).on(None)[0] < 3:
                time.sleep(0.01)
                turn.take(LineClaim(str(place), None, 1, now))
        claims.close()
        return is_free

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(take, range(16))) == 3
    other = LineClaims(where, "another PBX", HOLD)
    with other.turn(now) as turn:
        assert turn.claims == []
    with other.turn(now + HOLD + 1) as turn:
        turn.take(LineClaim("17", "998712037006", 2, now))
        assert [our_id for our_id, *_ in turn.claims] == ["17"]
        turn.give_back(turn.take(LineClaim("18", None, 1, now)))
        assert [our_id for our_id, *_ in turn.claims] == ["17"]
    other.close()


@FILES_ONLY
def test_a_damaged_file_of_taken_lines_stops_the_batch(alovoice: FrontDoor, pbx: Pbx) -> None:
    _limit(alovoice, 3, 1)
    (alovoice.home / "state").mkdir(exist_ok=True)
    (alovoice.home / "state" / "lines.db").write_bytes(b"no database" * 999)
    write_list(alovoice.home, 2)
    result = alovoice(*OUT)
    assert (result.code, pbx.connections) == (2, 0)
    assert "lines.db is damaged" in " ".join(result.err.split())


# --- before the first ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trunk", "reserve", "said"),
    [(None, 2, "but trunk_lines is not set"), (2, 2, "no line is left for calls")],
)
def test_limits_that_make_no_sense_stop_before_the_first_and_can_be_overridden(
    alovoice: FrontDoor, pbx: Pbx, trunk: int | None, reserve: int, said: str
) -> None:
    _limit(alovoice, trunk, reserve)
    write_list(alovoice.home, 2)
    for more in ((), ("--dry-run",)):
        result = alovoice(*OUT, *more)
        assert (result.code, pbx.connections) == (2, 0)
        assert said in result.err
        assert "alovoice config set" in result.err
    assert alovoice(*OUT, "--override-limit", "reserve_lines").code == 0
    assert len(pbx.requests) == 2


def test_a_full_trunk_is_no_matter_where_the_limit_is_overridden(alovoice: FrontDoor, pbx: Pbx) -> None:
    _limit(alovoice, 2, 1)
    pbx.listens().call(time.time() - 60, status=None)
    write_list(alovoice.home, 3)
    result = alovoice(*OUT, "--override-limit", "reserve_lines")
    assert (result.code, len(pbx.requests)) == (0, 3), result.err


def test_a_conference_that_could_never_go_is_refused(alovoice: FrontDoor, pbx: Pbx) -> None:
    _limit(alovoice, 2, 1)
    both = json.dumps({"from": "901234567", "to": ["901234568", "901234569"]}) + "\n"
    queue = json.dumps({"from": "901234567", "queue": "6000"}) + "\n"
    result = alovoice(*CONFERENCE, stdin=queue + both)
    assert (result.code, pbx.connections) == (8, 0)
    assert "row 2: a conference needs 2 lines, and only 1 of 2 may be used" in result.err
    assert alovoice(*CONFERENCE, stdin=queue).code == 0
    assert len(pbx.requests) == 1


def test_a_rehearsal_tells_the_limit_and_a_trunk_alone_limits_nothing(alovoice: FrontDoor, pbx: Pbx) -> None:
    write_list(alovoice.home, 3)
    _limit(alovoice, 2, None)
    assert "lines" not in alovoice(*OUT, "--dry-run").err
    assert alovoice(*OUT).code == 0
    _limit(alovoice, 30, 2)
    told = alovoice(*OUT, "--dry-run", "--journal", "other", "--allow-duplicate").err
    assert "each row waits until fewer than 28 of the 30 lines of its trunk are busy" in " ".join(told.split())


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [("trunk_lines", "0", "1 or more"), ("reserve_lines", "-1", "0 or more"), ("reserve_lines", "x", "0 or more")],
)
def test_what_is_no_number_of_lines_is_not_kept(alovoice: FrontDoor, key: str, value: str, said: str) -> None:
    result = alovoice("config", "set", key, "--", value)
    assert (result.code, said in result.err) == (2, True), result.err
