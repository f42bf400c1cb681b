"""What `events trigger` and `certify` make up is marked, kept, passed on with its mark, and left out of the history."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from event_rows import Rows
from front_door import FrontDoor
from waiting import wait_until

from alovoice_cli.events.event import TRIAL_HEADER

from .conftest import START, Handler, Listening

Listen = Callable[..., Listening]
REAL, MADE_UP = "998901234567", "998001234567"
MARK = ((TRIAL_HEADER, "1"),)


def _listed(alovoice: FrontDoor, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(alovoice("events", *words, "--json").out)
    return found


def test_a_listener_keeps_a_trial_and_passes_it_on_with_its_mark(
    listen: Listen, alovoice: FrontDoor, crm: Handler
) -> None:
    crm.answer = lambda _: (200, b"77")
    ran = alovoice.home / "ran"
    program = alovoice.home / "program"
    program.write_text(f'#!/bin/sh\necho "$ALOVOICE_EVENT_TYPE $ALOVOICE_EVENT_TRIAL" >> {ran}\n')
    program.chmod(0o700)
    listening = listen("--forward", f"callstart={crm.url}", "--forward", f"call={crm.url}", "--exec", str(program))
    words = ("--scenario", "answered", "--to", listening.urls["callstart"])
    assert alovoice("events", "trigger", *words).code == 0
    trials = [listening.event(60) for _ in range(2)]
    assert [event["trial"] for event in trials] == [True] * 2
    told = crm.wait(2, 60)
    assert [(headers["x-alovoice-type"], headers[TRIAL_HEADER]) for headers, _ in told] == [
        ("callstart", "1"),
        ("call", "1"),
    ]
    assert json.loads(told[1][1])["trial"] is True
    listening.post("callstart", START)
    assert "trial" not in listening.event(60)
    assert TRIAL_HEADER not in crm.wait(3, 60)[2][0]
    wait_until(lambda: ran.exists() and len(ran.read_text().splitlines()) >= 3, "what three programs wrote")
    listening.stop()
    assert sorted(ran.read_text().splitlines()) == ["callend 1", "callstart ", "callstart 1"]
    assert [event["body"]["number"] for event in _listed(alovoice, "list")] == ["+998901234567"]
    shown = alovoice("events", "list", "--with-trials", "--columns", "said", "--no-headers").out
    assert [line.endswith(" (trial)") for line in shown.splitlines()] == [False, True, True]
    kept = _listed(alovoice, "list", "--with-trials")
    assert [event.get("trial", False) for event in kept] == [False, True, True]


@pytest.fixture
def rows(alovoice: FrontDoor) -> Rows:
    """One missed call of a person, and two made-up calls: one with the person's number, one with nobody's."""
    rows = Rows(alovoice.home / "state" / "events.db")
    now = time.time()
    rows.call(now - 9000, REAL, status="304", duration=0, call_id="person")
    rows.call(now - 8900, MADE_UP, status=None, call_id="nobody")
    start = {"inner_phone": 101, "number": REAL, "line": "712037006", "type": "inc", "start_time": int(now - 8800)}
    rows.deliver("callstart", now - 8800, start, call_id="marked", headers=MARK)
    rows.deliver("callend", now - 8700, {"call_id": "marked", "status_code": 200, "duration": 9}, headers=MARK)
    rows.deliver("route", now - 8600, {"from_number": REAL}, headers=MARK)
    return rows


@pytest.mark.parametrize(
    ("words", "without", "with_trials"),
    [
        (("list", "--limit", "0"), 2, 6),
        (("list", "--number", REAL), 2, 5),
        (("list", "--since", "1d", "--type", "callstart"), 1, 3),
        (("list", "--where", "status = 200"), 0, 1),
        (("gaps",), 0, 1),
        (("missed", "--not-returned"), 1, 0),
        (("stats", "--by", "status"), 1, 3),
        (("stats", "--by", "rule"), 0, 1),
    ],
)
def test_the_history_leaves_trials_out_unless_asked_for(
    alovoice: FrontDoor, rows: Rows, words: tuple[str, ...], without: int, with_trials: int
) -> None:
    rows.listened((time.time() - 9999, time.time(), False))
    assert len(_listed(alovoice, *words)) == without
    assert len(_listed(alovoice, *words, "--with-trials")) == with_trials


@pytest.mark.parametrize("verb", ["tail", "export"])
def test_streams_leave_trials_out_too(alovoice: FrontDoor, rows: Rows, verb: str) -> None:
    assert alovoice("events", verb, "--json").out.count("\n") == 2
    assert alovoice("events", verb, "--json", "--with-trials").out.count('"trial"') == 4


def test_a_trial_changes_no_call_of_a_person_and_is_shown_by_its_id(alovoice: FrontDoor, rows: Rows) -> None:
    end = {"call_id": "person", "status_code": 200, "duration": 99}
    trial = rows.deliver("callend", time.time(), end, headers=MARK)
    (missed,) = _listed(alovoice, "missed")
    assert (missed["event_call_id"], missed["status"], missed["returned"]) == ("person", "304", None)
    assert alovoice("events", "show", trial.delivery.id).code == 0
    rows.deliver("callend", time.time(), {"call_id": "nobody", "status_code": 486, "duration": 0})  # its mark was lost
    rows.deliver("callend", time.time(), {"call_id": "marked", "status_code": 480, "duration": 0})
    assert [row["group"] for row in _listed(alovoice, "stats", "--by", "status")] == ["304", "480"]


def test_rules_do_not_ask_trials_for_a_caller_s_past(alovoice: FrontDoor, rows: Rows) -> None:
    rules = 'fallback = { queue = "1" }\n[[rule]]\nname = "back"\nwhen = { spoke_within = "1d" }\n'
    (alovoice.home / "rules.toml").write_text(rules + 'then = { peer = "@last_peer" }\n')
    asked = ("route", "test", "rules.toml", "--from", REAL, "--json")
    assert json.loads(alovoice(*asked).out)["rule"] is None


def test_a_trial_that_is_replayed_stays_one(alovoice: FrontDoor, rows: Rows, crm: Handler) -> None:
    words = ("events", "replay", "--to", crm.url, "--type", "callstart,callend")
    assert alovoice(*words).code == 0
    assert [headers.get(TRIAL_HEADER) for headers, _ in crm.seen] == [None, None]
    crm.seen.clear()
    assert alovoice(*words, "--with-trials").code == 0
    assert [headers.get(TRIAL_HEADER) for headers, _ in crm.seen] == [None, None, None, "1", "1"]
    assert alovoice("events", "replay", "e1", "--with-trials", "--to", crm.url).code == 0
    assert alovoice("events", "replay", "--with-trials", "--to", crm.url).code == 2
