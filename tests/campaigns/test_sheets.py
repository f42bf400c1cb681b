"""The one reader of lists: every form that people's programs write gives the same rows."""

import csv
import io
import json
from contextlib import suppress
from pathlib import Path

import pytest
from front_door import FrontDoor
from hypothesis import given
from hypothesis import strategies as st
from strength import examples
from workbooks import ods, ods_of, xlsx, xlsx_of, zipped

from alovoice_cli.campaigns.layout import find_layout
from alovoice_cli.campaigns.recipients import read_recipients
from alovoice_cli.campaigns.sheet import open_sheet
from alovoice_cli.errors import CheckFailedError, UsageError

DATA = Path(__file__).parent / "data"
CASES = DATA / "cases"
ROWS: list[list[object]] = [
    ["Исм", "Телефон"],
    ["Ali", 998901234567.0],
    ["Vali", "+998 93 111-22-33"],
    ["Gʻani", 901234569],
]
PEOPLE = {998901234567, 998931112233, 998901234569}


def check(alovoice: FrontDoor, content: bytes, *words: str, name: str = "list.csv") -> dict[str, object]:
    (alovoice.home / name).write_bytes(content)
    result = alovoice("numbers", "check", name, "--json", *words)
    assert result.code == 0, result.out + result.err
    told: dict[str, object] = json.loads(result.out)
    return told


def numbers(content: bytes) -> set[int]:
    return set(read_recipients(io.BytesIO(content), "list").tally.numbers())


@pytest.mark.floors
@pytest.mark.parametrize(
    ("case", "words", "column", "good"),
    [
        ("two_columns", (), 2, 3),
        ("two_in_a_cell", (), 2, 2),
        ("bitrix_contacts", (), 4, 11),
        ("twilio_cdr", (), 4, 11),
        ("sep_line", (), 2, 2),
        ("preamble", ("--header-line", "3"), 2, 2),
        ("batch_quoted_header", (), 2, 3),
    ],
)
def test_lists_as_programs_write_them(
    alovoice: FrontDoor, case: str, words: tuple[str, ...], column: int, good: int
) -> None:
    people = check(alovoice, (CASES / f"{case}.csv").read_bytes(), *words)["recipients"]
    assert isinstance(people, dict)
    assert (people["column"], people["good"]) == (column, good)


def test_a_second_phone_column_is_known(alovoice: FrontDoor) -> None:
    with (CASES / "two_columns.csv").open("rb") as file:
        sheet = open_sheet(file, "list")
        assert find_layout(sheet).phone_columns == (1, 2)
        layout = find_layout(sheet, "phone 1,phone 2")
        assert (layout.columns, layout.headings) == ((1, 2), ("name", "phone 1", "phone 2"))
        assert find_layout(sheet, "3, 2").columns == (2, 1)
    assert alovoice("numbers", "check", str(CASES / "two_columns.csv"), "--column", "phone 1,nosuch").code == 8


def test_two_numbers_in_a_cell_are_named_by_line(alovoice: FrontDoor) -> None:
    told = check(alovoice, (CASES / "two_in_a_cell.csv").read_bytes())
    assert isinstance(told["findings"], list)
    assert {finding["code"]: finding["lines"] for finding in told["findings"]}["two_numbers"] == [2, 4]


def test_lines_above_the_headings_are_refused_with_the_way_out(alovoice: FrontDoor) -> None:
    (alovoice.home / "list.csv").write_bytes((CASES / "preamble.csv").read_bytes())
    result = alovoice("numbers", "check", "list.csv")
    assert result.code == 8
    assert "--header-line 3" in result.out
    for line, said in (("9", "has no row 9"), ("2", "is blank")):
        wrong = alovoice("numbers", "check", "list.csv", "--header-line", line)
        assert (wrong.code, said in wrong.err) == (2, True)
    assert alovoice("numbers", "check", "list.csv", "--header-line", "4").code == 8, "line 4 is a person"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1251"])
def test_line_numbers_are_those_of_the_file_as_given(alovoice: FrontDoor, encoding: str) -> None:
    text = "Отчёт\r\n\r\nимя|телефон\r\nА|901234567\r\nБ|12\r\n\x1a"
    told = check(alovoice, text.encode(encoding), "--header-line", "3", "--clean", "clean.csv")
    assert isinstance(told["findings"], list)
    assert {finding["code"]: finding["lines"] for finding in told["findings"]}["too_short"] == [5]
    assert (alovoice.home / "clean.csv").read_text("utf-8-sig").split() == ["имя|телефон", "А|998901234567"]


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("created_time,phone_number\n2026-11-20T10:00:00+05:00,p:+998901234567\n", 1),
        ("ID;Телефон\n901234561;\n901234562;931112233\n901234563;941112233\n", 1),
        ("Договор;Контакт\n901234561;998931112233\n901234562;998941112233\n", 1),
        ("Telegram ID,WhatsApp\n901234561,998931112233\n901234562,998941112233\n", 1),
        ("from,to\n" + "".join(f"712037006,9012345{n}\n" for n in range(60, 70)), 1),
        ("phone\n901234567\n", 0),
        ("name,phone\nA,901234567\n", 1),
        ("phone;email\n+998901234567;a@b\n", 0),
        ("name;phone\n" + "".join(f"A{n};9011100{n}, 9012100{n}\n" for n in range(10, 40)), 1),
        ("id;Контакт\n1;нет телефона\n2;901234567\n", 1),
    ],
)
def test_the_column_of_people_is_taken(text: str, column: int) -> None:
    assert find_layout(open_sheet(io.BytesIO(text.encode()), "list")).column == column


@pytest.mark.parametrize(
    ("text", "own_lines"),
    [
        ("ID;Имя\n901234561;A\n901234562;B\n", ()),
        ("from,note\n712037006,a\n712037006,b\n712037006,c\n", ()),
        ("from,note\n712037006,a\n712037007,b\n", (998712037006, 998712037007)),
    ],
)
def test_a_column_of_ids_or_of_our_own_line_is_no_list_of_people(text: str, own_lines: tuple[int, ...]) -> None:
    sheet = open_sheet(io.BytesIO(text.encode()), "list")
    with pytest.raises(CheckFailedError, match=r"ids|in every row|lines of the PBX"):
        find_layout(sheet, own_lines=own_lines)
    assert find_layout(sheet, "1", own_lines).column == 0


def test_a_heading_with_a_comma_and_one_that_stands_twice() -> None:
    quoted = open_sheet(io.BytesIO(b'name,"phone, work",mobile\nA,901234567,931112233\n'), "list")
    assert find_layout(quoted, "phone, work").columns == (1,)
    assert find_layout(quoted, "mobile,phone, work").columns == (2, 1)
    twice = open_sheet(io.BytesIO(b"phone,phone\n901234567,931112233\n"), "list")
    with pytest.raises(CheckFailedError, match="several columns"):
        find_layout(twice, "phone")


# --- workbooks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("list.xlsx", xlsx({"Mijozlar": ROWS})),
        ("list.ods", ods({"Mijozlar": ROWS})),
        ("list.xls", (DATA / "clients.xls").read_bytes()),
    ],
)
def test_a_workbook_is_read_as_a_csv_is(alovoice: FrontDoor, name: str, content: bytes) -> None:
    told = check(alovoice, content, "--clean", "clean.csv", name=name)
    assert isinstance(told["findings"], list)
    assert "'Mijozlar'" in {finding["code"]: finding["message"] for finding in told["findings"]}["converted"]
    cleaned = list(csv.reader((alovoice.home / "clean.csv").read_text("utf-8-sig").splitlines()))
    assert {int(row[1]) for row in cleaned[1:]} == PEOPLE


def test_a_sheet_is_chosen_by_its_name(alovoice: FrontDoor) -> None:
    book = xlsx(
        {"Пусто": [], "Скрыто": [["phone"], [901110001]], "Первый": ROWS, "Второй": [["phone"], [931110002]]},
        ["Скрыто"],
    )
    (alovoice.home / "list.xlsx").write_bytes(book)
    for words, good in (((), 3), (("--sheet", "Второй"), 1), (("--sheet", "Скрыто"), 1)):
        told = json.loads(alovoice("numbers", "check", "list.xlsx", "--json", *words).out)
        assert told["recipients"]["good"] == good, words
    assert "Второй" in alovoice("numbers", "check", "list.xlsx").out, "the sheet that is left is named"
    wrong = alovoice("numbers", "check", "list.xlsx", "--sheet", "Третий")
    assert (wrong.code, "Пусто · Скрыто · Первый · Второй" in wrong.err) == (2, True)


def test_cells_are_written_as_they_are_and_rounded_numbers_show_it() -> None:
    date = b'<c r="{place}" t="d"><v>2026-11-20T00:00:00</v></c>'
    book = xlsx({"S": [[998901234567.0, 1.5, 9.98901234567e17, "+998 90\n1", date, None, 'б;,"'], [None], [1]]})
    with open_sheet(io.BytesIO(book), "list").text() as text:
        rows = list(csv.reader(text))
    assert rows[0] == ["998901234567", "1.5", "9.98901234567e+17", "+998 90 1", "2026-11-20", "", 'б;,"']
    assert len(rows) == 3, "a row of the sheet is a line"


_FAR = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
_LONG = "<row>" + "".join(f'<c r="A{at}" t="s"><v>0</v></c>' for at in range(1, 20000)) + "</row>"
_TEXT = f"<si><t>{'x' * 32000}</t></si>"
_REPEATED = (
    '<table:table table:name="S"><table:table-row table:number-rows-repeated="1000000"><table:table-cell '
    'table:number-columns-repeated="1000" office:value-type="float" office:value="1"/></table:table-row></table:table>'
)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("list.xlsx", xlsx({"S": []}), "empty"),
        ("list.xlsx", xlsx({"S": ROWS})[:-40], "damaged"),
        ("list.xlsx", xlsx({"S": ROWS})[:300] + bytes(300), "damaged"),
        ("list.xlsx", b"name;phone\nA;901234567\n", "plain text"),
        ("list.xls", b"<html><table><tr><td>901234567", "web page"),
        ("list.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "damaged"),
        ("list.xlsx", b"\xd0\xcf\x11\xe0" + bytes(600) + "EncryptedPackage".encode("utf-16-le"), "password"),
        ("list.docx", zipped({"word/document.xml": "<a/>"}), "not a workbook"),
        ("list.xlsb", zipped({"xl/workbook.bin": ""}), "xlsb"),
        ("list.xlsx", xlsx_of({"S": _FAR}), "too large"),
        (
            "list.xlsx",
            xlsx_of({"S": _LONG}, strings=_TEXT),
            "too large",
        ),
        ("list.ods", ods_of(_REPEATED), "too large"),
    ],
)
def test_what_is_no_workbook_to_read_is_said(alovoice: FrontDoor, name: str, content: bytes, said: str) -> None:
    (alovoice.home / name).write_bytes(content)
    for command in (
        ("numbers", "check", name),
        ("call", "out", "--inner-phone", "6001", "--batch", name, "-p", "sandbox"),
    ):
        result = alovoice(*command)
        assert (result.code, said in result.err) == (2, True), result.err


_OPERATORS = (998_900_000_000, 998_910_000_000, 998_930_000_000, 998_970_000_000)


@given(
    st.lists(
        st.tuples(
            st.text(alphabet="абв xyz,;\t|\"'\n", max_size=8),
            st.builds(int.__add__, st.sampled_from(_OPERATORS), st.integers(0, 9_999_999)),
            st.sampled_from(["number", "{}", "+{}"]),
        ),
        min_size=2,
        max_size=12,
        unique_by=lambda row: row[1],
    ),
    st.sampled_from(",;\t|"),
)
@examples(125)
def test_one_table_gives_the_same_people_in_every_form(people: list[tuple[str, int, str]], delimiter: str) -> None:
    rows: list[list[object]] = [["name", "phone"]]
    rows += [[name, number if form == "number" else form.format(number)] for name, number, form in people]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    written = text.getvalue()
    forms = [written.encode(), f"sep={delimiter}\r\n{written}".encode("utf-16"), xlsx({"S": rows}), ods({"S": rows})]
    found = [numbers(form) for form in forms]
    assert found[0]
    assert found == [found[0]] * len(forms)


BOOKS = {"xlsx": xlsx({"S": ROWS}), "ods": ods({"S": ROWS}), "xls": (DATA / "clients.xls").read_bytes()}


@pytest.mark.floors
@given(st.sampled_from(sorted(BOOKS)), st.data())
@examples(125)
def test_any_damage_to_a_workbook_is_an_error_of_the_file(form: str, data: st.DataObject) -> None:
    book = bytearray(BOOKS[form])
    for place in data.draw(st.lists(st.integers(0, len(book) - 1), min_size=1, max_size=6)):
        book[place] = data.draw(st.integers(0, 255))
    with suppress(UsageError, CheckFailedError):
        read_recipients(io.BytesIO(bytes(book)), "list")


def test_a_workbook_that_claims_too_many_rows_is_damaged_and_nothing_aborts() -> None:
    book = BOOKS["xls"]
    dimensions = book.index(b"\x00\x02\x0e\x00") + 4  # of the first and the last row, and of the columns
    claimed = book[: dimensions + 4] + b"\xf0\xff\xff\xff" + book[dimensions + 8 :]
    with pytest.raises(UsageError, match="list looks like a workbook, but is damaged: memory allocation of "):
        read_recipients(io.BytesIO(claimed), "list")
