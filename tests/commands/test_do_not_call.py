"""Do-not-call files: every number of every column counts, and an entry that cannot be read is an error."""

import csv
import io
import json
import tempfile
from datetime import date
from pathlib import Path

import pytest
from front_door import FrontDoor
from hypothesis import given
from hypothesis import strategies as st
from strength import examples
from workbooks import xlsx

from alovoice_cli.campaigns.exclusion import read_do_not_call

CASES = Path(__file__).parent.parent / "campaigns" / "data" / "cases"

DRESSES = (
    "998{0}",
    "+998{0}",
    "{0}",
    "00998{0}",
    "8 {1} {2} {3} {4}",
    "+998 ({1}) {2}-{3}-{4}",
    "p:+998{0}",
    "тел. {1} {2}-{3}-{4}",
    "моб.: +998{0}",
    '"Anvar" <+998{0}>',
    "Anvar <998{0}>",
    "+998{0} ::: +998712037006",
    "998{0}, 998712037006",
    "998{0}.0",
    "tel:+998{0}",
    "+998{0} (жалоба)",
    "Anvar {0}",
    "{0} доб. 12",
    "+998{0}; спросить Олима",
    "звонил с {1} {2} {3} {4} и ругался",
    "STOP от +998{0}",
)


def dressed(dress: str, national: str) -> str:
    return dress.format(national, national[:2], national[2:5], national[5:7], national[7:])


def excluded(alovoice: FrontDoor, people: str, barred: str, *words: str) -> tuple[int, dict[str, int], str]:
    (alovoice.home / "list.csv").write_bytes((CASES / people).read_bytes())
    (alovoice.home / "dnc.csv").write_bytes((CASES / barred).read_bytes())
    result = alovoice("numbers", "check", "list.csv", "--exclude", "dnc.csv", "--json", *words)
    return result.code, json.loads(result.out)["recipients"], result.err


@pytest.mark.parametrize(
    ("people", "barred", "number"),
    [
        ("list_for_dnc.csv", "dnc_second_column.csv", 1),
        ("list_for_dnc.csv", "dnc_sms_stop_log.csv", 1),
        ("list5.csv", "dnc_unread_entries.csv", 4),
    ],
)
def test_every_number_that_a_do_not_call_file_holds_is_excluded(
    alovoice: FrontDoor, people: str, barred: str, number: int
) -> None:
    code, recipients, told = excluded(alovoice, people, barred, "--clean", "good.csv")
    assert (code, recipients["excluded"]) == (0, number), told
    assert "998931112233" not in (alovoice.home / "good.csv").read_text()


def test_every_visible_sheet_of_a_do_not_call_workbook_counts(alovoice: FrontDoor) -> None:
    (alovoice.home / "list.csv").write_text("phone\n998901112233\n998912223344\n998933334455\n")
    book = xlsx({"2025": [["phone"], [998901112233]], "2026": [["tel"], ["91 222-33-44"]], "Notes": [["by law"]]})
    (alovoice.home / "dnc.xlsx").write_bytes(book)
    result = alovoice("numbers", "check", "list.csv", "--exclude", "dnc.xlsx", "--clean", "good.csv")
    assert result.code == 0, result.err
    assert (alovoice.home / "good.csv").read_text().split() == ["phone", "998933334455"]
    assert "dnc.xlsx, sheet '2026': 1 number not to be called; 1 in column 1 (tel)" in result.err


def test_the_note_names_the_columns_and_how_many_numbers_each_gave(alovoice: FrontDoor) -> None:
    told = excluded(alovoice, "list_for_dnc.csv", "dnc_second_column.csv")[2]
    assert "dnc.csv: 2 numbers not to be called; 1 in column 2 (Mobile); 1 in column 3 (Work)" in told


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("phone,note\n901234567,ok\nсосед,x\n", [3]),
        ("Name;Mobile;Work\nBek;901234567;931112233\nAli;901234568;2037006\n", [3]),
        ("901234567\nсосед\n", [2]),
        ("a,901234567\nb,901234568\nc,n/a\n", [3]),
        ("phone\n9,98901E+11\n", [2]),
    ],
)
def test_an_entry_that_cannot_be_read_is_an_error(alovoice: FrontDoor, text: str, lines: list[int]) -> None:
    (alovoice.home / "list.csv").write_text("phone\n998901234567\n998971110000\n")
    (alovoice.home / "dnc.csv").write_text(text, "utf-8")
    words = ("numbers", "check", "list.csv", "--exclude", "dnc.csv", "--clean")
    refused = alovoice(*words, "one.csv", "--json")
    found = {finding["code"]: finding for finding in json.loads(refused.out)["findings"]}
    assert (refused.code, found["exclude_unread"]["severity"]) == (8, "error")
    assert found["exclude_unread"]["lines"] == lines
    passed = alovoice(*words, "two.csv", "--exclude-unread-ok")
    assert passed.code == 0
    assert "1 entry holds no readable number" in passed.out


@pytest.mark.parametrize(
    "text",
    [
        "phone,note,получатель\n901234567,просил не звонить,Иванов\n,позже,Петров\n",
        "phone,phone 2\n901234567,\n901234568,-\n",
        "phone;until\n",
        "phone\n901234567\nphone\n901234568\n",
    ],
)
def test_free_text_empty_cells_and_headings_are_no_entries(alovoice: FrontDoor, text: str) -> None:
    (alovoice.home / "list.csv").write_text("phone\n998971110000\n")
    (alovoice.home / "dnc.csv").write_text(text, "utf-8")
    assert alovoice("numbers", "check", "list.csv", "--exclude", "dnc.csv").code == 0


def test_a_file_without_any_number_excludes_nobody_with_an_error(alovoice: FrontDoor) -> None:
    (alovoice.home / "list.csv").write_text("phone\n998971110000\n")
    (alovoice.home / "dnc.csv").write_text("name,age\nAli,30\n", "utf-8")
    result = alovoice("numbers", "check", "list.csv", "--exclude", "dnc.csv")
    assert result.code == 8
    assert "no phone number" in result.out


@given(
    st.sampled_from(DRESSES),
    st.from_regex(r"(90|91|93|94|97)[0-9]{7}", fullmatch=True),
    st.integers(0, 4),
    st.sampled_from(",;\t|"),
    st.booleans(),
    st.integers(0, 5),
)
@examples(150)
def test_a_number_in_any_column_and_any_dress_is_excluded(
    dress: str, national: str, column: int, delimiter: str, headed: bool, others: int
) -> None:
    rows = [["Имя", "Телефон", "Рабочий", "Заметка", "Город"]] * headed
    rows += [[f"Имя {at}", f"+99890765{at:04}", "", "позвонить позже", "Нукус"] for at in range(others)]
    row = ["Олим", "+998907650999", "", "", "Нукус"]
    row[column] = dressed(dress, national)
    rows.append(row)
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dnc.csv"
        path.write_text(text.getvalue(), "utf-8")
        assert int(f"998{national}") in read_do_not_call(path, date(2026, 11, 28)).numbers


def test_who_is_not_to_be_called_is_no_missed_caller(alovoice: FrontDoor) -> None:
    (alovoice.home / "dnc.csv").write_text("phone\nсосед\n", "utf-8")
    refused = alovoice("events", "missed", "--exclude", "dnc.csv")
    assert refused.code == 8
    assert "сосед" in refused.err
    (alovoice.home / "dnc.csv").write_text("Name,Work\nBek,p:+998901234567\n", "utf-8")
    passed = alovoice("events", "missed", "--exclude", "dnc.csv")
    assert "1 in column 2 (Work)" in passed.err


@pytest.mark.parametrize("cell", ["901110005/06", "90 111-00-05, 06", "+998 90 111 00 05 или 06", "901110005/6"])
def test_the_second_number_of_a_cell_that_writes_only_its_ending_is_excluded(alovoice: FrontDoor, cell: str) -> None:
    (alovoice.home / "list.csv").write_text("phone\n901110005\n901110006\n901110007\n", "utf-8")
    (alovoice.home / "stop.csv").write_text(f'phone\n"{cell}"\n', "utf-8")
    result = alovoice("numbers", "check", "list.csv", "--exclude", "stop.csv", "--json")
    assert json.loads(result.out)["recipients"]["excluded"] == 2, result.err
