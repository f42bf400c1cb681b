"""On a terminal a status is a word, and its colour what it means; codes stay in what other programs read."""

import json
import re
import time
from datetime import datetime, timedelta, timezone

import pytest
from event_rows import Rows
from front_door import FrontDoor

ENDINGS = ("200", "304", "480", "486", "603", "603-S", "404", "484")


@pytest.fixture
def calls(alovoice: FrontDoor) -> FrontDoor:
    """A call in for each ending, a minute apart, the latest answered."""
    rows = Rows(alovoice.home / "state" / "events.db")
    for place, status in enumerate(ENDINGS):
        rows.call(time.time() - 60 * (place + 1), f"90123456{place}", status=status, duration=125)
    return alovoice


def test_titles_of_counts_are_words_on_a_terminal_and_codes_for_programs(calls: FrontDoor) -> None:
    shown = calls("events", "stats", "--by", "line", "--color", "never", terminal=True, environ={"COLUMNS": "120"})
    titles = " ".join(shown.out.partition("─")[0].split())
    assert titles == "Line Calls Answered Talk Not answered Unavailable Busy Declined Hung up Other"
    assert calls("events", "stats", "--by", "line", "--csv").out.startswith(
        "group,calls,answered,304,480,486,603,603-S,other,open,talk"
    )


def test_a_narrow_terminal_keeps_the_talk_before_the_endings_of_missed_calls(
    calls: FrontDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    shown = calls("events", "stats", "--by", "line", "--color", "never", terminal=True)
    assert "Line Calls Answered Talk" in " ".join(shown.out.partition("─")[0].split())
    assert "no room for the columns:" in shown.err


@pytest.fixture(autouse=True)
def _as_wide_as_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The width that rich reads is the process's."""
    monkeypatch.setenv("COLUMNS", "120")


def test_an_ending_is_a_word_in_the_colour_of_its_meaning(calls: FrontDoor) -> None:
    shown = calls("events", "list", "--type", "callend", "--color", "always", terminal=True).out
    by_colour = {word: colour for colour, word in re.findall(r"\x1b\[(\d+)m([a-z ]+) 125s", shown)}
    assert by_colour == {
        "answered": "32",
        **dict.fromkeys(("not answered", "unavailable", "busy", "declined", "hung up"), "31"),
        **dict.fromkeys(("invalid number", "direction not available"), "33"),
    }
    piped = calls("events", "list", "--type", "callend", "--columns", "said,status").out
    assert "486 125s\t486" in piped
    sent = [event["body"] for event in json.loads(calls("events", "list", "--json").out)]
    assert {str(body["status_code"]) for body in sent if "status_code" in body} == set(ENDINGS)


def test_a_growing_table_has_the_words_that_fit_else_the_code(calls: FrontDoor) -> None:
    shown = calls("events", "tail", "--type", "callend", "--color", "never", terminal=True).out
    assert max(map(len, shown.splitlines())) <= 80
    told = [line[66:].strip() for line in shown.splitlines()[1:]]
    assert told == [
        *("answered 125s", "not answered", "unavailable", "busy 125s", "declined 125s", "hung up 125s"),
        *("404 125s", "484 125s"),
    ]


def test_missed_calls_have_their_reason_in_the_same_words(calls: FrontDoor) -> None:
    shown = calls("events", "missed", "--columns", "reason,status", "--color", "never", terminal=True).out
    rows = {tuple(re.split(r" {2,}", line.strip())) for line in shown.splitlines()[2:]}
    assert rows == {(word, word) for word in ("not answered", "unavailable", "busy", "declined", "hung up")}


def test_notes_wrap_at_words_and_commands_stay_on_one_line(calls: FrontDoor) -> None:
    forty = {"COLUMNS": "40"}
    told = calls("events", "missed", "--color", "never", terminal=True, environ=forty).err
    assert max(map(len, told.splitlines())) <= 40
    assert "5 missed calls (" in " ".join(told.split())
    piped = calls("events", "missed", environ=forty).err
    assert any(len(line) > 80 for line in piped.splitlines()), "a file or pipe has a note on one line"
    missing = calls("trunks", terminal=True, environ=forty).err
    assert "`alovoice login`" in missing
    assert all(line.count("`") % 2 == 0 for line in missing.splitlines()), missing


@pytest.mark.parametrize(
    ("command", "field"), [(("call", "receipts", "list"), "begun_at"), (("call", "batches", "list"), "created_at")]
)
def test_a_terminal_shows_receipts_and_batches_in_the_profiles_zone_and_names_it(
    alovoice: FrontDoor, command: tuple[str, ...], field: str
) -> None:
    (alovoice.home / "list.csv").write_text("number\n901234567\n", "utf-8")
    batch = ("call", "out", "-p", "sandbox", "--batch", "list.csv", "--inner-phone", "2424", "--night-ok")
    assert alovoice(*batch, "--confirm", "1").code == 0
    (item,) = json.loads(alovoice(*command, "--json").out)
    local = datetime.fromisoformat(item[field]).astimezone(timezone(timedelta(hours=5)))
    shown = alovoice(*command, "--color", "never", terminal=True)
    assert f"{local:%Y-%m-%d %H:%M}" in shown.out
    assert "times are in the profile's time zone, utc +5" in " ".join(shown.err.split())
    piped = alovoice(*command)
    assert item[field][:16].replace("T", " ") in piped.out
    assert "time zone" not in piped.err
