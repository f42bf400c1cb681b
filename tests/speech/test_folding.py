"""Folding: a hundred words in three spellings, words that must stay apart, and a second opinion."""

import unicodedata
from pathlib import Path

import alifbo
import pytest
from front_door import FrontDoor
from hypothesis import given
from hypothesis import strategies as st
from speech_cases import answer, kept
from strength import examples

from alovoice_cli.speech.folding import fold, fold_with_places, foldings
from alovoice_cli.speech.phrases import read_phrase, without_overlap

WORDS = [tuple(line.split("\t")) for line in (Path(__file__).parent / "words.tsv").read_text("utf-8").splitlines()]


def hits(text: str, sought: str, *, word: bool = False) -> list[tuple[int, int]]:
    """Where the phrase stands in the text."""
    phrase = read_phrase(sought, word=word)
    assert phrase is not None
    return without_overlap(phrase.marks(text))


def test_there_are_a_hundred_words_and_each_is_its_own() -> None:
    assert len({fold(latin) for latin, _, _ in WORDS}) == len(WORDS) == 100


def test_one_spelling_finds_the_others() -> None:
    for spellings in WORDS:
        new = alifbo.from_cyrillic(spellings[2]).text  # the alphabet of 2026, by a library of its own
        for said in (*spellings, new, spellings[1].upper(), unicodedata.normalize("NFD", new)):
            text = unicodedata.normalize("NFC", f"mana {said}, deyman")
            for sought in (*spellings, new):
                assert hits(text, sought) == [(5, 5 + len(unicodedata.normalize("NFC", said)))], (said, sought)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ol", "o'l"), ("bosh", "bo'sh"), ("tor", "to'r"), ("kul", "ko'l"), ("hol", "xol"), ("қор", "кор"),
        ("ғам", "гам"), ("ўт", "ут"), ("сом", "сўм"), ("olma", "o'lma"), ("eshitaman", "ёш"), ("dona", "дўна"),
    ],
)  # fmt: skip
def test_words_that_differ_stay_apart(one: str, other: str) -> None:
    assert not set(foldings(one)) & set(foldings(other))
    assert hits(one, other) == []


@pytest.mark.parametrize(
    ("said", "sought"),
    [
        ("счёт", "счет"),
        ("счет", "счёт"),
        ("Расчёт", "РАСЧЕТ"),
        ("ещё раз", "еще раз"),
        ("ёки", "yoki"),
        ("дунё", "dunyo"),
    ],
)
def test_russian_may_leave_out_its_dots(said: str, sought: str) -> None:
    assert hits(said, sought) == [(0, len(said))]


@pytest.mark.parametrize(
    ("said", "sought", "found"),
    [
        ("два-три дня", "два три", ["два-три"]),
        ("да, конечно", "ДА КОНЕЧНО", ["да, конечно"]),
        ("karta kartasi", "karta", ["karta", "karta"]),
        ("menga soʻz ber", "сўз", ["soʻz"]),
        ("ишонч", "sh", ["ш"]),
        ("yetkaz", "етказ", ["yetkaz"]),
        ("aaaa", "aa", ["aa", "aa"]),
    ],
)
def test_what_is_found_is_marked_where_it_was_said(said: str, sought: str, found: list[str]) -> None:
    assert [said[begin:end] for begin, end in hits(said, sought)] == found


def test_whole_words_are_whole() -> None:
    assert hits("karta kartasi", "karta", word=True) == [(0, 5)]


@examples(100)
@given(st.text(max_size=40))
def test_a_part_of_any_text_is_found_in_it(text: str) -> None:
    folded = fold_with_places(text)
    assert len(folded.places) == len(folded.text)
    assert all(0 <= begin < end <= len(folded.source) for begin, end in folded.places)
    needle = fold(text)
    if needle:
        assert hits(folded.source, folded.source)


# --- through the front door ------------------------------------------------------------------------------------------


@pytest.fixture
def home(alovoice: FrontDoor) -> FrontDoor:
    alovoice.environ["ALOVOICE_PROFILE"] = "sandbox"
    store = kept(alovoice)
    store.keep("latin", answer((0, 9, "operator", "qoʻngʻiroq qilaman"), (10, 19, "client", "xo'p"), begun=3000))
    store.keep("cyrillic", answer((0, 9, "client", "менга қўнғироқ қилинг"), tags=("Жалоба",), begun=2000), peer="2424")
    store.keep("russian", answer((0, 9, "operator", "я перезвоню за счёт фирмы"), tags=("Прощание",), begun=1000))
    return alovoice


def _found(home: FrontDoor, *words: str) -> list[str]:
    result = home("ai", "grep", *words, "--no-headers", "--columns", "call_id")
    assert result.code == 0, result.err
    return result.out.split()


@pytest.mark.parametrize("pattern", ["qo'ng'iroq", "qoʻngʻiroq", "ҚЎНҒИРОҚ", "ngʻiro"])
def test_one_pattern_finds_both_scripts_the_latest_call_first(home: FrontDoor, pattern: str) -> None:
    assert _found(home, pattern) == ["latin", "cyrillic"]


def test_the_options_narrow_what_is_searched(home: FrontDoor) -> None:
    assert _found(home, "qo'ng'iroq", "--speaker", "client") == ["cyrillic"]
    assert _found(home, "qo'ng'iroq", "--without-tag", "жалоба") == ["latin"]
    assert _found(home, "qo'ng'iroq", "--peer", "2424") == ["cyrillic"]
    assert _found(home, "qo'ng'iroq", "--limit", "1") == ["latin"]
    assert _found(home, "qo'ng'iroq", "--since", "1970-01-01T00:40+00:00") == ["latin"]
    assert _found(home, "qo'n", "--word") == []
    assert _found(home, "счет") == ["russian"]
    assert _found(home, "я") == ["russian"], "a letter is too short for the index"


def test_context_shows_the_phrases_around(home: FrontDoor) -> None:
    out = home("ai", "grep", "qilaman", "-C", "1", "--columns", "text,match", "--no-headers").out
    assert out == "qoʻngʻiroq qilaman\ttrue\nxo'p\tfalse\n"
    shown = home("ai", "grep", "қилинг", terminal=True, environ={"NO_COLOR": "1"})
    assert "менга қўнғироқ [қилинг]" in shown.out
    assert "phrases found: 1, in calls: 1" in shown.err


def test_a_pattern_of_nothing_is_refused_and_nothing_found_is_no_error(home: FrontDoor) -> None:
    assert home("ai", "grep", " ' ").code == 2
    assert home("ai", "grep", "nosuch", "--json").out == "[]\n"
    assert home("ai", "grep", '"*) OR NEAR(', "--json").code == 0


def test_list_goes_by_tags_in_any_spelling_and_tells_what_it_cuts(home: FrontDoor) -> None:
    assert home("ai", "list", "--tag", "жалоба", "--columns", "call_id", "--no-headers").out == "cyrillic\n"
    result = home("ai", "list", "--limit", "1")
    assert result.out.splitlines()[1].startswith("latin\t")
    assert "the latest 1 of 3" in result.err
    assert home("ai", "list", "-p", "sandbox", "--tag", "nosuch", "--json").out == "[]\n"
