"""What the checks say of rules is true: no rule that is called out of reach is ever reached, and gaps are gaps."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from route_cases import FALLBACK, ISSUE, LINES, NOON, NUMBERS, loaded_of, rules_of, rules_texts
from strength import examples

from alovoice_cli.routing.call import Question
from alovoice_cli.routing.engine import decide
from alovoice_cli.routing.hours import WEEK
from alovoice_cli.routing.lint import compare_with_pbx, gaps, judge, lint
from alovoice_cli.routing.rules import Rules
from alovoice_cli.routing.trials import run_trials

OFFICE = '[hours]\noffice = ["Mon-Fri 09:00-18:00"]\n'
TIMES = [timedelta(hours=h, minutes=m) for h in (0, 5, 6, 9, 12, 13, 15, 18, 22) for m in (0, 30)]
DAYS = [datetime(2026, 11, day) for day in (25, 26, 27, 28, 29)]  # the 26th is a holiday, the 28th a Saturday


def _rule(name: str, when: str, then: str = 'queue = "1"') -> str:
    return f'[[rule]]\nname = "{name}"\nwhen = {{ {when} }}\nthen = {{ {then} }}\n'


def _told(text: str) -> list[tuple[str, str]]:
    return [(found.code, found.message) for found in lint(rules_of(text))]


def _moments(rules: Rules) -> list[datetime]:
    return [(day + time).replace(tzinfo=rules.zone) for day in DAYS for time in TIMES]


@examples(30)
@given(rules_texts())
def test_a_rule_that_is_called_out_of_reach_is_never_reached(text: str) -> None:
    rules = rules_of(text)
    out_of_reach = {found.line for found in lint(rules) if found.code in ("shadowed", "unreachable")}
    names = {rule.name for rule in rules.rules if rule.place.line in out_of_reach}
    callers = [*NUMBERS, "", "909999999", "4915112345678"] if names else []
    for caller in callers:
        for line, queue, direction in ((LINES[0], "", "inc"), (LINES[1], "6000", "out"), ("1", "6001", "")):
            for now in _moments(rules):
                assert decide(rules, Question(caller, line, queue, direction), now).rule not in names


@examples(30)
@given(rules_texts())
def test_gaps_are_when_an_ordinary_caller_gets_the_fallback(text: str) -> None:
    rules = rules_of(text)
    monday = datetime(2026, 11, 23)
    for line, gap in gaps(rules):
        question = Question("4915112345678", line or "55555", "", "inc")
        for now in _moments(rules):
            holiday = now.day == 26, now.day == 27
            minute = int((now.replace(tzinfo=None) - monday).total_seconds()) // 60
            in_gap = gap >> ((holiday[0] + 2 * holiday[1]) * WEEK + minute) & 1
            assert (decide(rules, question, now).rule is None) is bool(in_gap)


@pytest.mark.parametrize(
    ("rules", "code", "message"),
    [
        (_rule("a", "") + _rule("b", 'from = "901234567"'), "shadowed", "takes all its callers: 'a' (line 4)"),
        (_rule("a", 'from = "90*"') + _rule("b", 'from = "+998901234567"'), "shadowed", "'a'"),
        (_rule("a", 'from = "90*"') + _rule("b", 'from = "9012*", line = "1234567"'), "shadowed", "'a'"),
        (_rule("a", 'line = ["1234567", "7654321"]') + _rule("b", 'line = "7654321"'), "shadowed", "'a'"),
        (_rule("a", 'hours = "office"') + _rule("b", 'hours = "office", queue = "1"'), "shadowed", "'a'"),
        (_rule("a", 'spoke_within = "7d"') + _rule("b", 'spoke_within = "1d"'), "shadowed", "'a'"),
        (
            _rule("a", 'hours = "office"') + _rule("b", 'not = { hours = "office" }') + _rule("c", 'queue = "1"'),
            "unreachable",
            "together take all its callers: 'a' (line 4), 'b' (line 8)",
        ),
        (_rule("a", 'direction = "inc"') + _rule("b", 'any = [{ direction = "inc" }]'), "shadowed", "'a'"),
        (_rule("a", "hidden = false") + _rule("b", 'from = "90*"'), "shadowed", "'a'"),
        (_rule("a", "hidden = false") + _rule("b", 'missed_within = "2h"'), "shadowed", "'a'"),
        (_rule("a", "hidden = true") + _rule("b", 'hidden = true, line = "1234567"'), "shadowed", "'a'"),
        (_rule("a", 'hidden = true, from = "90*"'), "unreachable", "never true together"),
        (_rule("a", 'hidden = true, spoke_within = "7d"'), "unreachable", "never true together"),
        (_rule("a", "hidden = true, all = [{ hidden = false }]"), "unreachable", "never true together"),
        (_rule("a", 'hours = "office", not = { hours = "office" }'), "unreachable", "never true together"),
        (_rule("a", 'line = "1234567", all = [{ line = "7654321" }]'), "unreachable", "never true together"),
        (_rule("a", 'from = "@none"') + "[lists]\nnone = []\n", "unreachable", "never true together"),
    ],
)
def test_rules_out_of_reach_are_told_with_who_takes_their_callers(rules: str, code: str, message: str) -> None:
    assert any(found == code and message in text for found, text in _told(FALLBACK + OFFICE + rules)), _told(
        FALLBACK + OFFICE + rules
    )


@pytest.mark.parametrize(
    "rules",
    [
        _rule("a", 'from = "9012*"') + _rule("b", 'from = "90*"'),
        _rule("a", "share = 50") + _rule("b", "share = 20"),
        _rule("a", 'queue = "6000"') + _rule("b", 'queue = ["6000", "6001"]'),
        _rule("a", 'direction = "inc"') + _rule("b", 'any = [{ direction = "inc" }, { direction = "out" }]'),
        _rule("a", 'spoke_within = "1d"') + _rule("b", 'spoke_within = "7d"'),
        _rule("a", 'hours = "office", queue = "1"')
        + _rule("b", 'not = { hours = "office" }')
        + _rule("c", 'line = "1"'),
        _rule("a", "hidden = true") + _rule("b", "hidden = false"),
        _rule("a", "hidden = true") + _rule("b", 'from = "90*"'),
        _rule("a", 'from = "90*"') + _rule("b", "hidden = false"),
        _rule("a", 'from = "+998*"') + _rule("b", 'from = "90*"'),  # 90… may also be a short number
    ],
)
def test_rules_in_reach_are_left_alone(rules: str) -> None:
    rules = rules.replace('line = "1"', 'line = "1234567"')
    assert [found for found in _told(FALLBACK + OFFICE + rules) if found[0] != "gap"] == []


def test_gaps_are_told_by_hours_and_lines() -> None:
    told = _told(
        f'{FALLBACK}{OFFICE}holidays = ["2026-12-31"]\n'
        + _rule("a", 'line = "712037006", hours = "office"')
        + _rule("b", 'line = "712037007"')
    )
    assert [text for code, text in told if code == "gap"] == [
        "no rule matches ordinary callers: they get the fallback queue:6000; lines: 712037006; times: "
        "Mon-Fri 00:00-09:00 18:00-24:00, Sat-Sun 00:00-24:00; all day on holidays",
        "no rule matches ordinary callers: they get the fallback queue:6000; lines: all others; times: at all hours",
    ]
    assert _told(FALLBACK + _rule("a", 'not = { from = "99871*" }')) == []


def test_the_files_own_tests_are_run_and_fail_at_their_line() -> None:
    assert run_trials(rules_of(ISSUE), NOON).passed == 1
    checked = judge(loaded_of(ISSUE.replace('expect = { hangup = "123" }', 'expect = { hangup = "124" }')), NOON)
    (found,) = (found for found in checked.findings if found.severity == "error")
    assert (checked.ok, checked.rules, found.code, found.line) == (False, None, "test-failed", 33)
    assert found.message == "the test expects hangup:124 and gets hangup:123 (decided by: the rule 'night')"


def test_a_test_may_name_the_rule_make_up_the_past_and_expect_any_turn() -> None:
    text = (
        FALLBACK
        + _rule("back", 'spoke_within = "7d"', 'peer = "@last_peer"')
        + _rule("often", 'calls_within = { count = 2, window = "1h" }', 'round_robin = ["1", "2"]')
        + '[[test]]\ngiven = { from = "901234567", last_peer = "2000" }\nexpect = { peer = "2000" }\nrule = "back"\n'
        + '[[test]]\ngiven = { from = "901234567", calls = 2 }\nexpect = { peer = "2" }\n'
        + '[[test]]\ngiven = { missed = 1 }\nexpect = { queue = "6000" }\nrule = "fallback"\n'
        + '[[test]]\ngiven = { from = "901234567", calls = 2 }\nexpect = { peer = "1" }\nrule = "back"\n'
    )
    verdict = run_trials(rules_of(text), NOON)
    assert (verdict.passed, verdict.failed) == (3, 1)
    assert verdict.failures[0].message == "wrong rule: the test expects the rule 'back', decided by: the rule 'often'"
    assert verdict.failures[0].hint == (
        "'back' did not match: spoke_within = \"7d\": no answered call of the caller is known"
    )


def test_a_test_without_a_time_is_doubted_where_rules_ask_for_it() -> None:
    given = '[[test]]\ngiven = { from = "901234567" }\nexpect = { queue = "6000" }\n'
    assert ("test-without-time" in dict(_told(FALLBACK + OFFICE + _rule("a", 'hours = "office"') + given))) is True
    assert ("test-without-time" in dict(_told(FALLBACK + _rule("a", 'direction = "out"') + given))) is False


def test_what_no_rule_uses_is_told_unless_an_error_may_be_why() -> None:
    unused = FALLBACK + '[lists]\nvip = ["901234567"]\n' + OFFICE
    assert [found.message for found in loaded_of(unused + _rule("a", "")).findings] == [
        "no rule uses the list @vip",
        "no rule uses the hours 'office'",
    ]
    assert [found.code for found in loaded_of(unused + _rule("a", 'form = "@vip"')).findings] == ["unknown-key"]


def test_extensions_and_lines_are_compared_with_the_pbx() -> None:
    text = (
        FALLBACK
        + _rule("a", 'line = "712037006"', 'peer = "2000"')
        + _rule("b", 'line = ["712037009", "55*"]', 'ivr = "1"')
        + _rule("c", "", 'round_robin = ["2000", "2009"]')
    )
    found = list(compare_with_pbx(rules_of(text), {"2000"}, ["712037006"]))
    assert [(f.severity, f.line, f.message) for f in found] == [
        ("error", 13, "the PBX has no extension 2009"),
        ("warning", 6, "the PBX has no line 712037009, 55*"),
        ("note", 1, "not checked, because the API does not list them: queues: 6000; voice menus: 1"),
    ]
