"""What a cell holds: each remark, each error by its sentence, and what is sent of it."""

import pytest

from alovoice_cli.phones import (
    ADVICE,
    TROUBLES,
    number_of,
    numbers_in,
    read_cell,
    sent_as,
    spreadsheet_trouble,
    trouble_text,
)
from alovoice_cli.phones.cells import compact_of, remark_on

WHOLE = 998901234567


@pytest.mark.parametrize(
    ("cell", "number", "code", "remark"),
    [
        (" 998901234567 ", WHOLE, "mobile", ""),
        ("\ufeff 901234567 \u200b", WHOLE, "mobile", ""),
        ("998 76 54 32", 998998765432, "mobile", "begins_with_998"),
        ("99 876 54 32", 998998765432, "mobile", "begins_with_998"),
        ("90 123 45 67", WHOLE, "mobile", ""),
        ("+998 99 441 28 60", 998994412860, "mobile", ""),
        ("998901234567.0", WHOLE, "mobile", "text_around"),
        ("901234567,00", WHOLE, "mobile", "text_around"),
        ("9.98901234567E+11", WHOLE, "mobile", "text_around"),
        ("9,01234567E8", WHOLE, "mobile", "text_around"),
        ("p:+998901234567", WHOLE, "mobile", "text_around"),
        ("Anvar 901234567", WHOLE, "mobile", "text_around"),
        ("9О1234567", WHOLE, "mobile", "letter_for_digit"),
        ("+376312345", 376312345, "foreign", ""),
        ("тел. 71 203 70 06", 998712037006, "landline", "text_around"),
    ],
)
def test_a_number_is_read_with_its_kind_and_what_surprised(cell: str, number: int, code: str, remark: str) -> None:
    verdict = read_cell(cell)
    assert (verdict.number, verdict.code, verdict.remark) == (number, code, remark)
    assert verdict.detail == cell.strip().strip("\ufeff\u200b").strip()


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("9.98901234567E+10", "excel_rounded"), ("9.98901E+11", "excel_rounded"), ("+9E11", "excel_rounded"),
        ("9e+11", "excel_rounded"), ("1234567.0", "excel_decimal"), ("9012345670,0", "excel_decimal"),
        ("901234567.5", "too_long"), ("123456.0", "too_short"),
        ("901234567, 911234567", "two_numbers"), ("901234567 доб. 12", "extension"), ("901234567 x12", "extension"),
        ("901234567/8", "variants"), ("901234567 или 68", "variants"),
        ("9З1234567", "letters"), ("Ali 12345", "letters"), ("Ali 1234", "no_number"), ("()", "no_number"),
        ("№ 12345", "too_short"), ("+71111111111", "not_valid"), ("(+71111111111", "not_valid"),
        ("+998101234567", "not_assigned"), ("101234567", "not_assigned"), ("998101234567", "not_assigned"),
        ("12345678", "too_short"), ("1012345678", "too_long"), ("99890123456", "too_short"),
        ("79161234567", "foreign_without_plus"), ("431234567890123", "foreign_without_plus"),
        ("71111111111", "too_long"), ("376312345678901234", "too_long"), ("25.04.2025", "no_number"),
    ],
)  # fmt: skip
def test_each_error_of_a_cell_is_named_and_keeps_its_text(cell: str, code: str) -> None:
    verdict = read_cell(f" {cell} ")
    assert (verdict.number, verdict.code, verdict.detail, verdict.remark) == (0, code, cell, "")


@pytest.mark.parametrize("code", sorted(TROUBLES))
def test_each_error_is_told_with_the_cell_and_what_to_do(code: str) -> None:
    assert trouble_text(code, " x1 ") == (f"'x1': {TROUBLES[code]}", ADVICE[code])


def test_an_empty_cell_and_an_unknown_error_are_told_too() -> None:
    assert trouble_text("empty", "") == ("the cell is empty", "write a number, or leave the row out")
    assert trouble_text("strange", "x") == ("'x': not a phone number", "")


@pytest.mark.parametrize(
    ("number", "cell", "sent"),
    [
        (WHOLE, "901234567", "901234567"), (WHOLE, " 998901234567 ", "998901234567"),
        (WHOLE, "+998901234567", "+998901234567"), (WHOLE, "+901234567", "+998901234567"),
        (WHOLE, "90 123 45 67", "+998901234567"), (WHOLE, "8901234567", "+998901234567"),
        (WHOLE, "9О1234567", "+998901234567"), (WHOLE, "911234567", "+998901234567"),
        (WHOLE, "٩٠١٢٣٤٥٦٧", "+998901234567"), (WHOLE, "00998901234567", "+998901234567"),
        (376312345, "+376312345", "+376312345"), (77012345678, "77012345678", "+77012345678"),
        (431234567890, "+431234567890", "+431234567890"), (998431234567, "431234567", "431234567"),
    ],
)  # fmt: skip
def test_a_number_is_sent_as_typed_in_the_forms_of_the_document_and_else_whole(
    number: int, cell: str, sent: str
) -> None:
    assert sent_as(number, cell) == sent


@pytest.mark.parametrize(
    ("cell", "numbers"),
    [
        ("901234567", [WHOLE]), (" +998901234567 ", [WHOLE]), ("90-123-45-67", [WHOLE]), ("9О1234567", [WHOLE]),
        ("998901234567.0", [WHOLE]), ("2025-04-25", []), ("901234567/68", [WHOLE, 998901234568]),
        ("901234567/68/69", [WHOLE, 998901234568, 998901234569]), ("901234567/12345", [WHOLE]),
        ("901234567, 911234567/68", [WHOLE, 998911234567]), ("77012345678", [77012345678]),
        ("тел 77012345678", [77012345678]), ("901234567/4568", [WHOLE, 998901234568]), ("901234567/", [WHOLE]),
        ("Anvar/901234567/68", [WHOLE]), ("9.01234567E8", [WHOLE]), ("20.04.2025", []),
        ("998 9O 123 45 67", [WHOLE]), ("9О 123 45 67", [WHOLE]),
    ],
)  # fmt: skip
def test_every_number_of_a_cell_counts_for_who_must_not_be_called(cell: str, numbers: list[int]) -> None:
    assert list(numbers_in(cell)) == numbers


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        (" 9.98901E+11 ", "excel_rounded"), ("998901234567.0", "excel_decimal"), ("901234567", ""), ("", ""),
        ("x 9E11", ""), ("123456.0", ""), ("+1234567,00", "excel_decimal"),
    ],
)  # fmt: skip
def test_the_damage_of_a_spreadsheet_is_known(cell: str, code: str) -> None:
    assert spreadsheet_trouble(cell) == code


def test_signs_between_digits_are_dropped_and_only_a_bare_number_is_remarked_on() -> None:
    assert compact_of('="+998 (90) 123-45-67"') == "+998901234567"
    assert [remark_on(text) for text in ("998765432", "994412860", "998901234567", "901234567", "99876543")] == [
        "begins_with_998", "begins_with_994", "", "", "",
    ]  # fmt: skip


def test_a_cell_with_one_number_gives_it() -> None:
    assert [number_of(text) for text in ("90 123 45 67", "сосед")] == [998901234567, 0]
