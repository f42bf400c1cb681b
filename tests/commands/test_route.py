"""`alovoice route` through the front door: rules checked, tried and measured before a caller meets them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from front_door import FrontDoor
from route_cases import ISSUE

BAD = """fallback = { queue = "6000" }
[[rule]]
name = "Ўткир мижоз"
when = { form = "901234567" }
then = { peer = "x" }
"""
NIGHT = ("--from", "974244100", "--line", "712037006", "--at", "2026-11-23 19:00")


@pytest.fixture
def home(alovoice: FrontDoor) -> FrontDoor:
    """A home on the embedded PBX with the issue's rules and broken ones."""
    (alovoice.home / "rules.toml").write_text(ISSUE, "utf-8")
    (alovoice.home / "bad.toml").write_text(BAD, "utf-8")
    alovoice.environ["ALOVOICE_PROFILE"] = "sandbox"
    return alovoice


def test_errors_end_the_check_with_8_and_stand_at_their_line_and_column(home: FrontDoor) -> None:
    result = home("route", "check", "bad.toml")
    assert result.code == 8
    assert [line.split("\t")[:3] for line in result.out.splitlines()[1:]] == [
        ["error", "bad.toml:4:10", "`when` has no key 'form'"],
        ["error", "bad.toml:5:17", "peer 'x': peer needs an extension, in digits"],
    ]
    assert result.err == "note: bad.toml: 2 errors, 0 warnings; the tests were not run\n"


def test_json_tells_findings_tests_and_whether_all_is_well(home: FrontDoor) -> None:
    bad = json.loads(home("route", "check", "bad.toml", "--json").out)
    assert (bad["ok"], bad["rules"]) == (False, None)
    assert bad["findings"][0] == {
        "severity": "error",
        "code": "unknown-key",
        "file": "bad.toml",
        "line": 4,
        "column": 10,
        "message": "`when` has no key 'form'",
        "hint": "did you mean from?",
    }
    good = home("route", "check", "rules.toml", "--json", "-q")
    assert (good.code, good.err) == (0, "")
    shown = json.loads(good.out)
    assert (shown["ok"], shown["rules"], shown["tests"]) == (True, 4, {"passed": 1, "failed": 0})


def test_a_failed_test_of_the_file_fails_the_check(home: FrontDoor) -> None:
    (home.home / "rules.toml").write_text(ISSUE.replace('rule = "night"', 'rule = "blocked"'), "utf-8")
    result = home("route", "check", "rules.toml", "--json")
    assert result.code == 8
    assert json.loads(result.out)["tests"] == {"passed": 0, "failed": 1}


def test_warnings_fail_a_strict_check_only(home: FrontDoor) -> None:
    twice = ISSUE + '[[rule]]\nname = "late"\nwhen = { not = { hours = "office" } }\nthen = { hangup = true }\n'
    (home.home / "rules.toml").write_text(twice, "utf-8")
    assert home("route", "check", "rules.toml").code == 0
    strict = home("route", "check", "rules.toml", "--strict")
    assert strict.code == 8
    assert "an earlier rule takes all its callers: 'night' (line 28)" in strict.out


def test_online_asks_the_pbx_for_extensions_and_lines(home: FrontDoor) -> None:
    rules = (
        (home.home / "rules.toml").read_text("utf-8").replace('peer = "2000"', 'peer = "2999"').replace("7006", "7999")
    )
    (home.home / "rules.toml").write_text(rules, "utf-8")
    assert home("route", "check", "rules.toml").code == 0
    result = home("route", "check", "rules.toml", "--online")
    assert result.code == 8
    assert "the PBX has no extension 2999" in result.out
    assert "the PBX has no line 712037999" in result.out
    assert "queues: 6000; sound files: 123" in result.out


def test_online_says_that_a_file_that_cannot_be_read_was_not_compared(home: FrontDoor) -> None:
    assert "the PBX was not asked" in home("route", "check", "bad.toml", "--online").err


def test_a_decision_is_shown_with_its_rule_and_on_demand_with_each_rule_that_was_tried(home: FrontDoor) -> None:
    result = home("route", "test", "rules.toml", *NIGHT)
    assert result.code == 0
    assert result.out.splitlines()[1:] == [
        "action_type\thangup",
        "action_data\t123",
        "rule\tnight",
        "at\t2026-11-23T19:00:00+05:00",
    ]
    explained = home("route", "test", "rules.toml", *NIGHT, "--explain").out.splitlines()[5:]
    assert explained == [
        '1. blocked\tno: from = "@blocked": the caller is 998974244100',
        '2. VIP to their manager\tno: hours = "office": it is Mon 2026-11-23 19:00',
        '3. back to whom they spoke with\tno: spoke_within = "7d": no answered call of the caller is known',
        '4. night\tyes: not = { hours = "office" }: it is Mon 2026-11-23 19:00',
    ]


def test_json_of_a_decision_has_the_step_the_rule_and_the_trail(home: FrontDoor) -> None:
    shown = json.loads(home("route", "test", "rules.toml", *NIGHT, "--json").out)
    assert (shown["action_type"], shown["action_data"], shown["rule"]) == ("hangup", "123", "night")
    assert [(tried["rule"], tried["matched"]) for tried in shown["trail"]][-2:] == [
        ("back to whom they spoke with", False),
        ("night", True),
    ]
    noon = json.loads(home("route", "test", "rules.toml", "--at", "2026-11-23 12:00", "--json").out)
    assert (noon["action_type"], noon["action_data"], noon["rule"]) == ("queue", "6000", None)


def test_a_past_can_be_made_up(home: FrontDoor) -> None:
    result = home("route", "test", "rules.toml", *NIGHT, "--last-peer", "2007", "--json")
    assert json.loads(result.out)["action_data"] == "2007"


def test_rules_with_errors_decide_nothing(home: FrontDoor) -> None:
    result = home("route", "test", "bad.toml")
    assert (result.code, result.out) == (8, "")
    assert "bad.toml, line 4, column 10: `when` has no key 'form'" in result.err
    assert "alovoice route check bad.toml" in result.err


@pytest.mark.parametrize(
    "words",
    [
        ("check", "no.toml"),
        ("test", "."),
        ("test", "rules.toml", "--at", "tonight"),
        ("test", "rules.toml", "--from", "abc"),
        ("test", "rules.toml", "--queue", "sales"),
    ],
)
def test_wrong_words_end_with_2(home: FrontDoor, words: tuple[str, ...]) -> None:
    result = home("route", *words)
    assert (result.code, result.out) == (2, "")


def test_control_characters_of_a_file_never_reach_the_terminal(home: FrontDoor) -> None:
    evil = ISSUE.replace('name = "night"', 'name = "\\u001b]0;x\\u0007 \\u202e night"').replace('rule = "night"\n', "")
    (home.home / "rules.toml").write_text(evil, "utf-8")
    for words in (("test", "rules.toml", *NIGHT, "--explain"), ("check", "rules.toml")):
        for options in ((), ("--json",)):
            result = home("route", *words, *options, terminal=True)
            assert result.code == 0
            assert not set("\x07\u202e") & set(result.out)
            assert "\x1b]" not in result.out


@pytest.mark.parametrize(("holidays", "loaded"), [('["2026-12-31"]', False), ('"UZ"', True)])
def test_the_holidays_library_is_loaded_for_a_country_alone(home: FrontDoor, holidays: str, loaded: bool) -> None:
    (home.home / "rules.toml").write_text(ISSUE.replace('["2026-11-26"]', holidays), "utf-8")
    code = (
        "import sys; sys.argv = ['alovoice', 'route', 'check', 'rules.toml']\n"
        "from alovoice_cli.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit as done:\n    assert not done.code\n"
        "print('holidays' in sys.modules, 'httpx' in sys.modules, 'asyncio' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=home.environ, cwd=home.home, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == f"{loaded} False False"


def test_a_list_beside_the_rules_is_found_from_any_directory(home: FrontDoor, tmp_path: Path) -> None:
    folder = home.home / "sub"
    folder.mkdir()
    (folder / "vip.csv").write_text("телефон\n901234567\n", "utf-8")
    (folder / "r.toml").write_text(ISSUE.replace('vip = ["998901234567"]', 'vip = "vip.csv"'), "utf-8")
    words = ("--from", "+998901234567", "--line", "712037006", "--at", "2026-11-23 12:00")
    assert json.loads(home("route", "test", "sub/r.toml", *words, "--json").out)["rule"] == "VIP to their manager"


@pytest.mark.parametrize(
    ("caller", "rule"),
    [
        (("--from", "anonymous"), "hidden"),
        (("--from", "Hidden"), "hidden"),
        ((), "hidden"),
        (("--from", "90 123-45-67"), "known"),
        (("--from", "2424"), "known"),
    ],
)
def test_a_rule_takes_callers_whose_number_is_hidden(home: FrontDoor, caller: tuple[str, ...], rule: str) -> None:
    text = """fallback = { queue = "6000" }
[[rule]]
name = "hidden"
when = { hidden = true }
then = { hangup = true }
[[rule]]
name = "known"
when = { hidden = false }
then = { peer = "2000" }
[[test]]
given = { from = "anonymous" }
expect = { hangup = true }
rule = "hidden"
"""
    (home.home / "hidden.toml").write_text(text, "utf-8")
    assert home("route", "check", "hidden.toml").code == 0
    assert json.loads(home("route", "test", "hidden.toml", "--json", *caller).out)["rule"] == rule
    assert home("route", "test", "hidden.toml", "--from", "Anvar").code == 2


def test_hidden_is_true_or_false(home: FrontDoor) -> None:
    (home.home / "odd.toml").write_text(
        'fallback = { queue = "6000" }\n[[rule]]\nname = "a"\nwhen = { hidden = "yes" }\nthen = { hangup = true }\n',
        "utf-8",
    )
    done = home("route", "check", "odd.toml")
    assert done.code == 8
    assert 'hidden "yes" is neither true nor false' in done.out
