"""Which lines are busy, of made-up requests and calls."""

from dataclasses import replace
from typing import Any

import pytest

from alovoice_cli.batch.call_evidence import PlacedCall
from alovoice_cli.batch.pacing import (
    LONGEST_CALL,
    BusyLines,
    HeardCalls,
    LineClaim,
    LineLimit,
    count_busy,
    heard_from,
    need_of,
)
from alovoice_cli.batch.pacing import why_closed as why
from alovoice_cli.batch_rows import BatchRow
from alovoice_cli.events.coverage import Uptime
from alovoice_cli.events.event import Call
from alovoice_cli.phones import SHORTEST

T0 = 1_764_000_000
MICRO = 1_000_000
NOW = T0 * MICRO
LINE, OTHER = "998712037006", "998712037007"
ANNA, BOB, CLARA = "998901234567", "998901234568", "998901234569"


def _asked(*numbers: str, kind: Any = "ivr", at: float = T0, **more: Any) -> PlacedCall:
    line = LINE if kind == "ivr" else None
    return PlacedCall(
        f"R-{at}", kind, "17", numbers or (ANNA,), round(at * MICRO), "done", more.pop("line", line), **more
    )


def _call(number: str = ANNA, *, ended: bool = False, at: int = T0, call_id: str = "c", **more: Any) -> Call:
    more = {"line": LINE, "direction": "out", **more}
    return Call(f"{call_id}{number}", at, number, end_seq=9 if ended else None, **more)


def _busy(
    asked: list[PlacedCall], heard: HeardCalls | None = None, claims: tuple[LineClaim, ...] = (), line: str = LINE
) -> int:
    return count_busy(asked, claims, heard).on(line)[0]


def test_a_call_from_here_holds_its_line_until_it_is_heard_of_and_then_until_its_end() -> None:
    assert _busy([_asked()]) == 1
    assert _busy([_asked()], HeardCalls({})) == 1
    assert _busy([_asked()], HeardCalls({LINE: 1}, [_call()])) == 1
    assert _busy([_asked()], HeardCalls({}, [_call(ended=True)])) == 0
    assert _busy([_asked()], line=OTHER) == 0


@pytest.mark.parametrize(
    "call",
    [_call(BOB), _call(direction="inc"), _call(at=T0 - 60), _call(line=OTHER)],
    ids=["whom", "way", "time", "line"],
)
def test_another_ones_call_does_not_give_its_line_back(call: Call) -> None:
    assert _busy([_asked()], HeardCalls({}, [call])) == 1


def test_one_call_answers_for_one_request_only() -> None:
    twice = [_asked(at=T0), _asked(at=T0 + 1)]
    assert _busy(twice, HeardCalls({}, [_call(ended=True)])) == 1
    assert _busy(twice, HeardCalls({}, [_call(ended=True), _call(ended=True, call_id="d", at=T0 + 1)])) == 0


def test_what_was_refused_or_never_left_holds_nothing() -> None:
    for outcome, held in (("refused", 0), ("unsent", 0), ("unknown", 1), ("done", 1)):
        request = PlacedCall("R-1", "ivr", "17", (ANNA,), NOW, outcome, LINE)
        assert _busy([request]) == held


def test_a_call_by_no_named_line_counts_on_each_and_waits_for_the_busiest() -> None:
    busy = count_busy([_asked(kind="out")], (), HeardCalls({LINE: 3, OTHER: 5, None: 1}))
    assert (busy.on(LINE), busy.on(OTHER), busy.on(None)) == ((5, LINE), (7, OTHER), (7, OTHER))
    assert count_busy([], (), None).on(None) == (0, "")


def test_a_conference_holds_a_line_for_who_begins_and_one_for_whoever_is_rung_in_turn() -> None:
    conference = _asked(ANNA, BOB, CLARA, kind="conference")
    assert _busy([conference]) == 2
    assert _busy([_asked(ANNA, kind="conference")]) == 1  # with a queue, which is inside
    assert _busy([_asked("101", BOB, kind="conference")]) == 1  # begun by an extension
    assert _busy([conference], HeardCalls({LINE: 1}, [_call(ANNA)])) == 2
    assert _busy([conference], HeardCalls({LINE: 1}, [_call(ANNA), _call(BOB, ended=True)])) == 2
    assert _busy([conference], HeardCalls({LINE: 2}, [_call(ANNA), _call(BOB, ended=True), _call(CLARA)])) == 2
    assert _busy([conference], HeardCalls({}, [_call(ANNA, ended=True)])) == 0


def test_a_claim_counts_until_the_ledger_has_its_request_and_each_request_is_of_one() -> None:
    claims = (LineClaim("17", LINE, 1, NOW - 5), LineClaim("17", LINE, 1, NOW - 3))
    assert _busy([], claims=claims) == 2
    assert _busy([_asked()], claims=claims) == 2
    assert _busy([_asked(), _asked(at=T0 + 1)], claims=claims) == 2
    refused = PlacedCall("R-1", "ivr", "17", (ANNA,), NOW, "refused", LINE)
    assert _busy([refused], claims=claims[:1]) == 0
    assert _busy([refused], claims=(LineClaim("17", LINE, 1, NOW + 1),)) == 1


def test_what_a_row_needs_is_read_from_what_it_says() -> None:
    party = {"phone": "901234567"}
    assert need_of(BatchRow("k", 2, {"number": ANNA, "inner_phone": "101"})) == (None, 1)
    assert need_of(BatchRow("k", 2, {"callto": ANNA, "fromline": "712037006"})) == (LINE, 1)
    assert need_of(BatchRow("k", 2, {"callfrom": party, "callto": [party, party]})) == (None, 2)
    assert need_of(BatchRow("k", 2, {"callfrom": party, "queue": "6000"})) == (None, 1)


def test_calls_without_an_end_are_believed_for_a_shorter_time_over_a_gap() -> None:
    hour = 3600 * MICRO
    assert heard_from([], NOW) is None
    assert heard_from([Uptime(NOW - 9 * hour, NOW - MICRO)], NOW) == NOW - LONGEST_CALL
    assert heard_from([Uptime(NOW - 9 * hour, NOW - 60 * MICRO)], NOW) is None
    assert heard_from([Uptime(NOW - 9 * hour, NOW - MICRO, NOW - MICRO)], NOW) is None
    back = [Uptime(NOW - 9 * hour, NOW - 2 * hour, NOW - 2 * hour)]
    assert heard_from([*back, Uptime(NOW - MICRO, NOW)], NOW) == NOW - hour
    assert heard_from([*back, Uptime(NOW - 3 * hour // 2, NOW)], NOW) == NOW - 3 * hour // 2


def test_why_there_is_no_line() -> None:
    assert why(28, LINE, 1, LineLimit(30, 2)) == ("waiting for 1 free line of 712037006 (busy: 28 of 30; reserved: 2)")
    assert why(1, "", 2, LineLimit(2, 1)) == "waiting for 2 free lines (busy: 1 of 2; reserved: 1)"
    assert why(3, "100", 1, LineLimit(3, 0)) == "waiting for 1 free line of 100 (busy: 3 of 3; reserved: 0)"


def test_what_batches_leave_free_is_not_usable() -> None:
    assert LineLimit(30, 2).usable == 28


def test_of_several_trunks_the_busiest_counts_for_a_row_that_names_none() -> None:
    assert BusyLines({LINE: 5, OTHER: 1}).on(None) == (5, LINE)
    assert BusyLines({LINE: 1, OTHER: 5}, anywhere=1).on(None) == (6, OTHER)


def test_a_trunk_whose_calls_are_all_heard_of_and_over_is_not_busy() -> None:
    assert count_busy([_asked()], (), HeardCalls({}, [_call()])).on(None) == (0, "")


@pytest.mark.parametrize(
    ("line", "shown"), [("998712037006", "712037006"), ("9981", "9981"), ("99871203700", "99871203700")]
)
def test_a_trunk_is_named_without_the_code_of_the_country_if_it_has_one(line: str, shown: str) -> None:
    assert f"line of {shown} " in why(28, line, 1, LineLimit(30, 2))


def test_a_request_that_rang_nobody_hides_none_that_came_after_it() -> None:
    assert _busy([replace(_asked(at=T0), outcome="unsent"), _asked(at=T0 + 1)]) == 1


def test_a_number_of_the_shortest_length_is_outside() -> None:
    assert count_busy([_asked("9" * SHORTEST, kind="conference")], (), None).on(None)[0] == 1
    assert count_busy([_asked("9" * (SHORTEST - 1), kind="conference")], (), None).on(None)[0] == 0


def test_of_two_claims_of_one_id_the_earlier_one_is_the_request_that_is_in_the_ledger() -> None:
    claims = (LineClaim("17", OTHER, 1, NOW - 2), LineClaim("17", LINE, 1, NOW - 1))
    asked = [replace(_asked(), line=None)]
    assert count_busy(asked, claims, None).lines == {LINE: 1}
    assert count_busy(asked, claims[::-1], None).lines == {LINE: 1}


def test_a_request_of_the_very_moment_of_the_claim_covers_it() -> None:
    assert _busy([_asked()], None, (LineClaim("17", LINE, 1, NOW),)) == 1
