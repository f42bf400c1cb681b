"""`events tail`: the latest events, and those that follow."""

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from event_rows import Rows, ago
from front_door import FrontDoor


def test_a_growing_table_says_where_callers_went_in_a_line_of_80(alovoice: FrontDoor, rows: Rows) -> None:
    kept = {"step": {"action_type": "queue", "action_data": "6000"}, "why": "no rules"}
    rows.deliver("route", ago(minutes=3), {"from_number": "901234567", "line_number": "712037006"}, answer=kept)
    rows.deliver("result", ago(minutes=2), [{"id": 1, "dialstatus": "ANSWER"}, {"id": 2, "dialstatus": "BUSY"}])
    told = alovoice("events", "tail", terminal=True).out.splitlines()
    assert [line.split("  ")[-1].strip() for line in told] == ["What", "queue 6000", "ANSWER (+1)"]
    assert max(map(len, told)) <= 80


def test_tail_prints_a_line_an_event_and_follows(alovoice: FrontDoor, rows: Rows) -> None:
    for number in range(3):
        rows.deliver("callend", ago(minutes=9), {"call_id": number})
    result = alovoice("events", "tail", "-n", "2")
    assert [json.loads(line)["seq"] for line in result.out.splitlines()] == [2, 3]
    with _following(alovoice, "--type", "callend") as process:
        assert _line(process)["seq"] == 3
        rows.deliver("callstart", ago(seconds=0), {"number": "901234567"})
        rows.deliver("callend", ago(seconds=0), {"call_id": "x"})
        assert _line(process)["seq"] == 5
    assert process.returncode == 143
    shown = alovoice("events", "tail", terminal=True)
    assert [line.split()[0] for line in shown.out.splitlines()] == ["Event", "e1", "e2", "e3", "e4", "e5"]


def test_tail_waits_for_what_the_writer_has_yet_to_say(alovoice: FrontDoor, rows: Rows) -> None:
    rows.deliver("callend", ago(minutes=9), {"call_id": "old"})
    with _following(alovoice, "--where", "status = 486 or event_call_id = old") as process:
        assert _line(process)["event_call_id"] == "old"
        late = rows.deliver("callend", ago(seconds=0), {"call_id": "c", "status_code": 486}, is_read=False)
        rows.deliver("callend", ago(seconds=0), {"call_id": "d", "status_code": 486})
        time.sleep(1)
        _derive(rows, late)
        assert [_line(process)["event_call_id"] for _ in "ab"] == ["c", "d"]


def _derive(rows: Rows, event: Any) -> None:
    from alovoice_cli.stores.event_engine import opened, writing
    from alovoice_cli.stores.event_rows import insert_events

    with opened(rows.url) as connection, writing(connection):
        insert_events(connection, [event], {})


@contextmanager
def _following(alovoice: FrontDoor, *words: str) -> Iterator["subprocess.Popen[bytes]"]:
    """`tail -f` from the latest event on; ended at the end, or when nothing comes for too long."""
    with alovoice.start("events", "tail", "-f", "-n", "1", *words) as process:
        patience = threading.Timer(60, process.kill)
        patience.start()
        try:
            yield process
        finally:
            patience.cancel()
            process.terminate()
            process.wait(60)  # before its pipe is closed: a reader who leaves is another exit code


def _line(process: "subprocess.Popen[bytes]") -> Any:
    assert process.stdout is not None
    return json.loads(process.stdout.readline())
