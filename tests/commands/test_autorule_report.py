"""`autorule report`: the list as it was given, whom to call again, and the counts of `list` and `watch`."""

import csv
import io
import json
import re
import shlex
import sqlite3
import stat
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from event_rows import Rows
from front_door import FrontDoor, Result

from alovoice_cli.campaigns.report import CATEGORIES
from alovoice_cli.stores.campaigns import STORE_NAME

MP3 = Path(__file__).parents[2] / "alovoice_cli" / "sandbox" / "scenarios" / "announcement.mp3"
PEOPLE = """ism;telefon;izoh
Али;901110001;=1+1
"Вали; катта";+49 30 1234567;@home
Ҳасан;+998 90 111-00-03;"икки
қатор"
Такрор;998901110001;-
Йўқ;12;
Қўнғироқ қилманг;901110005;x
Зуҳра;901110006;+1
"""
DAY = ("--from", "tomorrow", "--to", "tomorrow", "--fromtime", "10:00", "--totime", "19:59")
CREATE = (
    *("autorule", "create", "--record", "a.mp3", "--name", "Куз", "--trunks", "712037006", *DAY),
    *("--night-ok", "--no-check", "--yes"),
)


@pytest.fixture
def home(alovoice: FrontDoor, engine: str, store_url: str) -> FrontDoor:
    """A home with a list of people and a do-not-call file, on the sandbox, and an event store of a listener."""
    alovoice.environ["ALOVOICE_PROFILE"] = "sandbox"
    if engine == "postgres":
        assert alovoice("config", "set", "store", store_url).code == 0
        alovoice.server_store = store_url
    return _furnished(alovoice)


@pytest.fixture
def file_home(alovoice: FrontDoor) -> FrontDoor:
    """The same, with all its stores in files."""
    alovoice.environ["ALOVOICE_PROFILE"] = "sandbox"
    return _furnished(alovoice)


def _furnished(home: FrontDoor) -> FrontDoor:
    (home.home / "a.mp3").write_bytes(MP3.read_bytes())
    (home.home / "people.csv").write_bytes(PEOPLE.encode())
    (home.home / "dnc.csv").write_text("901110005\n", "utf-8")
    _rows(home)
    return home


def _rows(home: FrontDoor) -> Rows:
    return Rows(home.server_store or home.home / "state" / "events-sandbox.db")


def _create(home: FrontDoor, *words: str) -> Result:
    created = home(*CREATE, *words)
    assert created.code == 0, created.err
    return created


def _report(home: FrontDoor, *words: str, campaign: str = "124") -> dict[str, Any]:
    result = home("autorule", "report", campaign, "--json", *words)
    assert result.code == 0, result.err
    report: dict[str, Any] = json.loads(result.out)
    assert sum(report[category] for category in CATEGORIES) == report["rows"] == len(report["list"])
    return report


def _opens(home: FrontDoor) -> datetime:
    """When the campaign's window opens."""
    (created,) = json.loads(home("autorule", "list", "--json").out)
    return datetime.strptime(f"{created['fields']['from']} 10:00 +0500", "%Y.%m.%d %H:%M %z")


def _result(home: FrontDoor, number: str, minute: int, dialstatus: str, talk: int = 0, **more: object) -> None:
    """What the PBX tells of a call of the campaign, some minutes after the window's opening."""
    begin = _opens(home) + timedelta(minutes=minute)
    at = int(begin.timestamp())
    body = {"id": f"{number}-{minute}", "to_number": number, "trunk_number": 712037006, "begin_time": at}
    body |= {"answer_time": at + 9 if talk else 0, "end_time": at + 9 + talk, "duration": talk}
    _rows(home).deliver("result", begin + timedelta(minutes=1), {**body, "dialstatus": dialstatus, **more})


def _pass(home: FrontDoor, *, listened: bool = True) -> None:
    """Lets the campaign's day pass, with a listener or without."""
    if listened:
        opens = _opens(home).timestamp()
        _rows(home).listened((opens - 99, opens + 11 * 3600, True))
    home.later(days=3)


def test_every_row_is_reported_with_its_own_columns_when_list_and_do_not_call_file_are_gone(home: FrontDoor) -> None:
    _create(home, "--recipients", "people.csv", "--exclude", "dnc.csv", "--clean")
    for name in ("people.csv", "dnc.csv"):
        (home.home / name).unlink()
    report = _report(home)
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
    _create(file_home, "--recipients", "people.csv", "--exclude", "dnc.csv", "--clean")
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
    _create(home, "--recipients", "people.csv", "--exclude", "dnc.csv", "--clean", *words)
    report = _report(home)
    found = {category: report[category] for category in CATEGORIES if report[category]}
    assert found == {"not_tried": 4, "duplicate": 1, "invalid": 1, "excluded": 1}
    assert report["headings"] == ["ism", "telefon", "izoh"]
    assert report["list"][0]["cells"][1:] == ["901110001", "=1+1"]


def test_each_part_of_a_split_list_has_its_own_report(home: FrontDoor) -> None:
    (home.home / "people.csv").write_text("901110001,A\n901110002,B\n901110003,C\n", "utf-8")
    _create(home, "--recipients", "people.csv", "--split", "2/day", "--to", "+3d")
    assert [row["cells"] for row in _report(home)["list"]] == [["901110001", "A"], ["901110002", "B"]]
    assert [row["cells"] for row in _report(home, campaign="125")["list"]] == [["901110003", "C"]]


def test_single_numbers_are_rows_too(home: FrontDoor) -> None:
    _create(home, "--recipient", "901110001", "--recipient", "+49301234567")
    assert [row["cell"] for row in _report(home)["list"]] == ["901110001", "+49301234567"]


def _called(home: FrontDoor) -> None:
    """The campaign of PEOPLE: one is reached, one busy, the German does not answer, one is not tried."""
    _create(home, "--recipients", "people.csv", "--exclude", "dnc.csv", "--clean")
    _result(home, "901110001", 1, "ANSWER", 30)
    _result(home, "49301234567", 2, "NOANSWER")
    _result(home, "+998901110003", 3, "BUSY")


def test_whom_to_call_again_is_a_list_for_the_next_campaign(home: FrontDoor) -> None:
    _called(home)
    _pass(home)
    result = home("autorule", "report", "124", "--unreached", "again.csv")
    assert result.code == 0, result.err
    again = home.home / "again.csv"
    assert stat.S_IMODE(again.stat().st_mode) == 0o600
    rows = list(csv.reader(io.StringIO(again.read_text("utf-8")), delimiter=";"))
    assert rows == [
        ["ism", "telefon", "izoh"],
        ["Вали; катта", "+49301234567", "'@home"],
        ["Ҳасан", "998901110003", "икки\nқатор"],
        ["Зуҳра", "901110006", "+1"],
    ]
    before = again.read_bytes()
    refused = home("autorule", "report", "124", "--unreached", "again.csv")
    assert refused.code == 2
    assert "already exists" in refused.err
    assert again.read_bytes() == before
    assert home("autorule", "report", "124", "--unreached", "again.csv", "--force").code == 0
    _create(home, "--recipients", "again.csv", "--name", "Куз 2")
    (second, _) = json.loads(home("autorule", "list", "--json").out)
    assert [row["number"] for row in _report(home, campaign=second["id"])["list"]] == [
        *("49301234567", "998901110003", "998901110006")
    ]


def test_nobody_who_may_have_been_reached_is_called_again_unless_that_is_asked_for(home: FrontDoor) -> None:
    _called(home)
    _result(home, "+998901110003", 20, "SOMETHING")  # the second try of one who was busy
    _pass(home, listened=False)
    report = _report(home)
    assert {row["cell"]: row["category"] for row in report["list"] if row["category"] in ("busy", "unknown")} == {
        "+998 90 111-00-03": "busy",
        "901110006": "unknown",
    }
    assert home("autorule", "report", "124", "--unreached", "again.csv").code == 0
    assert (home.home / "again.csv").read_text("utf-8").count("\n") == 2
    more = home("autorule", "report", "124", "--unreached", "again.csv", "--include", "unknown", "--force")
    assert more.code == 0, more.err
    text = (home.home / "again.csv").read_text("utf-8")
    assert "901110006" in text
    assert "998901110003" in text
    assert "901110001;" not in text
    assert "901110005" not in text


def test_the_command_for_the_next_campaign_can_be_pasted_whatever_the_file_is_called(home: FrontDoor) -> None:
    _called(home)
    done = home("autorule", "report", "124", "--unreached", "yana qo'ng'iroq.csv")
    assert done.code == 0, done.err
    line = done.err.partition("`")[2].partition("`")[0]
    assert shlex.split(line) == ["alovoice", "autorule", "create", "--recipients", "yana qo'ng'iroq.csv"]


def test_a_call_without_a_time_or_with_two_ends_may_have_reached_somebody(home: FrontDoor) -> None:
    _create(home, "--recipients", "people.csv", "--exclude", "dnc.csv", "--clean")
    _result(home, "901110001", 1, "ANSWER", 30, begin_time=None, answer_time=None, end_time=None)
    begin = _opens(home) + timedelta(minutes=5)
    own = _rows(home).call(begin, "901110003", status="200", direction="out", peer=0)
    _rows(home).deliver("callend", begin + timedelta(minutes=2), {"call_id": own, "status_code": 480, "duration": 0})
    _pass(home)
    assert [row["category"] for row in _report(home)["list"]] == [
        *("unknown", "not_tried", "no_answer", "duplicate", "invalid", "excluded", "not_tried")
    ]
    done = home("autorule", "report", "124", "--unreached", "again.csv")
    assert "2 rows are left out" in done.err.replace("\n", " ")
    text = (home.home / "again.csv").read_text("utf-8")
    assert "901110006" in text
    assert "901110001" not in text
    assert "111-00-03" not in text
    assert "998901110003" not in text


def test_a_campaign_of_which_no_call_is_known_is_not_called_again_without_a_warning(home: FrontDoor) -> None:
    _create(home, "--recipients", "people.csv", "--exclude", "dnc.csv", "--clean")
    _pass(home)
    done = home("autorule", "report", "124", "--unreached", "again.csv")
    assert done.code == 0
    assert "no call of this campaign is known" in done.err.replace("\n", " ")


def test_with_nobody_to_call_again_no_file_is_written(home: FrontDoor) -> None:
    _create(home, "--recipient", "901110001")
    _result(home, "901110001", 1, "ANSWER", 30)
    _pass(home)
    result = home("autorule", "report", "124", "--unreached", "again.csv")
    assert result.code == 0
    assert "there is nobody to call again" in result.err
    assert not (home.home / "again.csv").exists()


def test_a_campaign_that_goes_on_is_named_when_rows_are_written(home: FrontDoor) -> None:
    _called(home)
    result = home("autorule", "report", "124", "--unreached", "again.csv")
    assert "is not over and still calls these rows" in result.err


def test_csv_has_a_line_for_each_row_with_its_own_columns_first(home: FrontDoor) -> None:
    _called(home)
    _pass(home)
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
    _called(home)
    _pass(home)
    report = _report(home, "--by", by)
    expected = [f"{_opens(home).astimezone(UTC) + timedelta(hours=5):%Y-%m-%d 10:00}"] if by == "hour" else groups
    assert [group["group"] for group in report["groups"]] == expected
    assert sum(group["attempts"] for group in report["groups"]) == report["attempts"] == 3
    table = home("autorule", "report", "124", "--by", by, terminal=True).out
    assert "No answer" in table


def test_the_terminal_says_the_counts_in_words_and_the_coverage_last(home: FrontDoor) -> None:
    _called(home)
    _pass(home)
    result = home("autorule", "report", "124", terminal=True)
    assert "busy or declined" in result.out
    assert "14.3 %" in result.out
    assert "7 rows, 3 attempts, talk 30 s" in result.err
    assert "events from" in result.err.splitlines()[-1]


def test_a_page_has_the_same_figures_and_neither_scripts_nor_people(home: FrontDoor) -> None:
    _called(home)
    _pass(home)
    result = home("autorule", "report", "124", "--html", "page.html")
    assert result.code == 0, result.err
    page = (home.home / "page.html").read_text("utf-8")
    report = _report(home)
    assert len(page) < 150_000
    assert not re.findall(r"<script|https?:|901110001|Ҳасан", page)
    rows = re.findall(r'<tr><td>([^<]+)</td><td class="number">(\d+)</td>', page.partition('id="results"')[2])
    assert [int(number) for _, number in rows][: len(CATEGORIES)] == [report[category] for category in CATEGORIES]
    assert "Куз" in page
    assert home("autorule", "report", "124", "--html", "page.html").code == 2


# --- list and watch


def test_list_says_how_many_rows_are_reached(home: FrontDoor) -> None:
    _called(home)
    assert "1/7" in home("autorule", "list").out
    _pass(home)
    assert "1/7" in home("autorule", "list").out
    (listed,) = json.loads(home("autorule", "list", "--json").out)
    assert (listed["counts"]["busy"], listed["counts"]["is_final"]) == (1, True)


def test_a_store_that_cannot_be_read_disturbs_neither_list_nor_watch(file_home: FrontDoor) -> None:
    _called(file_home)
    (file_home.home / "state" / "events-sandbox.db").write_bytes(b"no store" * 999)
    assert file_home("autorule", "list").code == 0
    watched = file_home("autorule", "watch", "124", "--until", "new")
    assert watched.code == 0, watched.err
    assert "reached" not in json.loads(watched.out)
    assert file_home("autorule", "report", "124").code == 2


def test_watch_tells_the_counts(home: FrontDoor) -> None:
    _called(home)
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
    _create(file_home, "--recipient", "901110001")
    for part in (file_home.home / "state").glob("events-sandbox.db*"):
        part.unlink()
    (listed,) = json.loads(file_home("autorule", "list", "--json").out)
    assert listed["counts"] is None
    refused = file_home("autorule", "report", "124")
    assert refused.code == 2
    assert "alovoice listen" in refused.err


def test_another_store_is_read_where_it_is_named(home: FrontDoor) -> None:
    _called(home)
    other = Rows(home.home / "other.db")
    report = _report(home, "--store", str(other.path))
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
    _called(file_home)
    _forget_list(file_home)
    result = file_home("autorule", "report", "124", "--json")
    report = json.loads(result.out)
    assert [row["cell"] for row in report["list"]] == ["998901110001", "+49301234567", "998901110003", "998901110006"]
    assert "the list was not stored" in result.err
    whole = _report(file_home, "--recipients", "people.csv")
    assert [row["category"] for row in whole["list"]][3:6] == ["duplicate", "invalid", "excluded"]
    (file_home.home / "other.csv").write_text("901110001\n901110009\n", "utf-8")
    refused = file_home("autorule", "report", "124", "--recipients", "other.csv")
    assert refused.code == 8
    assert "3 of the campaign's 4 numbers are not in it" in refused.err


def test_a_kept_list_that_is_damaged_is_named_and_may_be_given_anew(file_home: FrontDoor) -> None:
    _called(file_home)
    with closing(sqlite3.connect(file_home.home / "state" / STORE_NAME)) as connection, connection:
        connection.execute("""UPDATE list SET reading = replace(reading, 'utf-8', 'utf-0')""")
    assert file_home("autorule", "list").code == 0
    refused = file_home("autorule", "report", "124")
    assert (refused.code, refused.out) == (2, "")
    assert "the stored list of this campaign is damaged" in refused.err
    assert "--recipients FILE" in refused.err
    whole = _report(file_home, "--recipients", "people.csv")
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
    _create(home, "--recipient", "901110001", *hours)
    now = datetime.now(UTC).timestamp()
    _rows(home).listened((now - 9, now + 600, True))
    home.later(minutes=5)
    report = _report(home)
    assert (report["not_tried"], report["coverage"]["is_complete"]) == (1, True)
    home.later(minutes=10)
    report = _report(home)
    assert (report["unknown"], report["coverage"]["is_complete"]) == (1, False)


def test_a_category_that_include_does_not_take_is_named(home: FrontDoor) -> None:
    _create(home, "--recipient", "901110001")
    result = home("autorule", "report", "124", "--unreached", "x.csv", "--include", "excluded")
    assert result.code == 2
    assert "is not one of short, unknown, ambiguous" in result.err
