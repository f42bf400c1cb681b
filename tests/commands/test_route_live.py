"""What `alovoice route` does with a running listener's store and state: the override, the diff, the real past."""

import json
import os
import time
from pathlib import Path

import pytest
from event_rows import Rows
from front_door import FrontDoor

OLD = """fallback = { queue = "6000" }
[[rule]]
name = "Ўз мижозлар"
when = { from = "90*" }
then = { queue = "1" }
[[rule]]
name = "back"
when = { spoke_within = "30d" }
then = { peer = "@last_peer" }
"""
NEW = OLD.replace('queue = "1"', 'queue = "2"')
CALLER = "974244100"


@pytest.fixture
def rows(alovoice: FrontDoor, profile_store: str) -> Rows:
    """A listener's store of the default profile, and two rules files."""
    (alovoice.home / "old.toml").write_text(OLD, "utf-8")
    (alovoice.home / "new.toml").write_text(NEW, "utf-8")
    return Rows(profile_store)


def _asked(rows: Rows, days: float, number: str) -> None:
    rows.deliver("route", time.time() - days * 86400, {"from_number": number, "line_number": "712037006"})


def test_diff_counts_the_callers_who_would_go_elsewhere(alovoice: FrontDoor, rows: Rows) -> None:
    for days, number in ((40, "901111111"), (3, "901111111"), (2, "+998901111111"), (1, "902222222"), (1, CALLER)):
        _asked(rows, days, number)
    rows.deliver("route", time.time() - 3600, b"hello")
    result = alovoice("route", "diff", "old.toml", "new.toml")
    assert result.code == 0
    header, row = (line.split("\t") for line in result.out.splitlines())
    assert header == ["callers", "calls", "old_rule", "old_action", "new_rule", "new_action", "examples"]
    assert row[:6] == ["2", "3", "Ўз мижозлар", "queue:1", "Ўз мижозлар", "queue:2"]
    assert "questions: 4, callers: 3; 2 callers would go elsewhere; their calls: 3 (75.0 %); 1 question" in result.err
    told = json.loads(alovoice("route", "diff", "old.toml", "new.toml", "--since", "all", "--json").out)
    assert {name: told[name] for name in told if name != "moves"} == {
        "calls": 5,
        "callers": 3,
        "moved_calls": 4,
        "moved_callers": 2,
        "unreadable": 1,
    }
    (move,) = told["moves"]
    assert [example["from_number"] for example in move["examples"]] == ["901111111", "902222222"]
    same = alovoice("route", "diff", "old.toml", "old.toml", terminal=True)
    assert "no caller would go elsewhere" in same.err


def test_diff_asks_each_question_with_the_past_as_it_was_then(alovoice: FrontDoor, rows: Rows) -> None:
    without = OLD.replace('spoke_within = "30d"', 'spoke_within = "1s"')
    (alovoice.home / "new.toml").write_text(without, "utf-8")
    now = time.time()
    rows.call(now - 86400, CALLER, peer=2424)
    for days in (2, 0.5):
        _asked(rows, days, CALLER)
    (move,) = json.loads(alovoice("route", "diff", "old.toml", "new.toml", "--json").out)["moves"]
    assert (move["calls"], move["old_rule"], move["new_rule"]) == (1, "back", None)


def test_diff_says_what_is_missing(alovoice: FrontDoor, rows: Rows) -> None:
    (alovoice.home / "bad.toml").write_text("x", "utf-8")
    assert alovoice("route", "diff", "old.toml", "bad.toml").code == 8
    assert alovoice("route", "diff", "old.toml", "nosuch.toml").code == 2
    assert alovoice("route", "diff", "old.toml", "new.toml", "--since", "x").code == 2
    assert alovoice("route", "diff", "old.toml", "new.toml", "--store", "nosuch.db").code == 2
    assert (
        "no route question of this time is stored"
        in alovoice("route", "diff", "old.toml", "new.toml", terminal=True).err
    )


def test_test_asks_the_store_and_a_made_up_past_goes_before_it(alovoice: FrontDoor, rows: Rows) -> None:
    words = ("route", "test", "old.toml", "--from", CALLER, "--json")
    assert json.loads(alovoice(*words).out)["action_data"] == "6000"
    rows.call(time.time() - 86400, CALLER, peer=2424)
    assert json.loads(alovoice(*words).out)["action_data"] == "2424"
    assert json.loads(alovoice(*words, "--last-peer", "2000").out)["action_data"] == "2000"
    assert json.loads(alovoice(*words, "--calls", "0").out)["rule"] is None
    long_ago = json.loads(alovoice(*words, "--at", "2020-01-01 12:00").out)
    assert long_ago["rule"] is None
    assert alovoice(*words, "--store", "nosuch.db").code == 2


def test_test_needs_no_store(alovoice: FrontDoor) -> None:
    (alovoice.home / "old.toml").write_text(OLD, "utf-8")
    assert alovoice("route", "test", "old.toml", "--from", CALLER).code == 0
    assert not (alovoice.home / "state").exists()


def test_an_override_is_set_shown_and_ended(alovoice: FrontDoor) -> None:
    none = {"override": None, "until": None, "seconds_left": None}
    assert json.loads(alovoice("route", "override", "--json").out) == none
    begun = alovoice("route", "override", "queue:6000", "--for", "30m", "--json")
    assert begun.code == 9
    shown = json.loads(alovoice("route", "override", "--json").out)
    assert (shown["override"], shown["until"][-6:]) == ("queue:6000", "+05:00")
    assert 1700 < shown["seconds_left"] <= 1800
    file = alovoice.home / "state" / "override.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["override.json"]
    alovoice.later(minutes=31)
    assert json.loads(alovoice("route", "override", "--json").out) == none
    alovoice("route", "override", "hangup", "--for", "1h")
    ended = alovoice("route", "override", "--off")
    assert "the override has ended: hangup" in ended.err
    assert not file.exists()
    assert "no override was in force" in alovoice("route", "override", "--off").err


def test_an_override_that_no_listener_obeys_says_so_and_is_kept_for_one_that_starts(alovoice: FrontDoor) -> None:
    begun = alovoice("route", "override", "queue:6000", "--for", "30m")
    assert begun.code == 9
    assert "no listener of profile default is running: no caller gets queue:6000" in begun.err
    assert "from now on" not in begun.err
    assert "a listener that starts before" in begun.err
    shown = alovoice("route", "override", "--json")
    assert (shown.code, json.loads(shown.out)["override"]) == (9, "queue:6000")
    assert alovoice("route", "override", "--off").code == 0
    assert alovoice("route", "override").code == 0


@pytest.mark.parametrize("minutes", [-5, 5])
def test_the_mark_of_a_listener_that_was_killed_counts_for_nothing_later(alovoice: FrontDoor, minutes: int) -> None:
    """`minutes` before now: with a clock that was set back since, the mark is from the future."""
    mark = alovoice.home / "state" / "override.listener"
    mark.parent.mkdir(exist_ok=True)
    mark.touch()
    seconds = time.time() - minutes * 60
    os.utime(mark, (seconds, seconds))
    assert alovoice("route", "override", "queue:6000", "--for", "30m").code == 9


def test_an_override_is_the_profile_s_own_and_stands_in_the_status(alovoice: FrontDoor) -> None:
    alovoice("-p", "sandbox", "route", "override", "queue:6000", "--for", "30m")
    other = json.loads(alovoice("status", "--offline", "--json").out)
    assert (other["override"], other["override_until"]) == (None, None)
    status = alovoice("-p", "sandbox", "status", "--offline", "--json")
    assert json.loads(status.out)["override"] == "queue:6000"
    assert "an override is in force" in status.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("queue:6000",), "must end by itself"),
        (("queue:x", "--for", "1h"), "is not a step"),
        (("queue:6000", "--for", "soon"), "is not a valid length of time"),
        (("queue:6000", "--for", "0m"), "between 1s and 31d"),
        (("queue:6000", "--for", "999999w"), "between 1s and 31d"),
        (("--for", "1h"), "needs a step"),
        (("queue:6000", "--off"), "--off cannot be used together"),
    ],
)
def test_words_that_make_no_override_change_nothing(alovoice: FrontDoor, words: tuple[str, ...], said: str) -> None:
    result = alovoice("route", "override", *words)
    assert result.code == 2
    assert said in result.err
    assert not (alovoice.home / "state").exists()


def test_a_rehearsal_changes_nothing_and_a_broken_file_can_be_put_right(alovoice: FrontDoor, tmp_path: Path) -> None:
    rehearsed = alovoice("route", "override", "queue:6000", "--for", "1h", "--dry-run")
    assert (rehearsed.code, "no listener of profile default is running" in rehearsed.err) == (0, True)
    file = alovoice.home / "state" / "override.json"
    assert not file.exists()
    assert alovoice("route", "override", "queue:6000", "--for", "1h").code == 9
    assert "would end" in alovoice("route", "override", "--off", "--dry-run").err
    assert file.exists()
    file.write_text("{")
    assert alovoice("route", "override").code == 2
    assert alovoice("status", "--offline").code == 0
    assert alovoice("route", "override", "--off").code == 0
    assert not file.exists()
