"""A listener's rules follow their files, and stay the last good ones whatever is written."""

from datetime import timedelta
from pathlib import Path

import pytest
from route_cases import FALLBACK, ISSUE, NOON, rules_of

from alovoice_cli.errors import CheckFailedError, UsageError
from alovoice_cli.routing.call import Question
from alovoice_cli.routing.comparing import compare
from alovoice_cli.routing.engine import decide
from alovoice_cli.routing.history import GivenHistory
from alovoice_cli.routing.lint import check
from alovoice_cli.routing.live import Live, RefusedRules, Reloaded

RULES = (
    FALLBACK + '[lists]\nvip = "vip.csv"\n[[rule]]\nname = "vip"\nwhen = { from = "@vip" }\nthen = { peer = "2000" }\n'
)
VIP, OTHER = Question("901234567"), Question("907654321")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A rules file with a list beside it."""
    _write(tmp_path / "vip.csv", "901234567\n")
    _write(tmp_path / "rules.toml", RULES)
    return tmp_path


def _write(path: Path, text: str) -> None:
    """Replaces a file as editors do; the inode tells even where size and clock do not."""
    beside = path.with_suffix(".new")
    beside.write_text(text, "utf-8")
    beside.replace(path)


def _refresh(live: Live) -> Reloaded | RefusedRules | None:
    """Reads the files anew where one has changed, as a listener does it in a child process."""
    if not live.has_changed:
        return None
    try:
        return live.take(check(live.path, NOON))
    except UsageError as error:
        return live.refuse(error)


def test_nothing_is_read_while_nothing_changes(files: Path) -> None:
    live = Live(files / "rules.toml", NOON)
    assert _refresh(live) is None
    assert decide(live.rules, VIP, NOON).rule == "vip"


def test_a_changed_list_is_read_anew(files: Path) -> None:
    live = Live(files / "rules.toml", NOON)
    _write(files / "vip.csv", "907654321\n")
    assert isinstance(_refresh(live), Reloaded)
    assert [decide(live.rules, question, NOON).rule for question in (VIP, OTHER)] == [None, "vip"]
    assert _refresh(live) is None


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("rules.toml", RULES + "x", "is not valid TOML"),
        ("rules.toml", RULES.replace("@vip", "@vpi"), "there is no list @vpi"),
        ("rules.toml", RULES + '[[test]]\ngiven = {}\nexpect = { peer = "1" }\n', "the test expects peer:1"),
        ("vip.csv", "901234567\nname\nname\n", "rows without a phone number"),
        ("vip.csv", None, "cannot be read"),
        ("rules.toml", None, "cannot be read"),
    ],
)
def test_what_must_not_be_served_is_refused_once_and_the_last_good_rules_stay(
    files: Path, file: str, text: str | None, said: str
) -> None:
    live = Live(files / "rules.toml", NOON)
    if text is None:
        (files / file).unlink()
    else:
        _write(files / file, text)
    refused = _refresh(live)
    assert isinstance(refused, RefusedRules)
    assert said in str(refused)
    assert "last good rules remain in force" in str(refused)
    assert decide(live.rules, VIP, NOON).rule == "vip"
    assert _refresh(live) is None
    _write(files / file, "901234567\n907654321\n" if file == "vip.csv" else RULES + "# mended\n")
    assert isinstance(_refresh(live), Reloaded)


def test_a_listener_does_not_start_on_rules_that_fail_their_check(files: Path) -> None:
    _write(files / "rules.toml", RULES + '[[test]]\ngiven = {}\nexpect = { peer = "1" }\n')
    with pytest.raises(CheckFailedError) as caught:
        Live(files / "rules.toml", NOON)
    assert "line 8" in caught.value.detail
    assert "route check" in caught.value.hint
    with pytest.raises(UsageError):
        Live(files / "nosuch.toml", NOON)


def test_a_comparison_counts_callers_who_go_elsewhere_by_what_decides() -> None:
    old = rules_of(ISSUE)
    new = rules_of(
        ISSUE.replace('then = { hangup = "123" }', 'then = { queue = "7000" }', 1)
        .replace('expect = { hangup = "123" }', 'expect = { queue = "7000" }')
        .replace('name = "blocked"', 'name = "unwanted"')
    )
    night = NOON + timedelta(hours=9)
    asked = [(Question(number), at) for number in ("974244100", "+998974244100", "907654321") for at in (NOON, night)]
    asked.append((Question("998712000000"), NOON))
    found = compare(old, new, asked)
    assert (found.calls, found.callers, found.moved_calls, found.moved_callers) == (7, 3, 3, 2)
    (move,) = found.moves
    assert move.as_json() == {
        "old_rule": "night",
        "new_rule": "night",
        "old_action": "hangup:123",
        "new_action": "queue:7000",
        "calls": 3,
        "callers": 2,
        "examples": [
            {"from_number": "974244100", "at": night.isoformat()},
            {"from_number": "907654321", "at": night.isoformat()},
        ],
    }


def test_another_turn_of_the_same_round_is_no_move_and_the_last_peer_is_compared_by_whom_it_is() -> None:
    def rules(then: str) -> str:
        return f'{FALLBACK}[[rule]]\nname = "a"\nwhen = {{ spoke_within = "1d" }}\nthen = {{ {then} }}\n'

    asked = [(VIP, NOON), (VIP, NOON)]
    one, other, last, two = (
        rules_of(rules(then))
        for then in ('round_robin = ["1", "2"]', 'round_robin = ["1", "3"]', 'peer = "@last_peer"', 'peer = "2"')
    )
    past = GivenHistory(last_peer="2")
    assert [
        compare(a, b, asked, lambda _: past).moved_calls
        for a, b in ((one, one), (one, other), (last, two), (one, last))
    ] == [
        0,
        2,
        0,
        2,
    ]
