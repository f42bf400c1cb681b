"""Lists of people: which column, which number, and what the cleaned list says of them."""

import io
import json
import tempfile
from pathlib import Path

import pytest
from front_door import FrontDoor
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.campaigns.cleaning import write_lists
from alovoice_cli.campaigns.recipients import read_recipients

CASES = Path(__file__).parent.parent / "campaigns" / "data" / "cases"


def checked(alovoice: FrontDoor, *words: str) -> tuple[int, dict[str, dict[str, object]], dict[str, object]]:
    result = alovoice("numbers", "check", "list.csv", "--json", *words)
    told = json.loads(result.out)
    return result.code, {finding["code"]: finding for finding in told["findings"]}, told["recipients"]


def case(alovoice: FrontDoor, name: str) -> None:
    (alovoice.home / "list.csv").write_bytes((CASES / name).read_bytes())


def test_a_row_with_its_number_in_another_column_is_named_by_line_and_column(alovoice: FrontDoor) -> None:
    case(alovoice, "two_columns.csv")
    found = checked(alovoice)[1]["other_column_number"]
    assert (found["severity"], found["line"], found["column"]) == ("warning", 3, 3)
    _, findings, recipients = checked(alovoice, "--column", "phone 1,phone 2", "--clean", "good.csv")
    assert "other_column_number" not in findings
    assert (recipients["good"], recipients["columns"]) == (4, [2, 3])
    rows = (alovoice.home / "good.csv").read_text().splitlines()
    assert [row.split(";")[1] for row in rows[1:]] == ["998901110001", "998977076909", "998901110003", "998901110004"]


def test_a_cleaned_list_keeps_the_plus_of_foreign_numbers(alovoice: FrontDoor) -> None:
    case(alovoice, "foreign.csv")
    checked(alovoice, "--clean", "good.csv", "--rejected", "bad.csv")
    assert (alovoice.home / "good.csv").read_text() == "phone\n998901230001\n+49301234567\n"
    assert (alovoice.home / "bad.csv").read_text() == "line,reason,explanation,phone\n"


def test_a_row_that_ends_early_is_filled_up_so_that_the_cleaned_list_reads_alike(alovoice: FrontDoor) -> None:
    more = "".join(f"9989355500{number:02};Вали\n" for number in range(8))
    rows = f"Телефон;Имя\n+998 (90) 123-45-67;Али\n912345678\n{more}"
    (alovoice.home / "list.csv").write_text(rows, "utf-8")
    assert checked(alovoice, "--clean", "good.csv")[0] == 0
    cleaned = f"Телефон;Имя\n998901234567;Али\n998912345678;\n{more}"
    assert (alovoice.home / "good.csv").read_text("utf-8") == cleaned
    again = alovoice("numbers", "check", "good.csv", "--clean", "again.csv", "--json")
    assert (again.code, (alovoice.home / "again.csv").read_text("utf-8")) == (0, cleaned)


def test_text_around_a_number_is_counted_in_a_note(alovoice: FrontDoor) -> None:
    (alovoice.home / "list.csv").write_text('phone\n901234567\np:+998911234567\n"Anvar <931234567>"\n', "utf-8")
    code, findings, recipients = checked(alovoice, "--clean", "good.csv")
    assert (code, recipients["good"], findings["text_around"]["lines"]) == (0, 3, [3, 4])
    assert "rows 3 and 4" in str(findings["text_around"]["message"])
    assert (alovoice.home / "good.csv").read_text() == "phone\n998901234567\n998911234567\n998931234567\n"


def test_files_for_excel_have_a_mark_and_semicolons_and_others_have_not(alovoice: FrontDoor) -> None:
    (alovoice.home / "list.csv").write_text("имя,phone\nа,901234567\nб,12\nв,12,x,y\n", "utf-8")
    checked(alovoice, "--clean", "good.csv", "--rejected", "bad.csv")
    checked(alovoice, "--clean", "good2.csv", "--rejected", "bad2.csv", "--excel")
    assert (alovoice.home / "good.csv").read_text("utf-8") == "имя,phone\nа,998901234567\n"
    assert (alovoice.home / "good2.csv").read_text("utf-8") == "\ufeffимя;phone\nа;998901234567\n"
    for name, delimiter in (("bad.csv", ","), ("bad2.csv", ";")):
        rows = (alovoice.home / name).read_text("utf-8").splitlines()
        assert len({row.count(delimiter) for row in rows}) == 1, rows
        assert rows[0].startswith("\ufeff") == (name == "bad2.csv")


_FOREIGN = ("+49 30 1234567", "+7 916 123-45-67", "+44 20 7946 0958", "+1 212 555 0123")
_CELLS = st.sampled_from(
    [
        *_FOREIGN,
        *("", "нет", "p:+998901234567", "Anvar 901234568", "901234567, 911234567", "998998765432", "994412860"),
        *("+998 (90) 123-45-67", "998901234567.0", "9О1234567", "8 90 123 45 69", "2037006", "тел. 90 111-22-33"),
    ]
) | st.from_regex(r"(998)?(90|91|93)[0-9]{7}", fullmatch=True)


@given(st.lists(st.tuples(_CELLS, _CELLS), min_size=1, max_size=25), st.sampled_from([None, "1,2", "2,1"]))
@examples(40)
def test_reading_the_cleaned_list_gives_the_same_people_and_the_same_list(
    rows: list[tuple[str, str]], column: str | None
) -> None:
    lines = ["phone;phone 2;имя", *(f"{one};{two};x" for one, two in rows), "901112233;;x"]
    lines += [f"90222{place:04};;x" for place in range(20 * len(rows))]  # else the column is taken for misread
    with tempfile.TemporaryDirectory() as folder:
        once = Path(folder) / "once.csv"
        twice = Path(folder) / "twice.csv"
        first = read_recipients(io.BytesIO("\n".join(lines).encode()), column=column)
        write_lists(first, once, None)
        with once.open("rb") as file:
            again = read_recipients(file, column=column)
            write_lists(again, twice, None)
        assert again.tally.numbers() == first.tally.numbers()
        assert again.good == again.rows == first.good
        assert twice.read_bytes() == once.read_bytes()


@pytest.mark.parametrize("spelling", ["90{:07}", "99890{:07}", "+998 (90) 123-{:02}-{:02}", "+99890{:07}"])
def test_plain_cells_by_the_thousand_read_as_each_does_alone(alovoice: FrontDoor, spelling: str) -> None:
    odd = [
        "0901234567",
        "901234567.0",
        "p:+998901234567",
        "99-87-654-32",
        "٩٠1234567",
        "901234_67",
        "+49301234567",
        "90\n1234567",
    ]
    cells = [spelling.format(place // 100 if spelling.count("{") > 1 else place, place % 100) for place in range(2500)]
    for place, cell in enumerate(odd):
        cells[place * 300 + 7] = f'"{cell}"'
    found = read_recipients(io.BytesIO(("phone;x\n" + "".join(f"{cell};x\n" for cell in cells)).encode()))
    expected = {number for cell in cells if (number := _alone(cell.strip('"')))}
    assert found.tally.numbers() == expected


def _alone(cell: str) -> int:
    from alovoice_cli.phones import read_cell

    return read_cell(cell).number


def test_a_row_with_two_numbers_in_the_other_column_is_named_too(alovoice: FrontDoor) -> None:
    rows = "A;+998712345678;+998901234567\nB;998901234568 ::: 998931234568;\nC;;+998941234569\n"
    (alovoice.home / "list.csv").write_text("Name;Phone 1;Phone 2\n" + rows, "utf-8")
    found = {
        finding["code"]: finding
        for finding in json.loads(alovoice("numbers", "check", "list.csv", "--json").out)["findings"]
    }
    assert found["other_column_number"]["lines"] == [3]
