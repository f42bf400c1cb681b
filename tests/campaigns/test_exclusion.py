"""Whom not to call: read as carefully as whom to call, and on the safe side where it cannot be read."""

import io
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from workbooks import xlsx

from alovoice_cli.campaigns.exclusion import (
    DoNotCall,
    called_from,
    check_do_not_call,
    parse_do_not_call,
    read_do_not_call,
)
from alovoice_cli.errors import CheckFailedError, UsageError
from alovoice_cli.findings import Severity

DAY = date(2026, 11, 25)
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def listed(text: str, **more: bool) -> DoNotCall:
    return parse_do_not_call(io.BytesIO(text.encode()), "dnc.csv", DAY, **more)


def test_an_entry_ends_with_its_day() -> None:
    found = listed(
        "phone;until\n901234567;2026-11-24\n911234567;2026-11-25\n931234567;26.11.2026\n941234567;\n951234567;2020.01.01\n"
    )
    assert found.numbers == {998911234567, 998931234567, 998941234567}
    assert "2 entries have expired" in found.note


@pytest.mark.parametrize("heading", ["until", "Expires", "valid to", "до", "Срок", "Действует до", "muddat", "муддати"])
def test_the_column_of_the_end_is_known_by_its_heading(heading: str) -> None:
    assert listed(f"added;{heading};phone\n2020-01-01;2026-11-01;901234567\n").numbers == set()


def test_a_day_under_another_heading_ends_nothing() -> None:
    assert listed("added;phone\n2020-01-01;901234567\n").numbers == {998901234567}
    assert listed("2020-01-01;901234567\n2020-01-01;911234567\n").numbers == {998901234567, 998911234567}


def test_an_end_that_is_no_day_leaves_the_entry_in_force_and_is_told() -> None:
    found = listed("phone;until\n901234567;soon\n911234567;2026-02-30\n931234567;2020-01-01\n")
    assert found.numbers == {998901234567, 998911234567}
    (told,) = found.findings()
    assert (told.code, list(told.lines)) == ("exclude_undated", [2, 3])


def test_every_number_of_a_cell_is_excluded_and_an_entry_without_one_is_told() -> None:
    found = listed("phone\n901234567 доб 12\n911234567, 931234567\n941234567/8\nсосед\n9О1234568\n")
    assert found.numbers == {998901234567, 998911234567, 998931234567, 998941234567, 998941234568, 998901234568}
    (told,) = found.findings()
    assert (told.code, list(told.lines)) == ("exclude_unread", [5])


def test_a_heading_alone_excludes_nobody() -> None:
    assert listed("phone;until\n").numbers == set()


@pytest.mark.parametrize(("text", "span"), [("7d", timedelta(7)), ("12h", timedelta(hours=12)), ("2w", timedelta(14))])
def test_a_span_is_said_in_short(text: str, span: timedelta) -> None:
    assert NOW - called_from(text, NOW) == span


@pytest.mark.parametrize("text", ["", "7", "0d", "d", "-7d", "7 years", "1.5d", "99999999999w"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--exclude-called"):
        called_from(text, NOW)


@pytest.mark.parametrize(
    "end", ["24.11.2026", "24/11/2026", "1-2-2020", "24.11.2026 18:00", " 2026-11-24T18:00 ", "2026/1/2"]
)
def test_an_entry_that_ended_before_the_first_day_is_out_in_every_spelling_of_its_end(end: str) -> None:
    found = listed(f"phone;until\n901234567;{end}\n911234567;\n")
    assert found.numbers == {998911234567}
    assert list(found.findings()) == []


def test_the_note_counts_each_columns_numbers_and_the_expired_entries_where_there_are_any() -> None:
    assert listed("901234567\n").note == "dnc.csv: 1 number not to be called; 1 in column 1"
    assert listed("name; Mobile ;until\nA;901234567;\nB;911234567;2020-01-01\n").note == (
        "dnc.csv: 1 number not to be called; 2 in column 2 (Mobile); 1 entry has expired"
    )


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("да, просил сам, дважды;901234567\nнет, не звонить;911234567\n", "2 in column 2"),
        (
            "phone;mobile;city, x\n901234567;;x, y\n;911234567, z\n",
            "1 in column 1 (phone); 1 in column 2 (mobile)",
        ),
        ("901234567;911234567;x, y\n931234567;941234567, z\n", "2 in column 1; 2 in column 2"),
    ],
)
def test_the_cells_are_parted_where_most_headings_or_numbers_of_the_first_row_stand_apart(
    text: str, columns: str
) -> None:
    assert listed(text).note.partition("; ")[2] == columns


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_an_entry_without_its_last_cells_is_in_force(delimiter: str) -> None:
    text = "name;phone;until\nA;901234567;2020-01-01\nB;911234567\nC;931234567\n".replace(";", delimiter)
    assert listed(text).numbers == {998911234567, 998931234567}
    assert list(listed(text).findings()) == []


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("901234567\nсосед\nдруг\n", [2, 3]),  # the only column
        ("кого не звать\n901234567\nсосед\nдруг\n", [3, 4]),
        ("a;901234567\nb;сосед\n", [2]),  # every second cell is read
        ("a;901234567\nb;сосед\nc;друг\n", []),
        ("имя;телефон\na;901234567\nb;сосед\nc;друг\n", [3, 4]),  # a phone heading
        ("имя;заметка\n901234567;a\n911234567;b\n931234567;x 941234567\n951234567;c\n", []),
        ("list 12345\n901234567\n", [1]),  # too many digits for a heading
        ("list 2026\n901234567\n", []),
        ("901 23 45\nсосед\n", [1, 2]),
        ("901234567\n90123 456\n90123٤٥٦٧\n9012345678\n", [2, 3, 4]),
        ("a;901234567\nb;сосед\nc; \nd;\n", [2]),  # blank cells are no entries
        ("phone\n901234567\n phone \n911234567\n", []),  # the heading again
        ("name;phone\nA;901234567\nФИО;телефон\nB;911234567\n", []),  # other headings
        ("phone\n901234567\nтелефон сломан\n", [3]),
        ("name;phone\nA;901234567\nB;тел. 123\n", [3]),
        ("phone;until\n901234567;\nсосед;2020-01-01\n", []),  # an entry that has expired
        ("until;phone\n2027-01-01;901234567\n2027-01-01;911234567\n", []),
        ("by law\nas of today\nask Anvar\n", []),  # notes
        ("телефон;рабочий тел.\nсосед;911234567\n931234567;друг\n901234567;-\n", [2, 3]),
    ],
)
def test_a_cell_without_a_number_is_an_entry_where_its_column_holds_phones(text: str, rows: list[int]) -> None:
    assert [line for finding in listed(text).findings() for line in finding.lines] == rows


def test_an_unread_entry_is_told_with_its_file_its_text_and_what_to_do() -> None:
    text = f"phone;work\n901234567;911234567\n931234567;{'x' * 70}\nсосед;951234567\n"
    (told,) = listed(text).findings()
    assert (told.severity, told.file, list(told.lines)) == (Severity.ERROR, "dnc.csv", [3, 4])
    assert told.message == f"2 entries hold no readable number, rows 3 and 4: {'x' * 60}"
    assert "add --exclude-unread-ok" in told.hint
    (passed,) = listed(text, unread_ok=True).findings()
    assert (passed.severity, passed.hint) == (Severity.WARNING, "these people are not left out")
    with pytest.raises(CheckFailedError, match="2 entries hold no readable number") as refused:
        check_do_not_call(listed(text))
    assert refused.value.hint == told.hint


def test_an_end_that_is_no_day_is_told_with_its_file_and_how_to_write_it() -> None:
    found = listed("phone;until\n901234567;soon\n911234567;24.13.2026\n")
    assert check_do_not_call(found) == list(found.findings())
    (told,) = found.findings()
    assert (told.severity, told.file) == (Severity.WARNING, "dnc.csv")
    assert told.message == "the end of 2 entries is not a date, rows 2 and 3"
    assert told.hint == "they remain in force; write the date as 2026-11-24"


def test_the_first_unread_entry_of_all_columns_is_shown() -> None:
    (told,) = listed("phone;work\n901234567;911234567\nфакс;931234567\n941234567;сосед\nдача;951234567\n").findings()
    assert told.message == "3 entries hold no readable number, rows 3, 4 and 5: факс"


def test_a_list_without_any_number_is_told_with_its_rows() -> None:
    assert list(listed("phone;until\n").findings()) == []
    assert len(list(listed("phone\nсосед\n").findings())) == 1
    (told,) = listed("name,age\nAli,30\nBek,31\n").findings()
    assert (told.severity, told.code, told.file) == (Severity.ERROR, "exclude_unread", "dnc.csv")
    assert told.message == "dnc.csv holds 2 rows, but no phone number"
    assert "add --exclude-unread-ok" in told.hint


def test_a_list_in_a_file_is_read_as_strictly_as_an_open_one(tmp_path: Path) -> None:
    path = tmp_path / "dnc.csv"
    path.write_text("phone;until\n901234567;2026-11-24\n911234567;2026-11-25\nсосед;\n", "utf-8")
    for unread_ok, severity in ((False, Severity.ERROR), (True, Severity.WARNING)):
        found = read_do_not_call(path, DAY, unread_ok=unread_ok)
        assert found.name == str(path)
        assert found.numbers == {998911234567}
        (told,) = found.findings()
        assert told.severity is severity
    (told,) = read_do_not_call(path, DAY).findings()
    assert told.severity is Severity.ERROR


def test_a_span_that_leaves_nobody_out_or_goes_back_too_far_is_told_with_another() -> None:
    for text, words in (("0d", "leaves nobody out"), ("999999d", "is too long")):
        with pytest.raises(UsageError, match=words) as refused:
            called_from(text, NOW)
        assert "give 7d" in refused.value.hint


@pytest.mark.parametrize("heading", ["Действующий телефон", "until"])
def test_a_number_below_the_heading_of_an_end_is_excluded_too(heading: str) -> None:
    assert listed(f"phone;{heading}\n901234567;911234567\n").numbers == {998901234567, 998911234567}


def test_a_phone_heading_that_sounds_like_an_end_holds_phones() -> None:
    found = listed("Действующий телефон;до\n901234567;2020-01-01\n911234567;\n")
    assert found.numbers == {998911234567}
    assert list(found.findings()) == []


def test_every_visible_sheet_of_a_workbook_counts_and_is_told_by_its_name() -> None:
    book = xlsx(
        {
            "2025": [["phone"], [998901112233]],
            "2026": [["tel", "until"], ["91 222-33-44", "2026-11-25"], ["сосед"]],
            "by law": [["-"]],
        }
    )
    found = parse_do_not_call(io.BytesIO(book), "dnc.xlsx", DAY)
    assert found.numbers == {998901112233, 998912223344}
    assert found.note == (
        "dnc.xlsx: 1 number not to be called; 1 in column 1 (phone); dnc.xlsx, sheet '2026': 1 number not to be called;"
        " 1 in column 1 (tel); dnc.xlsx, sheet 'by law': 0 numbers not to be called"
    )
    (told,) = found.findings()
    assert (told.file, list(told.lines)) == ("dnc.xlsx, sheet '2026'", [3])
