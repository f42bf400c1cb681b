"""One number, many spellings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.errors import UsageError
from alovoice_cli.phones import canonical, looks_like_phone, parse_dialled


@pytest.mark.parametrize(
    "text", ["994412860", "998994412860", "+998994412860", "+998 (99) 441-28-60", "99 441 28 60", " 99\xa04412860 "]
)
def test_all_spellings_of_a_number_have_one_key(text: str) -> None:
    assert canonical(text) == "998994412860"


@pytest.mark.parametrize(
    ("text", "key"),
    [("998765432", "998998765432"), ("2005", "2005"), ("+74951234567", "74951234567"), ("", ""), ("abc", "")],
)
def test_nine_digits_are_national_and_other_lengths_stay(text: str, key: str) -> None:
    assert canonical(text) == key


@pytest.mark.parametrize(
    "cell",
    [
        "998901234567",
        "+998901234567",
        "901234567",
        " 90 123 45 67",
        "+998 (90) 123-45-67",
        "(90) 123-45-67",
        "+(998)901234567",
        "2037006",
        "90\u2011123\u201145\u201167",
        "+998\xa090\xa01234567",
        "8-800-2000-600",
    ],
)
def test_a_cell_with_a_phone_is_known(cell: str) -> None:
    assert looks_like_phone(cell)


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "+",
        "name",
        "12",
        "123456",
        "2025-04-25",
        "25-04-2025",
        "2025.04.25",
        "9.98901E+11",
        "998901234567.0",
        "1 200,00",
        "1234567890123456",
        "998901234567 Ali",
        "901234567, 911234567",
        "90+1234567",
        "--------",
        "٩٠١٢٣٤٥٦٧",
        "18:00:00",
    ],
)
def test_a_cell_without_a_phone_is_known(cell: str) -> None:
    assert not looks_like_phone(cell)


@pytest.mark.parametrize("text", ["994412860", "+998994412860", "2005", "103", " 712037006\n", "0712037006"])
def test_a_dialled_number_is_sent_as_typed(text: str) -> None:
    assert parse_dialled(text, "--callto") == text.strip()


@pytest.mark.parametrize(
    ("text", "compact"),
    [
        ("+998 90 123-45-67", "+998901234567"),
        ("(71) 203-70-06", "712037006"),
        ("10 05", "1005"),
        ("(+998)901234567", "+998901234567"),
    ],
)
def test_a_number_with_signs_between_is_refused_with_its_compact_spelling(text: str, compact: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_dialled(text, "--callto")
    assert caught.value.hint == f"write it as {compact}"
    assert parse_dialled(compact, "--callto") == compact


@pytest.mark.parametrize(
    "text", ["", "+", "12", "1234567890123456", "abc", "99x4412860", "٩٠١٢٣٤٥٦٧", "99+4412860", "1\n2005"]
)
def test_what_cannot_be_dialled_is_a_usage_error_that_names_the_option(text: str) -> None:
    with pytest.raises(UsageError, match="--number"):
        parse_dialled(text, "--number")


@given(st.text(max_size=30) | st.text(alphabet="+0123456789 ()-.eE\xa0", max_size=30))
@examples(300)
def test_any_text_is_a_number_or_refused(text: str) -> None:
    key = canonical(text)
    assert canonical(key) == key or len(key) == 9
    if looks_like_phone(text):
        assert 7 <= sum(character.isdigit() for character in text) <= 15
    try:
        dialled = parse_dialled(text, "--number")
    except UsageError:
        pass
    else:
        assert dialled == text.strip()
        assert dialled.lstrip("+").isascii()


@given(st.from_regex(r"[0-9]{9}", fullmatch=True), st.sampled_from(["{}", "998{}", "+998{}", "+998 {}", "(998) {}"]))
@examples(100)
def test_the_key_does_not_hang_on_the_spelling(digits: str, spelling: str) -> None:
    assert canonical(spelling.format(digits)) == "998" + digits
