"""Numbers in every spelling, prefixes, and lists of them in files."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.findings import Findings
from alovoice_cli.routing.lists import read_list
from alovoice_cli.routing.numbers import Number, NumberSet, SortedKeys, key_of, prefix_of

SPELLINGS = ("901234567", "998901234567", "+998901234567", "+998 90 123-45-67", "(90) 123 45 67")


@pytest.mark.parametrize("listed", SPELLINGS)
@pytest.mark.parametrize("calling", SPELLINGS)
def test_a_number_is_found_however_it_is_written(listed: str, calling: str) -> None:
    assert NumberSet([key_of(listed)]).has(Number.of(calling))


def test_leading_zeros_and_lengths_keep_numbers_apart() -> None:
    numbers = NumberSet([key_of("0123"), key_of("2424")])
    assert [numbers.has(Number.of(text)) for text in ("0123", "123", "2424", "24240", "")] == [
        True,
        False,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("prefix", "calling", "found"),
    [
        ("99890*", "901234567", True),
        ("99890*", "+998901234567", True),
        ("90*", "998901234567", True),
        ("99871*", "712000000", True),
        ("99871*", "998712345", False),  # nine digits of operator 99: not the city's code 71
        ("+7495*", "74951234567", True),
        ("7495*", "74951234567", True),
        ("7495*", "749512345", True),  # nine digits are national, and begin so
        ("+7495*", "749512345", False),
        ("24*", "2424", True),
        ("90*", "", False),
    ],
)
def test_prefixes_count_from_the_country_or_from_the_code(prefix: str, calling: str, found: bool) -> None:
    assert NumberSet(prefixes=[prefix_of(prefix)]).has(Number.of(calling)) is found


@pytest.mark.parametrize(
    "text", ["", "phone", "1", "9.98901E+11", "12345678901234567", "90*1", "*", "９０１２３４５６７"]
)
def test_what_is_no_number_is_taken_for_none(text: str) -> None:
    assert (key_of(text), prefix_of(text)) == (0, "")


@examples(50)
@given(st.lists(st.integers(10, 10**15), max_size=200), st.integers(10, 10**15))
def test_the_compact_set_has_what_a_set_has(keys: list[int], other: int) -> None:
    compact = SortedKeys([*keys, *keys[:3]])
    assert len(compact) == len(set(keys))
    assert all(key in compact for key in keys)
    assert (other in compact) == (other in keys)
    assert {compact[index] for index in range(len(compact))} == set(keys)


def _read(path: Path, column: str | None = None) -> tuple[NumberSet, list[tuple[str, int, str]]]:
    findings = Findings()
    numbers, _ = read_list(path, path.name, column, findings)
    return numbers, [(str(found.severity), found.line or 0, found.message) for found in findings.items]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1251"])
@pytest.mark.parametrize(
    "text",
    [
        "901234567\r\n+998901112233\n\n# a remark\n99871*\n",
        "телефон\n901234567\n+998901112233\n99871*",
        "id;имя;phone\n1;Ольга;901234567\n2;Карим;+998 90 111 22 33\n3;город;99871*\n",
        'name,phone\n"Иванов, И.",901234567\nК.,998901112233\nt,99871*\n',
    ],
)
def test_lists_are_read_in_every_usual_form(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(text.encode(encoding))
    numbers, found = _read(path)
    assert found == []
    assert len(numbers) == 3
    assert all(numbers.has(Number.of(number)) for number in ("901234567", "901112233", "712223344"))


def test_a_column_is_chosen_by_its_title_or_its_place(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("old,new\n901111111,902222222\n", "utf-8")
    for column in ("new", "2"):
        numbers, found = _read(path, column)
        assert [numbers.has(Number.of(number)) for number in ("902222222", "901111111")] == [True, False], found
    _, found = _read(path, "nwe")
    assert found[0][:2] == ("error", 1)


def test_rows_that_are_no_numbers_are_told_by_line_and_rounded_ones_are_errors(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("\n".join(["901234567"] * 200 + ["unknown", "9.98901E+11"]), "utf-8")
    _, found = _read(path)
    assert [(severity, line) for severity, line, _ in found] == [("warning", 201), ("error", 202)]
    path.write_text("id\na\nb\n901234567\n", "utf-8")
    _, found = _read(path)
    assert found[-1][0] == "error"
    assert "rows without a phone number: 2 of 3" in found[-1][2]


def test_a_large_list_is_compact_and_finds_each_of_its_numbers(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    path.write_text("\n".join(f"+9989{n:08}" for n in range(0, 60_000, 2)), "utf-8")
    numbers, found = _read(path)
    assert isinstance(numbers.keys, SortedKeys)
    assert found == []
    assert [numbers.has(Number.of(f"9{n:08}")) for n in range(59_990, 60_001)] == [True, False] * 5 + [False]
    assert all(numbers.has(Number.of(number)) for number in numbers.some(100))
