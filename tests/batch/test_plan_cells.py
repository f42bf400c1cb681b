"""A cell of a list becomes an id, a party, a language or a line, or is refused with a way out."""

from collections.abc import Iterator

import pytest

from alovoice_cli.batch.plan import BadCellError, read_id, read_language, read_line, read_party, read_segment
from alovoice_cli.language import in_english, use_language


@pytest.mark.parametrize("typed", ["", " ", "a b", "a\tb", "a\u202eb"])
def test_an_id_is_one_word_of_printable_letters(typed: str) -> None:
    with pytest.raises(BadCellError, match="is not a number of the PBX"):
        read_id(typed)
    with pytest.raises(BadCellError, match="is not a call's id") as told:
        read_segment(typed)
    assert told.value.hint == "give the id alone, as the PBX shows it"


@pytest.mark.parametrize("typed", [".", "..", "a/b", "a\\b"])
def test_an_id_that_would_change_the_path_of_a_url_is_refused(typed: str) -> None:
    with pytest.raises(BadCellError, match="cannot be a part of a URL"):
        read_segment(typed)
    assert read_segment(" .X-1 ").value == ".X-1"


def test_an_id_that_a_spreadsheet_has_damaged_is_told_as_that() -> None:
    for read in (read_id, read_segment):
        with pytest.raises(BadCellError, match=r"'9\.98901E\+11': a spreadsheet has rounded") as told:
            read("9.98901E+11")
        assert "its digits are lost" in told.value.hint


def test_the_colon_of_a_url_starts_no_language() -> None:
    assert read_party("tel:+998901234567").value == {"phone": "+998901234567"}
    assert read_party("tel:+998901234567:UZ").value == {"phone": "+998901234567", "lang": "uz"}


@pytest.mark.parametrize("lang", ["", "уз", "u1", "1"])
def test_a_language_has_latin_letters(lang: str) -> None:
    with pytest.raises(BadCellError, match="is not a language"):
        read_language(lang)
    with pytest.raises(BadCellError, match="does not end with a language"):
        read_party(f"901234567:{lang}")
    assert (read_language(" RU ").value, read_language("ru").key) == ("ru", "ru")


def test_a_line_is_sent_as_typed_and_known_by_its_number() -> None:
    line = read_line(" 712037006 ")
    assert (line.value, line.key, line.numbers) == ("712037006", "998712037006", ())
    with pytest.raises(BadCellError) as told:
        read_line("712-037-006")
    assert (told.value.message, told.value.hint) == (
        "'712-037-006' has other characters between its digits",
        "write it as 712037006",
    )


@pytest.fixture
def russian() -> Iterator[None]:
    use_language("ru")
    yield
    use_language("en")


@pytest.mark.usefixtures("russian")
def test_what_is_wrong_with_a_line_is_told_in_both_languages() -> None:
    with pytest.raises(BadCellError) as told:
        read_line("x")
    assert (str(told.value.message), in_english(told.value.message)) == (
        "'x' — неверный номер телефона",
        "'x' is not a valid phone number",
    )
