"""The key of a number: what is compared when somebody must not be called, or not twice."""

import pytest

from alovoice_cli.errors import UsageError
from alovoice_cli.phones import (
    canonical,
    is_dialable,
    key_of_number,
    looks_like_phone,
    parse_dialled,
    spelled,
)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("00998901234567", "998901234567"), ("810998901234567", "998901234567"), ("8901234567", "998901234567"),
        ("901234567 доб 12", "998901234567"), ("тел. 90 123 45 67", "998901234567"),
        # a network that no plan knows yet
        ("998001234567", "998001234567"), ("001234567", "998001234567"), ("+998 00 123-45-67", "998001234567"),
        ("00998001234567", "998001234567"), ("810998001234567", "998001234567"),
        ("0099800123456", "0099800123456"), ("81099800123456", "81099800123456"),
        # abroad
        ("+77012345678", "77012345678"), ("0077012345678", "77012345678"), ("81077012345678", "77012345678"),
        ("77012345678", "77012345678"), ("тел 77012345678", "77012345678"), ("+7 (701) 234-56-78", "77012345678"),
        # abroad, with the digits of an Uzbek number
        ("+376312345", "00376312345"), ("00376312345", "00376312345"), ("376312345", "998376312345"),
        ("376 31 23 45", "998376312345"), ("+376\t312345", "00376312345"),
        # extensions and other short numbers
        ("1", "1"), ("12", "12"), ("2005", "2005"), ("tel:2005", "2005"), ("callto: 12", "12"), ("(2005)", "2005"),
        ("+7 12", "712"), ("2037006", "2037006"), ("123456789012345", "123456789012345"),
        # no number, or several
        ("", ""), ("+", ""), ("x1", ""), ("anonymous", ""), ("x12", ""), ("12:30", ""), ("1234567890123456", ""),
        ("+1234567890123456", ""), ("٩٠١٢٣٤٥٦٧", ""), ("901234567, 911234567", ""), ("2026-11-25", ""),
        ("901234567 911234567", ""), ("12 x", ""),
        ("2005+", ""), ("2005X", ""),
    ],
)  # fmt: skip
def test_the_key_of_each_spelling(text: str, key: str) -> None:
    assert canonical(text) == key
    assert canonical(canonical(key)) == canonical(key)


@pytest.mark.parametrize(
    ("number", "key", "spelling"),
    [
        (998901234567, "998901234567", "998901234567"),
        (77012345678, "77012345678", "+77012345678"),
        (376312345, "00376312345", "+376312345"),
        (431234567890, "431234567890", "+431234567890"),
        (99890123456, "99890123456", "+99890123456"),
    ],
)
def test_a_whole_number_has_the_key_of_its_spelling(number: int, key: str, spelling: str) -> None:
    assert (key_of_number(number), spelled(number)) == (key, spelling)
    assert canonical(spelling) == key


@pytest.mark.parametrize(
    ("text", "dialable"),
    [
        ("", False), ("1", False), ("12", True), ("12345", True), ("123456", False), ("2037006", False),
        ("901234567", True), ("998901234567", True), ("000000000", False), ("998671000000", False),
        ("+77012345678", True), ("77012345678", True), ("+376312345", True), ("6834002", True), ("70000000", False),
        ("431234567890", True), ("998712037006", True), ("671000000", False),
    ],
)  # fmt: skip
def test_who_can_be_dialled(text: str, dialable: bool) -> None:
    assert is_dialable(text) is dialable


@pytest.mark.parametrize(
    ("cell", "is_one"),
    [
        ("123456", False), ("1234567", True), ("123456789012345", True), ("1234567890123456", False),
        ("123 456", False), ("123 45 67", True), ("12345 67890 12345", True), ("12345 67890 123456", False),
        ("2025-4-5", False), ("5-4-2025", False), ("2025-04-251", True), (" 901234567 ", True), ("+998901234567", True),
        ("٩٠١٢٣٤٥٦٧", False), ("901234567x", False),
    ],
)  # fmt: skip
def test_a_cell_is_one_number_of_7_to_15_digits(cell: str, is_one: bool) -> None:
    assert looks_like_phone(cell) is is_one


def test_a_number_that_is_not_sent_as_typed_is_told_with_what_would_be() -> None:
    with pytest.raises(UsageError) as spaced:
        parse_dialled(" 90 123-45-67", "--number")
    assert spaced.value.message == "--number ' 90 123-45-67' has other characters between its digits"
    assert spaced.value.hint == "write it as 901234567"
    for text in ("1 2", "1234 5678 9012 3456", "901234567x"):
        with pytest.raises(UsageError) as wrong:
            parse_dialled(text, "--number")
        assert wrong.value.message == f"--number {text!r} is not a valid phone number"
        assert wrong.value.hint == "give 3 to 15 digits, with or without a plus"
    assert [parse_dialled(text, "--number") for text in ("123", "+123456789012345")] == ["123", "+123456789012345"]
