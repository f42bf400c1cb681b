"""What a cell holds: a number in any spelling, or a trap that is named for what it is."""

import io

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.campaigns.recipients import read_recipients
from alovoice_cli.phones import FOREIGN, LANDLINE, MOBILE, kind_of, numbers_in, read_cell

WHOLE = 998901234567


@pytest.mark.parametrize(
    "cell",
    [
        "998901234567",
        "+998901234567",
        "901234567",
        "8901234567",
        "8 90 123-45-67",
        "8(90)1234567",
        "+998 (90) 123-45-67",
        "(+998) 90 123 45 67",
        "998-90-123-45-67",
        "90.123.45.67",
        "+998\xa090\xa0123\u202f45\u200967",
        "90\u2011123\u201345\u201467",
        "\u200e+998901234567\u200f",
        "\ufeff998901234567",
        "'998901234567",
        '="998901234567"',
        "00998901234567",
        "810998901234567",
        "0901234567",
        "8 10 998 90 123 45 67",
        "tel:+998901234567",
        "9О1234567",
        "9о 1234567",
        "9O1234567",
        "+998 9О 123 45 67",
    ],
)
def test_every_spelling_of_an_uzbek_number_is_the_same_number(cell: str) -> None:
    assert read_cell(cell).number == WHOLE


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("9,98901E+11", "excel_rounded"),
        ("9.98901E+11", "excel_rounded"),
        ("998101234567.0", "excel_decimal"),
        ("9.98901234E+11", "excel_rounded"),
        ("901234567, 911234567", "two_numbers"),
        ("901234567 911234567", "two_numbers"),
        ("+998901234567;+998911234567", "two_numbers"),
        ("901234567 или 911234567", "two_numbers"),
        ("901234567\n911234567", "two_numbers"),
        ("901234567/8", "variants"),
        ("901234567,68", "variants"),
        ("901234567 доб 12", "extension"),
        ("901234567 доб. 12", "extension"),
        ("901234567 ext. 12", "extension"),
        ("901234567#12", "extension"),
        ("9З1234567", "letters"),
        ("2037006", "too_short"),
        ("103", "too_short"),
        ("99890123456", "too_short"),
        ("9989012345678", "too_long"),
        ("101234567", "not_assigned"),
        ("998101234567", "not_assigned"),
        ("79161234567", "foreign_without_plus"),
        ("+71111111111", "not_valid"),
        ("25.04.2025", "no_number"),
        ("2025-04-25", "no_number"),
        ("нет", "no_number"),
        ("-", "no_number"),
        ("٩٠١٢٣٤٥٦٧", "no_number"),
        (" \xa0 ", "empty"),
        ("", "empty"),
    ],
)
def test_a_trap_is_named_for_what_it_is_and_none_is_shortened(cell: str, code: str) -> None:
    verdict = read_cell(cell)
    assert (verdict.number, verdict.code) == (0, code)


@pytest.mark.parametrize(
    ("cell", "number", "kind", "remark"),
    [
        ("998765432", 998998765432, MOBILE, "begins_with_998"),
        ("994412860", 998994412860, MOBILE, "begins_with_994"),
        ("9О1234567", WHOLE, MOBILE, "letter_for_digit"),
        ("712037006", 998712037006, LANDLINE, ""),
        ("tel:+998901234567", WHOLE, MOBILE, ""),
        ("tel:+998901234567 Anvar", WHOLE, MOBILE, "text_around"),
        ("+79161234567", 79161234567, FOREIGN, ""),
        ("0079161234567", 79161234567, FOREIGN, ""),
    ],
)
def test_what_might_be_misread_is_read_and_remarked_on(cell: str, number: int, kind: str, remark: str) -> None:
    verdict = read_cell(cell)
    assert (verdict.number, verdict.code, verdict.remark) == (number, kind, remark)


@pytest.mark.parametrize(
    ("cell", "numbers"),
    [
        ("901234567 доб 12", [WHOLE]),
        ("901234567/8", [WHOLE, 998901234568]),
        ("901234567, 911234567", [WHOLE, 998911234567]),
        ("901234567 911234567", [WHOLE, 998911234567]),
        ("нет", []),
    ],
)
def test_whoever_is_not_to_be_called_is_found_in_any_cell(cell: str, numbers: list[int]) -> None:
    assert list(numbers_in(cell)) == numbers


def _libphonenumber(cell: str) -> int:
    """The number that libphonenumber reads in Uzbekistan, 0 where that is none or not valid."""
    try:
        found = phonenumbers.parse(cell, "UZ")
    except phonenumbers.NumberParseException:
        return 0
    if not phonenumbers.is_valid_number(found) or found.extension:
        return 0
    return int(f"{found.country_code}{found.national_number}")


def _through_a_list(cell: str) -> int:
    """The number of a row beside a thousand plain ones: by way of the batches."""
    rows = "".join(f"x;998901{place:06}\n" for place in range(600))
    whom = read_recipients(io.BytesIO(f"{rows}x;{cell}\n{rows}".encode()))
    return next((number for number in whom.tally.numbers() if not 998901000000 <= number < 998901000600), 0)


@pytest.mark.parametrize(
    "cell",
    [
        *("998765432", "994412860", "901234567/8", "901234567 доб 12", "9989012345678", "99890123456", "101234567"),
        *("612345678", "712037006", "998712037006", "+79161234567", "79161234567", "+994501234567", "994501234567"),
        *("+998 (91) 123-45-67", "998 91 123 45 67", "00998911234567", "2037006", "103", "9.98901E+11"),
    ],
)
def test_a_trap_gets_libphonenumbers_verdict_through_the_quick_path(cell: str) -> None:
    assert _through_a_list(cell) == read_cell(cell).number == _libphonenumber(cell)


@pytest.mark.floors
@given(st.from_regex(r"(\+?998|00998)?[0-9]{8,10}", fullmatch=True))
@examples(60)
def test_digits_get_libphonenumbers_verdict(cell: str) -> None:
    ours, theirs = read_cell(cell).number, _libphonenumber(cell)
    if cell[0] in "80" and len(cell) == 10:  # trunk prefixes, of which libphonenumber knows none here
        assert theirs == 0
        assert ours == _libphonenumber(cell[1:])
    else:
        assert ours == theirs


@pytest.mark.floors
@given(st.integers(20_000, 99_999), st.integers(0, 9_999))
@examples(100)
def test_the_last_four_digits_decide_nothing(head: int, tail: int) -> None:
    number = phonenumbers.PhoneNumber(country_code=998, national_number=head * 10_000 + tail)
    assert phonenumbers.is_valid_number(number) == bool(kind_of(head))
    is_landline = phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.FIXED_LINE
    assert is_landline == (kind_of(head) == LANDLINE)


@given(st.text(max_size=30) | st.text(alphabet="+0123456789 ()-.,;/доб#xEО\xa0", max_size=30))
@examples(150)
def test_any_cell_has_a_verdict(cell: str) -> None:
    verdict = read_cell(cell)
    assert verdict.code
    assert not verdict.number or 7 <= len(str(verdict.number)) <= 15
