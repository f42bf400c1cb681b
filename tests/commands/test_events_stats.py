"""`events stats`, `missed` and `gaps`: what calls add up to, and where they are not known."""

import re
from datetime import UTC, datetime

from event_output import events_json, tsv_rows
from event_rows import Rows, ago
from front_door import FrontDoor


def test_statistics_split_what_was_missed_by_its_reason(alovoice: FrontDoor, rows: Rows) -> None:
    for status in ("200", "200", "304", "480", "486", "603", "603-S", None, "404"):
        rows.call(ago(seconds=30), status=status, duration=10)
    rows.call(ago(days=20), status="200")
    (line,) = events_json(alovoice, "stats", "--by", "line")
    assert line == {
        "group": "998712037006",
        "calls": 9,
        "answered": 2,
        "missed": 5,
        "missed_by_reason": {"304": 1, "480": 1, "486": 1, "603": 1, "603-S": 1},
        "other": 1,
        "open": 1,
        "talk_seconds": 20,
        "by": "line",
    }
    assert len(events_json(alovoice, "stats", "--since", "all")) == 2
    result = alovoice("events", "stats", "--by", "line")
    assert tsv_rows(result.out)[0] | {"group": "x"} == {
        "group": "x",
        "calls": "9",
        "answered": "2",
        "other": "1",
        "open": "1",
        "talk_seconds": "20",
        **dict.fromkeys(("304", "480", "486", "603", "603-S"), "1"),
    }
    assert (
        "not answered (304): 1, unavailable (480): 1, busy (486): 1, declined (603): 1, hung up (603-S): 1"
        in result.err
    )
    assert [row["calls"] for row in events_json(alovoice, "stats", "--by", "status")] == [2, 1, 1, 1, 1, 1, 1, 1]


def test_days_are_the_profiles_days(alovoice: FrontDoor, rows: Rows) -> None:
    rows.call(datetime(2025, 4, 24, 19, 30, tzinfo=UTC))
    rows.call(datetime(2025, 4, 24, 18, 30, tzinfo=UTC))
    assert [row["group"] for row in events_json(alovoice, "stats", "--since", "all")] == ["2025-04-24", "2025-04-25"]
    hours = events_json(alovoice, "stats", "--by", "hour", "--since", "2025-04-25", "--until", "2025-04-25")
    assert [row["group"] for row in hours] == ["2025-04-25 00:00"]
    alovoice("config", "set", "timezone", "UTC")
    assert [row["group"] for row in events_json(alovoice, "stats", "--since", "all")] == ["2025-04-24"]
    assert [row["group"] for row in events_json(alovoice, "stats", "--until", "2025-04-24")] == ["2025-04-24"]


def test_a_chart_loses_no_number_at_80_columns(alovoice: FrontDoor, rows: Rows) -> None:
    for number in range(12):
        rows.call(ago(seconds=30), status="200" if number % 2 else "486", duration=11111, peer=10**30 + number % 3)
    for by in ("day", "hour", "line", "peer", "status"):
        result = alovoice("events", "stats", "--by", by, terminal=True, environ={"NO_COLOR": "1"})
        assert max(map(len, result.out.splitlines())) <= 80
        cells = (
            sum(int(line.split()[-3 if by == "status" else 1]) for line in _counted(result.out)) if by == "day" else 12
        )
        assert cells == 12
        assert "█" in result.out
        assert "█ answered, ▒ missed" in result.err
    assert "18 h 31 min" in alovoice("events", "stats", terminal=True).out
    plain = alovoice("events", "stats", terminal=True, encoding="ascii").out
    assert "#=" in plain or "#" in plain


def _counted(table: str) -> list[str]:
    return [line for line in table.splitlines() if re.match(r"\d\d-\d\d ", line)]


def test_route_questions_are_counted_by_the_rule_that_decided(alovoice: FrontDoor, rows: Rows) -> None:
    for rule in ("vip", "vip", None):
        rows.deliver("route", ago(minutes=3), {"from_number": "1"}, rule=rule)
    counted = events_json(alovoice, "stats", "--by", "rule")
    assert [(row["group"], row["calls"]) for row in counted] == [("vip", 2), ("no rule", 1)]
    assert alovoice("events", "stats", "--by", "rule").out == "group\tcalls\nvip\t2\nno rule\t1\n"


def test_calls_missed_within_a_second_are_told_the_latest_first(alovoice: FrontDoor, rows: Rows) -> None:
    moment = int(ago(minutes=5))
    for number in ("901111111", "902222222"):
        rows.call(moment, number, status="304", duration=0)
    assert [call["number"] for call in events_json(alovoice, "missed")] == ["998902222222", "998901111111"]


def test_missed_calls_leave_when_the_caller_was_talked_to(alovoice: FrontDoor, rows: Rows) -> None:
    rows.call(ago(minutes=50), "901111111", status="486")  # called back, by another line
    rows.call(ago(minutes=49), "902222222", status="304")  # called again
    rows.call(ago(minutes=48), "903333333", status="603-S")  # tried twice, once by each side
    rows.call(ago(minutes=47), "904444444", status="486", direction="out")  # not inbound
    rows.call(ago(minutes=40), "901111111", direction="out", line="712037009")
    rows.call(ago(minutes=39), "902222222", line="712037007")
    rows.call(ago(minutes=38), "903333333", status="486", direction="out")
    rows.call(ago(minutes=37), "903333333", status="480")
    assert [row["number"] for row in events_json(alovoice, "missed")] == [
        *("998903333333", "998903333333", "998902222222", "998901111111"),
    ]
    (waiting,) = events_json(alovoice, "missed", "--not-returned")
    assert (waiting["number"], waiting["status"], waiting["reason"]) == ("998903333333", "480", "unavailable")
    assert [row["number"] for row in events_json(alovoice, "missed", "--not-returned", "--line", "712037006")] != []
    assert events_json(alovoice, "missed", "--not-returned", "--number", "901111111") == []
    result = alovoice("events", "missed")
    assert (
        "4 missed calls (not answered (304): 1, unavailable (480): 1, busy (486): 1, hung up (603-S): 1)" in result.err
    )
    assert "1 caller not contacted yet" in result.err
    assert [row["returned"].split()[0] for row in tsv_rows(result.out)[2:]] == ["again", "back"]


def test_gaps_are_times_without_a_listener_and_calls_without_an_end(alovoice: FrontDoor, rows: Rows) -> None:
    rows.listened((ago(hours=9), ago(hours=8), True), (ago(hours=7), ago(hours=1), False))
    rows.call(ago(hours=5), status=None, call_id="lost")
    rows.call(ago(minutes=5), status=None, call_id="may go on")
    found = events_json(alovoice, "gaps")
    assert [row["what"] for row in found] == ["no listener", "no end", "no listener"]
    assert (found[0]["end_utc"], found[1]["event_call_id"]) == (None, "lost")
    assert 3590 < found[2]["seconds"] < 3610
    last = alovoice("events", "gaps").err.splitlines()[-1]
    assert "gap" in last
    assert "no listener since" in last
