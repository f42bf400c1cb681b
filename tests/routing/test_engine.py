"""Decisions: first match wins, a caller stays on their side, the past is asked once, and there is always a step."""

import json
from datetime import UTC, datetime, timedelta
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
    assert decision.rules is rules
    assert decision.trouble == "RuntimeError: the store is locked"


def test_a_file_of_no_rules_gives_the_fallback(tmp_path: Path) -> None:
    assert str(answer(rules_of(FALLBACK), BODY, NOON).step) == "queue:6000"


def test_a_decision_is_told_by_its_action_and_where_the_call_goes() -> None:
    rules = rules_of(
        _rule("turns", 'queue = "1"', 'round_robin = ["2000", "2001"]')
        + _rule("back", 'spoke_within = "7d"', 'peer = "@last_peer"')
        + _rule("rest", 'queue = "2"', 'queue = "6000"')
    )

    def told(queue: str, peer: str = "") -> tuple[str, str, str, str | None]:
        decision = decide(rules, Question("974244100", queue_number=queue), NOON, _Asked(peer))
        return str(decision.step), decision.action, decision.destination, decision.rule

    assert told("1") == ("peer:2000", "round_robin:2000,2001", "round_robin:2000,2001", "turns")
    assert told("", "2005") == ("peer:2005", "peer:@last_peer", "peer:2005", "back")
    assert told("2") == ("queue:6000", "queue:6000", "queue:6000", "rest")
    assert told("3") == ("queue:6000", "queue:6000", "queue:6000", None)


def test_the_record_of_a_decision_holds_each_rule_that_was_tried() -> None:
    text = _rule("a", 'direction = "out"') + _rule("b", 'line = "712037006", direction = "inc"', 'queue = "7"')
    assert decide(rules_of(text), ASKED, NOON).as_json() == {
        "action_type": "queue",
        "action_data": "7",
        "rule": "b",
        "trail": [
            {"rule": "a", "line": 2, "matched": False, "why": 'direction = "out": the direction is inc'},
            {
                "rule": "b",
                "line": 6,
                "matched": True,
                "why": 'line = "712037006": the line is 712037006; direction = "inc": the direction is inc',
            },
        ],
    }
    always = decide(rules_of(_rule("c", "")), ASKED, NOON)
    assert [(tried.matched, tried.why) for tried in always.trail] == [(True, "it has no condition")]


def test_of_a_long_trail_the_end_is_shown_with_how_many_are_left_out() -> None:
    text = "".join(_rule(str(number), 'direction = "out"') for number in range(5))
    for decision, names in (
        (decide(rules_of(text), ASKED, NOON), "01234"),
        (decide(rules_of(text + _rule("x", "")), ASKED, NOON), "01234x"),
    ):
        for most in (1, 2, 5, 6, 9):
            shown, left_out = decision.trail_end(most)
            assert "".join(tried.rule for tried in shown) == names[-most:]
            assert left_out == len(names) - len(shown)


def test_an_error_without_words_is_told_by_its_name() -> None:
    class Silent(GivenHistory):
        def last_peer(self, number: str, since: datetime) -> str | None:
            raise KeyError

    assert answer(rules_of(ISSUE), BODY, NOON, Silent()).trouble == "KeyError"


SHOWN = Question("974244100", "712037006", "6000", "inc")
HIDDEN = Question("")


@pytest.mark.parametrize(
    ("when", "question", "holds", "facts"),
    [
        ('from = "97*"', SHOWN, True, "the caller is 998974244100"),
        ('from = "97*"', HIDDEN, False, "the number of the caller is hidden"),
        ("hidden = true", SHOWN, False, "the caller is 998974244100"),
        ("hidden = true", HIDDEN, True, "the number of the caller is hidden"),
        ("hidden = false", SHOWN, True, "the caller is 998974244100"),
        ("hidden = false", HIDDEN, False, "the number of the caller is hidden"),
        ('line = "712037006"', SHOWN, True, "the line is 712037006"),
        ('line = ["712037007", "712037006"]', SHOWN, True, "the line is 712037006"),
        ('line = "712037006"', HIDDEN, False, "the line is not known"),
        ('queue = ["1", "6000"]', SHOWN, True, "the queue is 6000"),
        ('queue = "6000"', HIDDEN, False, "there is no queue"),
        ('direction = "inc"', SHOWN, True, "the direction is inc"),
        ('direction = "inc"', HIDDEN, False, "the direction is not known"),
        ('date = "2026-11-25"', SHOWN, True, "it is 2026-11-25"),
        ('date = "2026-11-26"', SHOWN, False, "it is 2026-11-25"),
        ("share = 94", SHOWN, True, "the caller's place is 93.3"),
        ("share = 93", SHOWN, False, "the caller's place is 93.3"),
        ('all = [{ direction = "inc" }, { queue = "6000" }]', SHOWN, True, "all parts are true"),
        ('all = [{ direction = "inc" }, { queue = "1" }]', SHOWN, False, "the queue is 6000"),
        ('any = [{ direction = "out" }, { queue = "6000" }]', SHOWN, True, "the direction is inc, the queue is 6000"),
        ('any = [{ direction = "out" }, { direction = "out" }]', SHOWN, False, "the direction is inc"),
        ('not = { direction = "inc" }', SHOWN, False, "the direction is inc"),
        ('not = { direction = "out" }', SHOWN, True, "the direction is inc"),
        ('spoke_within = "7d"', SHOWN, True, "the caller spoke with 2005"),
        ('spoke_within = "7d"', HIDDEN, False, "a hidden number has no past"),
        ('calls_within = { count = 2, window = "1h" }', SHOWN, True, "calls before: 2"),
        ('calls_within = { count = 3, window = "1h" }', SHOWN, False, "calls before: 2"),
        ('calls_within = { count = 1, window = "1h" }', HIDDEN, False, "calls before: 0"),
        ('missed_within = "2h"', SHOWN, False, "missed calls: 0"),
    ],
)
def test_each_condition_is_told_with_what_it_looked_at(when: str, question: Question, holds: bool, facts: str) -> None:
    (tried,) = decide(rules_of(_rule("r", when)), question, NOON, _Asked()).trail
    assert tried.matched is holds
    assert tried.why.partition(": ")[2] == facts


def test_a_past_that_cannot_be_reached_back_to_is_asked_from_the_first_day() -> None:
    past = _Asked()
    rules = rules_of(_rule("r", 'spoke_within = "7d", calls_within = { count = 1, window = "7d" }'))
    assert decide(rules, ASKED, datetime(1, 1, 2, tzinfo=UTC), past).rule == "r"
    assert [(word, since) for word, _, since in past.asked] == [
        ("last_peer", datetime.min.replace(tzinfo=UTC)),
        ("calls", datetime.min.replace(tzinfo=UTC)),
    ]


def test_what_many_rules_ask_of_one_call_is_looked_up_once() -> None:
    past = _Asked(None)
    names = 'spoke_within = "7d"', 'spoke_within = "8d"', 'missed_within = "7d"', 'spoke_within = "7d"'
    rules = rules_of("".join(_rule(str(place), when) for place, when in enumerate(names)))
    assert decide(rules, ASKED, NOON, past).rule is None
    assert [(word, since) for word, _, since in past.asked] == [
        ("last_peer", NOON - timedelta(days=7)),
        ("last_peer", NOON - timedelta(days=8)),
        ("missed", NOON - timedelta(days=7)),
    ]


def test_the_past_is_asked_last_also_within_any_and_not() -> None:
    past = _Asked()
    for cheap in ('direction = "out"', "share = 1", 'from = "1*"', 'any = [{ direction = "out" }]'):
        for costly in ('not = { spoke_within = "7d" }', 'all = [{ spoke_within = "7d" }]', 'missed_within = "7d"'):
            assert decide(rules_of(_rule("r", f"{costly}, {cheap}")), ASKED, NOON, past).rule is None
    assert past.asked == []


def test_a_body_that_is_no_question_gives_the_fallback_and_is_told() -> None:
    rules = rules_of(_rule("turns", "", 'round_robin = ["2000", "2001"]'))
    decision = answer(rules, b"[]", NOON)
    assert (decision.step, decision.rule, decision.rules) == (rules.fallback, None, rules)
    assert decision.trouble == "the body is not a JSON object"
    turns = CountedTurns()
    assert [answer(rules, BODY, NOON, turns=turns).step.action_data for _ in range(3)] == ["2000", "2001", "2000"]
