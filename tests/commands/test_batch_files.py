"""A batch reads every file that a list is read from, and JSON Lines."""

from pathlib import Path

import pytest
from front_door import FrontDoor
from workbooks import ods, xlsx

CASES = Path(__file__).parents[1] / "campaigns" / "data" / "cases"
ROWS: list[list[object]] = [["Ism", "number"], ["Ali", 998901234567.0], ["Vali", "+998 93 111-22-33"]]
OUT = ("-p", "sandbox", "call", "out", "--inner-phone", "6001", "--dry-run", "--batch")


def test_quoted_headings_are_headings(alovoice: FrontDoor) -> None:
    result = alovoice(*OUT, str(CASES / "batch_quoted_header.csv"), "--map", "number=Phone")
    assert result.code == 0, result.err
    assert "3 rows would be sent" in result.err
    assert "931112233" in result.out


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("list.xlsx", xlsx({"S": ROWS}), ()),
        ("list.xlsx", xlsx({"Boshqa": [["x"], [1]], "S": ROWS}), ("--sheet", "S")),
        ("list.ods", ods({"S": ROWS}), ()),
        ("list.csv", "sep=|\r\nИмя|number\r\nА|998901234567\r\nБ|998931112233\r\n\x1a".encode("utf-16"), ()),
        (
            "list.csv",
            "Отчёт за 28.11.2026\n\nИмя;number\nА;998901234567\nБ;998931112233\n".encode("cp1251"),
            ("--header-line", "3"),
        ),
        ("list.csv", b'"name, full","number"\n"A, B","901234567"\n"C","931112233"\n', ()),
    ],
)
def test_every_form_of_a_list_is_a_batch(
    alovoice: FrontDoor, name: str, content: bytes, words: tuple[str, ...]
) -> None:
    (alovoice.home / name).write_bytes(content)
    result = alovoice(*OUT, name, *words)
    assert result.code == 0, result.err
    assert "2 rows would be sent" in result.err
    assert "931112233" in result.out


def test_lines_above_the_headings_are_refused_with_the_way_out(alovoice: FrontDoor) -> None:
    (alovoice.home / "list.csv").write_text("Report;\n\nname;number\nA;901234567\n", "utf-8")
    result = alovoice(*OUT, "list.csv")
    assert (result.code, "--header-line 3" in result.err) == (8, True)
    assert alovoice(*OUT, "list.csv", "--sheet", "A").code == 2


@pytest.mark.parametrize(
    "twice", ['{"number": "901234567", "number": "931112233"}', '{"number": "901234567", "n\\u0075mber": 1}']
)
def test_a_key_twice_in_a_row_is_an_error(alovoice: FrontDoor, twice: str) -> None:
    (alovoice.home / "list.jsonl").write_text('{"number": "941112233"}\n' + twice + "\n", "utf-8")
    result = alovoice(*OUT, "list.jsonl")
    assert result.code == 8
    assert "row 2" in result.err
    assert "'number'" in result.err


def test_json_lines_have_neither_sheets_nor_headings(alovoice: FrontDoor) -> None:
    (alovoice.home / "list.jsonl").write_text('{"number": "941112233"}\n', "utf-8")
    assert alovoice(*OUT, "list.jsonl").code == 0
    for words in (("--sheet", "A"), ("--header-line", "2")):
        assert alovoice(*OUT, "list.jsonl", *words).code == 2
