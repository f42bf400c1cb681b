"""`autorule report`: the list as it was given, and the counts of `list` and `watch`."""

import csv
import io
import json
import re
import sqlite3
import stat
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from event_rows import Rows
from front_door import FrontDoor
from reported_campaign import (
    PEOPLE,
    call_people,
    campaign_rows,
    create_campaign,
    furnish_home,
    opening_of,
    pass_day,
    report_json,
)

from alovoice_cli.campaigns.report import CATEGORIES
from alovoice_cli.stores.campaigns import STORE_NAME


@pytest.fixture
def home(report_home: FrontDoor) -> FrontDoor:
    return report_home


@pytest.fixture
def file_home(alovoice: FrontDoor) -> FrontDoor:
    """The same home, with all its stores in files."""
    alovoice.environ["ALOVOICE_PROFILE"] = "sandbox"
    return furnish_home(alovoice)


def test_every_row_is_reported_with_its_own_columns_when_list_and_do_not_call_file_are_gone(home: FrontDoor) -> None:
    create_campaign(home, "--recipients", "people.csv", "--exclude", "dnc.csv", "--clean")
    for name in ("people.csv", "dnc.csv"):
        (home.home / name).unlink()
    report = report_json(home)
    assert [row["category"] for row in report["list"]] == [
        *("not_tried", "not_tried", "not_tried", "duplicate", "invalid", "excluded", "not_tried")
    ]
    assert report["is_over"] is False
    assert report["list"][0]["why"] == "not yet"
    own = list(csv.reader(io.StringIO(PEOPLE), delimiter=";"))
    assert report["headings"] == own[0]
    assert [row["cells"] for row in report["list"]] == own[1:]
    assert [row["line"] for row in report["list"]] == [2, 3, 5, 6, 7, 8, 9]


def test_the_kept_list_is_for_nobody_elses_eyes(file_home: FrontDoor) -> None:
    create_campaign(file_home, "--recipients", "people.csv", "--exclude", "dnc.csv", "--clean")
    store = file_home.home / "state" / STORE_NAME
    assert stat.S_IMODE(store.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (PEOPLE.encode("cp1251", "replace"), ()),
        (b"sep=;\n\n" + PEOPLE.encode("utf-8-sig").removeprefix(b"\xef\xbb\xbf"), ()),
        (PEOPLE.encode("utf-16"), ("--encoding", "utf-16")),
        (("Ҳисобот\nкуз\n" + PEOPLE).encode(), ("--header-line", "3", "--column", "telefon")),
    ],
    ids=["cp1251", "sep", "utf-16", "preamble"],
)
def test_a_list_is_kept_as_it_was_read(home: FrontDoor, content: bytes, words: tuple[str, ...]) -> None:
    (home.home / "people.csv").write_bytes(content)
    create_campaign(home, "--recipients", "people.csv", "--exclude", "dnc.csv", "--clean", *words)
    report = report_json(home)
    found = {category: report[category] for category in CATEGORIES if report[category]}
    assert found == {"not_tried": 4, "duplicate": 1, "invalid": 1, "excluded": 1}
    assert report["headings"] == ["ism", "telefon", "izoh"]
    assert report["list"][0]["cells"][1:] == ["901110001", "=1+1"]


def test_each_part_of_a_split_list_has_its_own_report(home: FrontDoor) -> None:
    (home.home / "people.csv").write_text("901110001,A\n901110002,B\n901110003,C\n", "utf-8")
    create_campaign(home, "--recipients", "people.csv", "--split", "2/day", "--to", "+3d")
    assert [row["cells"] for row in report_json(home)["list"]] == [["901110001", "A"], ["901110002", "B"]]
    assert [row["cells"] for row in report_json(home, campaign="125")["list"]] == [["901110003", "C"]]


def test_single_numbers_are_rows_too(home: FrontDoor) -> None:
    create_campaign(home, "--recipient", "901110001", "--recipient", "+49301234567")
    assert [row["cell"] for row in report_json(home)["list"]] == ["901110001", "+49301234567"]


def test_csv_has_a_line_for_each_row_with_its_own_columns_first(home: FrontDoor) -> None:
    call_people(home)
    pass_day(home)
    rows = list(csv.DictReader(io.StringIO(home("autorule", "report", "124", "--csv").out)))
    assert list(rows[0])[:5] == ["ism", "telefon", "izoh", "line", "category"]
    assert [row["category"] for row in rows] == [
        *("reached", "no_answer", "busy", "duplicate", "invalid", "excluded", "not_tried")
    ]
    assert (rows[0]["talk_seconds"], rows[0]["attempts"], rows[0]["izoh"]) == ("30", "1", "'=1+1")
    assert rows[0]["first_try"].endswith("Z")


@pytest.mark.parametrize(
    ("by", "groups"),
    [
        ("status", ["ANSWER", "BUSY", "NOANSWER"]),
        ("line", ["998712037006"]),
        ("attempt", ["1"]),
        ("hour", [None]),
    ],
)
def test_attempts_are_counted_by_what_is_asked(home: FrontDoor, by: str, groups: list[str | None]) -> None:
    call_people(home)
    pass_day(home)
    report = report_json(home, "--by", by)
    expected = [f"{opening_of(home).astimezone(UTC) + timedelta(hours=5):%Y-%m-%d 10:00}"] if by == "hour" else groups
    assert [group["group"] for group in report["groups"]] == expected
    assert sum(group["attempts"] for group in report["groups"]) == report["attempts"] == 3
    table = home("autorule", "report", "124", "--by", by, terminal=True).out
    assert "No answer" in table


def test_the_terminal_says_the_counts_in_words_and_the_coverage_last(home: FrontDoor) -> None:
    call_people(home)
    pass_day(home)
    result = home("autorule", "report", "124", terminal=True)
    assert "busy or declined" in result.out
    assert "14.3 %" in result.out
    assert "7 rows, 3 attempts, talk 30 s" in result.err
    assert "events from" in result.err.splitlines()[-1]


def test_a_page_has_the_same_figures_and_neither_scripts_nor_people(home: FrontDoor) -> None:
    call_people(home)
    pass_day(home)
    result = home("autorule", "report", "124", "--html", "page.html")
    assert result.code == 0, result.err
    page = (home.home / "page.html").read_text("utf-8")
    report = report_json(home)
    assert len(page) < 150_000
    assert not re.findall(r"<script|https?:|901110001|Ҳасан", page)
    rows = re.findall(r'<tr><td>([^<]+)</td><td class="number">(\d+)</td>', page.partition('id="results"')[2])
    assert [int(number) for _, number in rows][: len(CATEGORIES)] == [report[category] for category in CATEGORIES]
    assert "Куз" in page
    assert home("autorule", "report", "124", "--html", "page.html").code == 2


# --- list and watch


def test_list_says_how_many_rows_are_reached(home: FrontDoor) -> None:
    call_people(home)
    assert "1/7" in home("autorule", "list").out
    pass_day(home)
    assert "1/7" in home("autorule", "list").out
    (listed,) = json.loads(home("autorule", "list", "--json").out)
    assert (listed["counts"]["busy"], listed["counts"]["is_final"]) == (1, True)


def test_a_store_that_cannot_be_read_disturbs_neither_list_nor_watch(file_home: FrontDoor) -> None:
    call_people(file_home)
    (file_home.home / "state" / "events-sandbox.db").write_bytes(b"no store" * 999)
    assert file_home("autorule", "list").code == 0
    watched = file_home("autorule", "watch", "124", "--until", "new")
    assert watched.code == 0, watched.err
    assert "reached" not in json.loads(watched.out)
    assert file_home("autorule", "report", "124").code == 2


def test_watch_tells_the_counts(home: FrontDoor) -> None:
    call_people(home)
    (line,) = home("autorule", "watch", "124", "--until", "new").out.splitlines()
    told = json.loads(line)
    assert {name: told[name] for name in ("rows", "reached", "busy", "no_answer", "excluded")} == {
        "rows": 7,
        "reached": 1,
        "busy": 1,
        "no_answer": 1,
        "excluded": 1,
    }
    assert "reached: 1" in home("autorule", "watch", "124", "--until", "new", terminal=True).out


def test_without_an_event_store_list_counts_nothing_and_report_says_what_makes_one(file_home: FrontDoor) -> None:
    create_campaign(file_home, "--recipient", "901110001")
    for part in (file_home.home / "state").glob("events-sandbox.db*"):
        part.unlink()
    (listed,) = json.loads(file_home("autorule", "list", "--json").out)
    assert listed["counts"] is None
    refused = file_home("autorule", "report", "124")
    assert refused.code == 2
    assert "alovoice listen" in refused.err


def test_another_store_is_read_where_it_is_named(home: FrontDoor) -> None:
    call_people(home)
    other = Rows(home.home / "other.db")
    report = report_json(home, "--store", str(other.path))
    assert report["reached"] == 0


# --- campaigns without a kept list


def _forget_list(home: FrontDoor) -> None:
    """Makes the ledger as an older version left it."""
    connection = sqlite3.connect(home.home / "state" / STORE_NAME)
    connection.execute("DROP TABLE list")
    connection.execute("ALTER TABLE campaign DROP COLUMN counts")
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.close()


def test_a_campaign_of_an_older_version_has_its_numbers_or_takes_the_list(file_home: FrontDoor) -> None:
    call_people(file_home)
    _forget_list(file_home)
    result = file_home("autorule", "report", "124", "--json")
    report = json.loads(result.out)
    assert [row["cell"] for row in report["list"]] == ["998901110001", "+49301234567", "998901110003", "998901110006"]
    assert "the list was not stored" in result.err
    whole = report_json(file_home, "--recipients", "people.csv")
    assert [row["category"] for row in whole["list"]][3:6] == ["duplicate", "invalid", "excluded"]
    (file_home.home / "other.csv").write_text("901110001\n901110009\n", "utf-8")
    refused = file_home("autorule", "report", "124", "--recipients", "other.csv")
    assert refused.code == 8
    assert "3 of the campaign's 4 numbers are not in it" in refused.err


def test_a_kept_list_that_is_damaged_is_named_and_may_be_given_anew(file_home: FrontDoor) -> None:
    call_people(file_home)
    with closing(sqlite3.connect(file_home.home / "state" / STORE_NAME)) as connection, connection:
        connection.execute("""UPDATE list SET reading = replace(reading, 'utf-8', 'utf-0')""")
    assert file_home("autorule", "list").code == 0
    refused = file_home("autorule", "report", "124")
    assert (refused.code, refused.out) == (2, "")
    assert "the stored list of this campaign is damaged" in refused.err
    assert "--recipients FILE" in refused.err
    whole = report_json(file_home, "--recipients", "people.csv")
    assert whole["reached"] == 1


def test_a_campaign_that_is_not_known_is_named(home: FrontDoor) -> None:
    result = home("autorule", "report", "999")
    assert result.code == 2
    assert "was not created from this computer" in result.err


@pytest.mark.parametrize("words", [("--include", "short"), ("--column", "2")])
def test_an_option_that_means_nothing_is_refused(home: FrontDoor, words: tuple[str, ...]) -> None:
    result = home("autorule", "report", "124", *words)
    assert result.code == 2
    assert f"{words[0]} needs --" in result.err


def test_the_hours_before_its_creation_are_none_of_the_campaigns(home: FrontDoor) -> None:
    hours = ("--from", "today", "--to", "tomorrow", "--fromtime", "00:00", "--totime", "23:59")
    create_campaign(home, "--recipient", "901110001", *hours)
    now = datetime.now(UTC).timestamp()
    campaign_rows(home).listened((now - 9, now + 600, True))
    home.later(minutes=5)
    report = report_json(home)
    assert (report["not_tried"], report["coverage"]["is_complete"]) == (1, True)
    home.later(minutes=10)
    report = report_json(home)
    assert (report["unknown"], report["coverage"]["is_complete"]) == (1, False)
