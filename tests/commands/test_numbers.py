"""`numbers check`: a list by itself."""

import json
from pathlib import Path

import pytest
from front_door import FrontDoor
from workbooks import xlsx

LIST = """имя;телефон
Али;998901234567
Вали;+998 (91) 123-45-67
Гули;998765432
Дина;994412860
Ева;9О1234567
Жанна;931234567, 941234567
Зоя;901234567 доб 12
Инна;901234567/8
Кира;
Лола;901234567
Мила;712037006
"""


@pytest.fixture
def listed(alovoice: FrontDoor) -> FrontDoor:
    (alovoice.home / "clients.csv").write_text(LIST, "utf-8")
    return alovoice


def test_every_row_is_accounted_for_and_every_trap_is_named(listed: FrontDoor) -> None:
    result = listed("numbers", "check", "clients.csv", "--json")
    assert result.code == 0, result.err
    told = json.loads(result.out)
    counts = {name: told["recipients"][name] for name in ("rows", "good", "invalid", "empty", "duplicate", "excluded")}
    assert counts == {"rows": 11, "good": 5, "invalid": 3, "empty": 1, "duplicate": 2, "excluded": 0}
    found = {finding["code"]: (finding["severity"], finding["lines"]) for finding in told["findings"]}
    assert found == {
        "two_numbers": ("warning", [7]),
        "variants": ("warning", [9]),
        "extension": ("warning", [8]),
        "duplicate": ("warning", [6, 11]),
        "letter_for_digit": ("warning", [6]),
        "begins_with_998": ("note", [4]),
        "begins_with_994": ("note", [5]),
        "landline": ("note", [12]),
    }
    by_code = {finding["code"]: finding["message"] for finding in told["findings"]}
    assert "+998 99 876 54 32" in by_code["begins_with_998"]
    assert "not Azerbaijan" in by_code["begins_with_994"]


def test_it_needs_neither_token_nor_network(listed: FrontDoor) -> None:
    listed.environ["ALOVOICE_BASE_URL"] = "http://127.0.0.1:1"
    assert listed("numbers", "check", "clients.csv").code == 0


def test_the_cleaned_list_and_the_rejected_rows_make_up_the_file(listed: FrontDoor) -> None:
    assert listed("numbers", "check", "clients.csv", "--clean", "good.csv", "--rejected", "bad.csv").code == 0
    assert (listed.home / "good.csv").read_text("utf-8") == (
        "имя;телефон\nАли;998901234567\nВали;998911234567\nГули;998998765432\nДина;998994412860\nМила;998712037006\n"
    )
    bad = (listed.home / "bad.csv").read_text("utf-8").splitlines()
    assert bad[0] == "line;reason;explanation;имя;телефон"
    assert [line.split(";")[1] for line in bad[1:]] == [
        "duplicate",
        *("two_numbers", "extension", "variants", "empty", "duplicate"),
    ]
    assert bad[1] == "6;duplicate;998901234567 is already in row 2;Ева;9О1234567"
    again = json.loads(listed("numbers", "check", "good.csv", "--json").out)
    assert (again["recipients"]["rows"], again["recipients"]["good"]) == (5, 5)


def test_damage_by_a_spreadsheet_is_an_error_and_the_rest_is_still_told(alovoice: FrontDoor) -> None:
    (alovoice.home / "list.csv").write_text('phone\n901234567\n9,98901E+11\n"9,98901E+11"\n9989012345678.0\n2037006\n')
    result = alovoice("numbers", "check", "list.csv", "--json")
    assert result.code == 8
    found = {finding["code"]: finding["lines"] for finding in json.loads(result.out)["findings"]}
    assert found["excel_decimal"] == [5]
    assert 4 in found["excel_rounded"]
    assert found["too_short"] == [6]


@pytest.mark.parametrize(
    ("content", "code"), [(b"PK\x03\x04\0\0", 2), (b"name\nAli\n", 8), (b'phone\n"901234567\n', 8), (b"", 2)]
)
def test_what_is_no_list_is_said(alovoice: FrontDoor, content: bytes, code: int) -> None:
    (alovoice.home / "list.csv").write_bytes(content)
    result = alovoice("numbers", "check", "list.csv")
    assert result.code == code
    assert "error in alovoice" not in result.err
    assert alovoice("numbers", "check", "nosuch.csv").code == 2


def test_a_list_can_come_from_stdin(alovoice: FrontDoor) -> None:
    result = alovoice("numbers", "check", "-", "--json", stdin="тел\n901234567\n")
    assert json.loads(result.out)["recipients"]["good"] == 1


def test_a_do_not_call_list_leaves_out_whom_it_names(listed: FrontDoor) -> None:
    (listed.home / "dnc.csv").write_text("phone\n998911234567\nnobody\n", "utf-8")
    words = ("numbers", "check", "clients.csv", "--exclude", "dnc.csv", "--clean", "good.csv", "--exclude-unread-ok")
    told = json.loads(listed(*words, "--json").out)
    assert told["recipients"]["excluded"] == 1
    assert {"excluded", "exclude_unread"} <= {finding["code"] for finding in told["findings"]}
    assert "998911234567" not in (listed.home / "good.csv").read_text("utf-8")


def test_what_a_list_holds_cannot_drive_the_terminal(alovoice: FrontDoor) -> None:
    (alovoice.home / "list.csv").write_text(
        "phone\n901234567\n[red]91123456[/red] \x1b[31m\x9b\u202e\n901234567 \x1bдоб 12\n", "utf-8"
    )
    for words in ((), ("--json",), ("--csv",)):
        for terminal in (True, False):
            shown = alovoice("numbers", "check", "list.csv", *words, "--color", "never", terminal=terminal)
            assert not {"\x1b", "\x9b", "\u202e"} & set(shown.out), words
    assert "[red]91123456[/red]" in alovoice("numbers", "check", "list.csv", terminal=True).out


def test_the_help_names_the_file_and_what_is_done(alovoice: FrontDoor, tmp_path: Path) -> None:
    shown = alovoice("numbers", "check", "--help").out
    assert "--rejected" in shown
    assert "alovoice numbers check clients.csv" in shown


def test_the_profiles_own_line_is_never_taken_for_people(alovoice: FrontDoor) -> None:
    assert alovoice("config", "set", "trunks", "712037006").code == 0
    (alovoice.home / "crm.csv").write_text("line;client\n712037006;901234567\n712037006;901234567\n")
    result = alovoice("numbers", "check", "crm.csv", "--json")
    assert json.loads(result.out)["recipients"]["column"] == 2, result.out + result.err


@pytest.mark.parametrize(
    ("heading", "word"), [("name,phone\n", "phone"), ("", "2"), ("исм,тел. моб.\n", "'тел. моб.'")]
)
def test_rows_that_end_before_the_phones_are_named_for_that(alovoice: FrontDoor, heading: str, word: str) -> None:
    rows = "".join(f"Мижоз,{998901230000 + row}\n" if row % 2 == 0 else "Мижоз\n" for row in range(40))
    (alovoice.home / "ragged.csv").write_text(heading + rows, "utf-8")
    found = alovoice("numbers", "check", "ragged.csv")
    assert found.code == 8
    assert "20 of 40 rows end before column 2" in found.out
    assert f"read only the others with --column {word}" in found.out
    taken = alovoice("numbers", "check", "ragged.csv", "--column", word.strip("'"), "--json")
    assert taken.code == 0, taken.err
    assert json.loads(taken.out)["recipients"]["good"] == 20


@pytest.mark.parametrize("space", [" ", "\xa0", "."])
def test_sums_of_money_in_threes_do_not_beat_a_column_that_says_phone(alovoice: FrontDoor, space: str) -> None:
    rows = (("901 234 567", "90 123 45 67"), ("931 112 233", "93 111 22 33"), ("941 112 233", ""))
    text = "".join(f"{debt.replace(' ', space)};{phone}\n" for debt, phone in rows)
    (alovoice.home / "debts.csv").write_text(f"debt;tel\n{text}", "utf-8")
    result = alovoice("numbers", "check", "debts.csv", "--json")
    assert json.loads(result.out)["recipients"]["column"] == 2, result.out


def test_a_title_page_without_phones_names_the_other_sheets(alovoice: FrontDoor) -> None:
    tables = {"Титул": [["Отчёт"], ["ноябрь"]], "Клиенты": [["Телефон"], ["901234567"]]}
    (alovoice.home / "book.xlsx").write_bytes(xlsx(tables))
    result = alovoice("numbers", "check", "book.xlsx")
    assert (result.code, "add --sheet NAME; the other sheets: Клиенты" in result.out) == (8, True), result.out
