"""The books balance: a virtual day of the sandbox, and what a real listener has of it."""

import json
from collections import Counter
from typing import Any

import pytest
from day import Books, calling, listening, phone, play, talk_seconds
from front_door import FrontDoor
from strength import rounds

from alovoice_cli.events.event import MISSED_STATUSES, Call
from alovoice_cli.routing.step import RouteStep
from alovoice_cli.stores.pbx_traffic import CallAccount

pytestmark = pytest.mark.usefixtures("profile_store")

CHAOS = "dup=10%,late=10%,reorder=10%"


def test_a_day_is_in_the_store_whole_and_every_report_agrees_with_it(alovoice: FrontDoor) -> None:
    with listening(alovoice, "--fallback", "queue:6000") as heard:
        books = play(alovoice, heard, "--inbound", "5/h", "--speed", "1000000", "--seed", "7", "--chaos", CHAOS)
        check_all(alovoice, books)


RULES = """\
fallback = { queue = "6000" }

[[rule]]
name = "қора рўйхат"
when = { from = "99897*" }
then = { hangup = true }

[[rule]]
name = "доставка"
when = { line = "712037006" }
then = { peer = "2003" }

[[rule]]
name = "back to whom they spoke with"
when = { spoke_within = "1h" }
then = { peer = "@last_peer" }
"""


def test_the_callers_of_a_day_go_where_the_rules_say(alovoice: FrontDoor) -> None:
    (alovoice.home / "rules.toml").write_text(RULES, "utf-8")
    with listening(alovoice, "--rules", "rules.toml") as heard:
        books = play(alovoice, heard, "--inbound", "7/h", "--speed", "1000000", "--seed", "5")
        counted = {row["group"]: row["calls"] for row in _json(alovoice, "stats", "--by", "rule")}
    every_caller_was_sent_somewhere(books)
    steps: dict[str, list[str]] = {}
    for course in (account.course for account in books.accounts if account.kind == "inbound"):
        rule = "қора рўйхат" if course.number.startswith("+99897") else course.line
        steps.setdefault("доставка" if rule == "712037006" else rule, []).append(course.step)
        if course.step.startswith("peer:"):
            assert course.went_to == course.step.removeprefix("peer:")
    assert set(steps.pop("қора рўйхат")) == {"hangup"}
    assert set(steps["доставка"]) == {"peer:2003"}
    assert counted["доставка"] == len(steps.pop("доставка"))
    others = Counter(step for sent in steps.values() for step in sent)
    assert others["queue:6000"] == counted["no rule"] > 0
    assert counted["back to whom they spoke with"] == others.total() - counted["no rule"] > 0
    declined = {account.course.status_code for account in books.accounts if account.course.step == "hangup"}
    assert declined == {"603"}


@pytest.mark.parametrize("seed", [str(3 + number) for number in range(rounds(1))])
def test_a_call_that_was_asked_for_is_told_from_its_request_to_its_result(alovoice: FrontDoor, seed: str) -> None:
    with (
        listening(alovoice) as heard,
        calling(alovoice, heard.base, "--token", "t0k", "--speed", "100000", "--seed", seed) as pbx,
    ):
        assert pbx.stdout is not None
        alovoice.environ |= {"ALOVOICE_TOKEN": "t0k", "ALOVOICE_BASE_URL": json.loads(pbx.stdout.readline())["url"]}
        for words in (
            ("conference", "--from", "712037006", "--to", "994412860:ru", "--to", "977076909:uz", "--extid", "123123"),
            ("ivr", "--to", "998765432", "--ivr", "222", "--line", "712037006"),
            ("out", "--from", "2424", "--to", "901234567"),
        ):
            assert alovoice("call", *words, "--yes").code == 0
        heard.lines(9)
    books = Books.of(alovoice)
    assert not any(account.imbalance for account in books.accounts)
    by_key = {account.key: account for account in books.accounts}
    for receipt in json.loads(alovoice("call", "receipts", "list", "--json").out):
        shown = _json(alovoice, "show", receipt["receipt"])
        assert [event["type"] for event in shown["events"]] == ["callstart", "callend", "result"]
        assert shown["call"]["event_call_id"] == by_key[receipt["our_id"]].course.call_id
        for event in shown["events"]:
            assert _json(alovoice, "show", event["id"])["events"] == shown["events"]


def check_all(alovoice: FrontDoor, books: Books) -> None:
    assert {account.kind for account in books.accounts} == {"inbound", "outbound", "internal", "conference"}
    every_message_is_stored_as_it_was_sent(books)
    each_call_has_its_start_end_and_result_once(books)
    repetitions_are_marked_and_answered_alike(books)
    every_caller_was_sent_somewhere(books)
    the_table_of_calls_joins_each(books)
    the_statistics_agree(alovoice, books)
    who_was_missed_agrees(alovoice, books)


def every_message_is_stored_as_it_was_sent(books: Books) -> None:
    stored = Counter((event.delivery.type, event.delivery.body) for event in books.events)
    assert stored == Counter((one.type, one.body) for one in books.sent)
    assert not [event.problem for event in books.events if event.problem]


def each_call_has_its_start_end_and_result_once(books: Books) -> None:
    courses = [account.course for account in books.accounts]
    starts = Counter((one.fact.number, one.fact.direction, one.fact.started_at) for one in books.told("callstart"))
    assert starts == Counter((phone(one.number), one.type, one.started_at) for one in courses)
    ends = Counter((one.fact.call_id, one.fact.status, one.fact.ended_at) for one in books.told("callend"))
    assert ends == Counter((one.call_id, one.status_code, one.ended_at) for one in courses)
    results = Counter((one.fact.external_id, one.fact.started_at, one.fact.ended_at) for one in books.told("result"))
    asked = [account for account in books.accounts if account.kind == "conference"]
    assert results == Counter((one.key, one.course.started_at, one.course.ended_at) for one in asked)
    assert {*starts.values(), *ends.values(), *results.values()} == {1}


def repetitions_are_marked_and_answered_alike(books: Books) -> None:
    by_id = {event.delivery.id: event for event in books.events}
    again = [event for event in books.events if event.duplicate_of is not None]
    assert len(again) == sum(one.note == "dup" for one in books.sent) > 0
    for event in again:
        first = by_id[event.duplicate_of or ""]
        assert first.delivery.seq < event.delivery.seq
        assert (first.delivery.type, first.delivery.body) == (event.delivery.type, event.delivery.body)
    for account in books.accounts:
        ids = {one.answer for one in account.deliveries if one.type == "callstart"}
        assert ids == {(account.course.call_id or "").encode()}
    taken = {one.answer for one in books.sent if one.type in ("callend", "result")}
    assert taken == {b"true"}


def every_caller_was_sent_somewhere(books: Books) -> None:
    asked = [one for account in books.accounts for one in account.deliveries if one.type == "route"]
    steps = [RouteStep.from_wire(json.loads(one.answer)) for one in asked]
    assert len(steps) == sum(account.kind == "inbound" for account in books.accounts)
    assert [account.course.step for account in books.accounts if account.kind == "inbound"] == list(map(str, steps))
    kept = [RouteStep.from_wire(event.answer["step"]) for event in books.told("route")]
    assert Counter(map(str, kept)) == Counter(map(str, steps))


def the_table_of_calls_joins_each(books: Books) -> None:
    assert {call_id: _essence(call) for call_id, call in books.calls.items()} == {
        account.course.call_id: _expected(account) for account in books.accounts
    }


def _essence(call: Call) -> tuple[object, ...]:
    times = (call.started_at, call.ended_at, call.duration)
    return (call.direction, call.number, call.line, call.peer, call.status, *times, call.pbx_call_id)


def _expected(account: CallAccount) -> tuple[object, ...]:
    course, talked = account.course, talk_seconds(account)
    times = (course.started_at, course.ended_at, talked)
    who = (course.type, phone(course.number), phone(course.line), str(course.inner_phone))
    return (*who, course.status_code, *times, str(account.id) if talked > 0 else None)


def the_statistics_agree(alovoice: FrontDoor, books: Books) -> None:
    for by, name in (("line", "line"), ("peer", "inner_phone"), ("status", "status_code")):
        expected: dict[str, list[CallAccount]] = {}
        for account in books.accounts:
            value = str(getattr(account.course, name))
            group = phone(value) if by == "line" else value
            expected.setdefault(group or "none", []).append(account)
        counted = {row.pop("group"): row for row in _json(alovoice, "stats", "--by", by)}
        assert {group: row | {"by": by} for group, row in counted.items()} == {
            group: _tally(accounts) | {"by": by} for group, accounts in expected.items()
        }
    (hours, days) = (_json(alovoice, "stats", "--by", by) for by in ("hour", "day"))
    whole = _tally(books.accounts)
    for name in ("calls", "answered", "missed", "other", "open", "talk_seconds"):
        assert sum(row[name] for row in hours) == sum(row[name] for row in days) == whole[name]
    assert [row["calls"] for row in _json(alovoice, "stats", "--by", "rule")] == [len(books.told("route"))]


def _tally(accounts: list[CallAccount]) -> dict[str, Any]:
    missed = Counter(
        account.course.status_code
        for account in accounts
        if account.course.type == "inc" and account.course.status_code in MISSED_STATUSES
    )
    answered = sum(account.course.status_code == "200" for account in accounts)
    return {
        "calls": len(accounts),
        "answered": answered,
        "missed": missed.total(),
        "missed_by_reason": dict(missed),
        "other": len(accounts) - answered - missed.total(),
        "open": 0,
        "talk_seconds": sum(map(talk_seconds, accounts)),
    }


def who_was_missed_agrees(alovoice: FrontDoor, books: Books) -> None:
    """The PBX's own account, read in the order in which it told of its calls."""
    order = {one.body: one.id for one in reversed(books.sent) if one.type == "callstart"}
    told = sorted(
        books.accounts, key=lambda account: min(order[one.body] for one in account.deliveries if one.body in order)
    )
    expected: dict[str | None, str | None] = {}
    for place, account in enumerate(told):
        course = account.course
        if course.type == "inc" and course.status_code in MISSED_STATUSES:
            later = (one.course for one in told[place + 1 :] if one.course.number == course.number)
            talked = next((one for one in later if one.status_code == "200"), None)
            how = {"inc": "called again", "out": "called back"}
            expected[course.call_id] = how[talked.type] if talked else None
    assert {row["event_call_id"]: row["returned"] for row in _json(alovoice, "missed", "--limit", "0")} == expected
    assert {*expected.values()} == {"called again", "called back", None}
    waiting = {one.course.number for one in told if expected.get(one.course.call_id, "answered") is None}
    open_rows = _json(alovoice, "missed", "--not-returned", "--limit", "0")
    assert sorted(row["number"] for row in open_rows) == sorted(number.lstrip("+") for number in waiting)


def _json(alovoice: FrontDoor, *words: str) -> Any:
    result = alovoice("events", *words, "--json")
    assert result.code == 0, result.err
    return json.loads(result.out)
