"""Decisions: first match wins, a caller stays on their side, the past is asked once, and there is always a step."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from route_cases import BODIES, FALLBACK, ISSUE, NOON, rules_of, rules_texts
from strength import examples

from alovoice_cli.routing.call import Question, UnreadableQuestionError
from alovoice_cli.routing.engine import answer, decide
from alovoice_cli.routing.history import CountedTurns, GivenHistory
from alovoice_cli.routing.step import RouteStep

ASKED = Question("974244100", "712037006", "", "inc")
BODY = b'{"from_number": 974244100, "line_number": "712037006", "queue_number": 6000, "direction": "inc"}'


def _rule(name: str, when: str, then: str = 'queue = "1"') -> str:
    return f'[[rule]]\nname = "{name}"\nwhen = {{ {when} }}\nthen = {{ {then} }}\n'


@examples(25)
@given(
    rules_texts(), st.sampled_from(["901234567", "998712000000", "2424", "123456789012", ""]), st.integers(0, 10_079)
)
def test_the_first_rule_that_would_match_alone_is_the_one_that_decides(text: str, caller: str, minute: int) -> None:
    head, *rules = text.split("[[rule]]")
    question, now = Question(caller, "712037006", "6000", "inc"), NOON + timedelta(minutes=minute)
    alone = [decide(rules_of(f"{head}[[rule]]{rule}"), question, now).rule for rule in rules]
    decision = decide(rules_of(text), question, now)
    assert decision.rule == next((name for name in alone if name is not None), None)
    assert [tried.matched for tried in decision.trail] == [False] * (len(decision.trail) - 1) + [
        decision.rule is not None
    ]
    assert len(decision.trail) == (alone.index(decision.rule) + 1 if decision.rule else len(rules))


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        ('from = "97*"', True),
        ('from = ["901234567", "+998 97 424-41-00"]', True),
        ('line = "998712037006"', True),
        ('line = "712037007"', False),
        ('queue = "6000"', False),
        ('direction = "out"', False),
        ('date = "2026-11-25"', True),
        ('date = ["11-25", "2020-01-01"]', True),
        ("date = 2026-11-26", False),
        ('not = { from = "97*", direction = "out" }', True),
        ('any = [{ direction = "out" }, { from = "97*", line = "71*" }]', True),
        ('all = [{ direction = "inc" }, { not = { from = "97*" } }]', False),
        ('spoke_within = "7d"', False),
        ('missed_within = "7d"', False),
        ('calls_within = { count = 1, window = "1h" }', False),
    ],
)
def test_conditions_mean_what_they_say(when: str, holds: bool) -> None:
    assert (decide(rules_of(_rule("r", when)), ASKED, NOON).rule == "r") is holds


@examples(60)
@given(st.integers(10**8, 10**9 - 1), st.integers(1, 98), st.text("abcЎ", min_size=1, max_size=5))
def test_a_caller_always_falls_on_the_same_side_and_stays_when_the_share_grows(
    number: int, percent: int, name: str
) -> None:
    sides = [
        decide(rules_of(_rule(name, f"share = {share}")), Question(spelling), now).rule is not None
        for share in (percent, percent + 1)
        for spelling in (str(number), f"998{number}", f"+998{number}")
        for now in (NOON, NOON + timedelta(days=400))
    ]
    assert len(set(sides[:6])) == len(set(sides[6:])) == 1
    assert sides[0] <= sides[6]


def test_a_share_is_that_share_of_the_callers_and_two_shares_are_independent() -> None:
    rules = [rules_of(_rule(name, "share = 20")) for name in ("a", "b")]
    callers = [Question(f"9{n:08}") for n in range(4000)]
    inside = [{q for q in callers if decide(r, q, NOON).rule} for r in rules]
    assert all(700 < len(found) < 900 for found in inside)
    assert 100 < len(inside[0] & inside[1]) < 230


def test_turns_go_round_and_each_rule_has_its_own() -> None:
    rules = rules_of(
        _rule("a", 'line = "712037006"', 'round_robin = ["2000", "2001"]')
        + _rule("b", "", 'round_robin = ["1", "2", "3"]')
    )
    turns = CountedTurns()
    other = Question("974244100", "1")
    steps = [
        decide(rules, question, NOON, turns=turns).step.action_data for question in [ASKED, ASKED, other, ASKED, other]
    ]
    assert steps == ["2000", "2001", "1", "2000", "2"]
    assert decide(rules, ASKED, NOON).step == RouteStep("peer", "2000")


class _Asked:
    """A past that counts what it is asked."""

    def __init__(self, peer: str | None = "2005") -> None:
        self.peer = peer
        self.asked: list[tuple[str, str, datetime]] = []

    def last_peer(self, number: str, since: datetime) -> str | None:
        self.asked.append(("last_peer", number, since))
        return self.peer

    def calls(self, number: str, since: datetime) -> int:
        self.asked.append(("calls", number, since))
        return 2

    def missed(self, number: str, since: datetime) -> int:
        self.asked.append(("missed", number, since))
        return 0


def test_the_last_peer_gets_the_caller_and_the_past_is_asked_once_with_the_canonical_number() -> None:
    text = _rule("a", 'spoke_within = "7d", line = "11"', 'peer = "@last_peer"') + _rule(
        "b", 'spoke_within = "7d"', 'peer = "@last_peer"'
    )
    past = _Asked()
    decision = decide(rules_of(text), ASKED, NOON, past)
    assert (decision.step, decision.rule) == (RouteStep("peer", "2005"), "b")
    assert decision.trail[-1].why == 'spoke_within = "7d": the caller spoke with 2005'
    assert past.asked == [("last_peer", "998974244100", NOON - timedelta(days=7))]


def test_counts_of_calls_are_compared() -> None:
    rules = rules_of(
        _rule("3", 'calls_within = { count = 3, window = "1h" }')
        + _rule("m", 'missed_within = "2h"')
        + _rule("2", 'calls_within = { count = 2, window = "1h" }')
    )
    past = _Asked()
    assert decide(rules, ASKED, NOON, past).rule == "2"
    assert [word for word, _, _ in past.asked] == ["calls", "missed"]
    assert decide(rules, ASKED, NOON, GivenHistory(calls=3)).rule == "3"
    assert decide(rules, ASKED, NOON, GivenHistory(missed=1)).rule == "m"


@pytest.mark.parametrize("peer", ["", "Sip/2000", "2000; hangup", "9" * 20])
def test_a_last_peer_that_is_no_extension_passes_the_caller_on(peer: str) -> None:
    text = _rule("a", 'spoke_within = "7d"', 'peer = "@last_peer"') + _rule("b", "", 'queue = "7"')
    decision = decide(rules_of(text), ASKED, NOON, _Asked(peer))
    assert (decision.rule, decision.trail[0].why) == ("b", "peer:@last_peer gives no extension")


def test_a_hidden_number_has_no_past_and_is_on_no_list() -> None:
    past = _Asked()
    text = _rule("a", 'spoke_within = "7d"', 'peer = "@last_peer"') + _rule("b", 'from = "9*"') + _rule("c", "")
    assert decide(rules_of(text), Question("", "712037006"), NOON, past).rule == "c"
    assert past.asked == []


def test_the_trail_says_why_each_rule_did_not_match() -> None:
    decision = answer(rules_of(ISSUE), BODY, NOON)
    assert [(tried.rule, tried.line, tried.why) for tried in decision.trail] == [
        ("blocked", 13, 'from = "@blocked": the caller is 998974244100'),
        ("VIP to their manager", 18, 'from = "@vip": the caller is 998974244100'),
        ("back to whom they spoke with", 23, 'spoke_within = "7d": no answered call of the caller is known'),
        ("night", 28, 'not = { hours = "office" }: it is Wed 2026-11-25 12:00'),
    ]
    assert (decision.step, decision.rule) == (RouteStep("queue", "6000"), None)


@pytest.mark.parametrize(
    "body",
    [
        BODY,
        b'\xef\xbb\xbf{"from_number":"974244100","line_number":712037006.0,"queue_number":"6000","direction":"INC"}',
        b'[{"[]from_number": ["974244100"], "line_number[]": "712037006", "queue_number": 6000, "direction": "in"}]',
        b"from_number=974244100&line_number=712037006&queue_number=6000&direction=inc",
    ],
)
def test_a_question_is_read_in_every_form_in_which_it_may_come(body: bytes) -> None:
    assert Question.from_body(body) == Question("974244100", "712037006", "6000", "inc")


@examples(50)
@given(BODIES)
def test_whatever_is_asked_the_answer_is_a_valid_step(body: bytes) -> None:
    decision = answer(rules_of(ISSUE), body, NOON)
    assert RouteStep.from_wire(json.loads(decision.step.to_bytes())) == decision.step
    assert (decision.trouble == "") is _readable(body)
    if decision.trouble:
        assert (decision.rule, decision.step) == (None, RouteStep("queue", "6000"))


def _readable(body: bytes) -> bool:
    try:
        Question.from_body(body)
    except UnreadableQuestionError:
        return False
    return True


class _Broken(GivenHistory):
    def last_peer(self, number: str, since: datetime) -> str | None:
        raise RuntimeError("the store is locked")


def test_a_rule_that_raises_gives_the_fallback_and_is_told() -> None:
    rules: Any = rules_of(ISSUE)
    decision = answer(rules, BODY, NOON, _Broken())
    assert (str(decision.step), decision.rule, decision.trail) == ("queue:6000", None, ())
    assert decision.trouble == "RuntimeError: the store is locked"


def test_a_file_of_no_rules_gives_the_fallback(tmp_path: Path) -> None:
    assert str(answer(rules_of(FALLBACK), BODY, NOON).step) == "queue:6000"
