"""A terminal of cp866, cp1251 or ASCII shows readable text, and the exit code is the same."""

from pathlib import Path

import pytest
from front_door import FrontDoor
from small_catalogue import use_messages

UZBEK = "bu ATSda bunday liniya yoʻq: “maʼlum” — … • ≥ ×"
RUSSIAN = "нет такой линии: «Ташкент», Ёжик — щит, съел"
ENCODINGS = ["cp866", "cp1251", "ascii", "utf-8"]


@pytest.fixture
def speaks(alovoice: FrontDoor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FrontDoor:
    """A home in which each of both languages has one message, the label of errors."""
    use_messages(tmp_path, monkeypatch, "uz", {"error": UZBEK})
    use_messages(tmp_path, monkeypatch, "ru", {"error": RUSSIAN})
    return alovoice


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("terminal", [False, True])
def test_uzbek_degrades_to_ascii_marks(speaks: FrontDoor, encoding: str, terminal: bool) -> None:
    said = {
        "cp866": """bu ATSda bunday liniya yo'q: "ma'lum" - ... * >= x""",
        "ascii": """bu ATSda bunday liniya yo'q: "ma'lum" - ... * >= x""",
        "cp1251": "bu ATSda bunday liniya yo'q: “ma'lum” — … • >= x",
        "utf-8": UZBEK,
    }[encoding]
    result = speaks("trunks", "--lang", "uz", encoding=encoding, terminal=terminal)
    assert result.code == 3
    assert said in result.err


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_russian_is_written_with_latin_letters_where_there_are_no_others(speaks: FrontDoor, encoding: str) -> None:
    said = {
        "cp866": 'нет такой линии: "Ташкент", Ёжик - щит, съел',
        "ascii": 'net takoy linii: "Tashkent", Ezhik - shchit, sel',
        "cp1251": RUSSIAN,
        "utf-8": RUSSIAN,
    }[encoding]
    result = speaks("trunks", "--lang", "ru", encoding=encoding)
    assert result.code == 3
    assert said in result.err


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_question_of_cp866_shows_the_answers_that_it_takes(speaks: FrontDoor, encoding: str) -> None:
    result = speaks("sandbox", "reset", "--lang", "uz", terminal=True, encoding=encoding, stdin="ha\n")
    assert result.code == 0
    assert ("[ha/YOʻQ]" if encoding == "utf-8" else "[ha/YO'Q]") in result.err
    assert speaks("sandbox", "reset", "--lang", "uz", terminal=True, encoding=encoding, stdin="y\n").code == 2


def test_json_is_whole_in_any_encoding(speaks: FrontDoor) -> None:
    result = speaks("trunks", "--lang", "uz", "--json", encoding="ascii")
    assert result.code == 3
    assert '"message"' in result.err
    assert result.err.isascii()
