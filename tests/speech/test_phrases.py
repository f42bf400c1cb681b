"""Phrases in the turns of a talk: across fragments, in any spelling, with any ending."""

import json
import sqlite3

import pytest
from front_door import FrontDoor
from hypothesis import given
from hypothesis import strategies as st
from speech_cases import answer, kept
from strength import examples

from alovoice_cli.speech.folding import APOSTROPHES
from alovoice_cli.speech.phrases import find_phrase, read_phrase
from alovoice_cli.speech.talk import Fragment, Talk
from alovoice_cli.speech.turns import speech_turns
from alovoice_cli.stores.analyses import STORE_NAME

Phrases = tuple[tuple[int, int, str, str], ...]
REFUND: Phrases = ((0, 1000, "operator", "Мы вернём"), (1050, 2000, "operator", "деньги завтра"))
MEANWHILE: Phrases = (REFUND[0], (900, 1200, "client", "угу"), REFUND[1])
ANSWERED: Phrases = (REFUND[0], (1000, 1900, "client", "когда же?"), (2000, 2500, "operator", "деньги завтра"))
RULES = """
[[check]]
name = "banned"
never_say = ["вернём деньги"]
speaker = "operator"
"""


@pytest.fixture
def home(alovoice: FrontDoor) -> FrontDoor:
    alovoice.environ["ALOVOICE_PROFILE"] = "sandbox"
    (alovoice.home / "qa.toml").write_text(RULES, "utf-8")
    return alovoice


def _score(home: FrontDoor) -> dict[str, float]:
    told = json.loads(home("ai", "score", "--rules", "qa.toml", "--json").out)
    return {call["call_id"]: call["score"] for call in told["calls"]}


def _found(home: FrontDoor, *words: str) -> list[dict[str, object]]:
    result = home("ai", "grep", *words, "--json")
    assert result.code == 0, result.err
    return [line for line in json.loads(result.out) if line["match"]]


def test_what_one_side_says_in_a_row_is_one_turn_for_rules_and_searches(home: FrontDoor) -> None:
    for call_id, phrases in {"row": REFUND, "meanwhile": MEANWHILE, "answered": ANSWERED}.items():
        kept(home).keep(call_id, answer(*phrases))
    assert _score(home) == {"row": 0, "meanwhile": 0, "answered": 100}
    assert {line["call_id"] for line in _found(home, "вернем деньги")} == {"row", "meanwhile"}
    assert _found(home, "вернем деньги", "--speaker", "client") == []


def test_the_lines_that_are_shown_are_the_fragments_with_their_own_times(home: FrontDoor) -> None:
    kept(home).keep("row", answer((0, 900, "operator", "Мы вернём"), (65_000, 66_000, "operator", "деньги завтра")))
    lines = _found(home, "vernem dengi")
    assert [(line["begin"], line["text"]) for line in lines] == [(0, "Мы вернём"), (65_000, "деньги завтра")]
    shown = home("ai", "grep", "вернем деньги", terminal=True, environ={"NO_COLOR": "1"}).out
    assert "Мы [вернём]" in shown
    assert "1:05" in shown
    assert "[деньги] завтра" in shown


def test_within_goes_by_the_fragment_in_which_the_phrase_begins(home: FrontDoor) -> None:
    kept(home).keep("late", answer((0, 900, "operator", "алло"), (20_000, 21_000, "operator", "добрый день")))
    kept(home).keep("soon", answer((9_000, 9_900, "operator", "добрый"), (20_000, 21_000, "operator", "день")))
    (home.home / "qa.toml").write_text('[[check]]\nsay = "добрый день"\nwithin = 10', "utf-8")
    assert _score(home) == {"late": 0, "soon": 100}


@pytest.mark.parametrize(
    "word",
    ["приём", "заём", "объём", "подъём", "серьёзно", "ёлка", "жильё", "моё", "её", "Ёмкость", "ПРИЁМ", "приё\u00adм",
     "прие\u0308м", "об’ём", "при\u00adём", "счёт", "ёжик", "трёхзначный"],
)  # fmt: skip
def test_yo_is_ye_in_russian_whichever_of_them_is_stored(home: FrontDoor, word: str) -> None:
    plain = word.replace("ё", "е").replace("Ё", "Е").replace("е\u0308", "е")
    kept(home).keep("dots", answer((0, 9, "operator", f"вот {word} тут")))
    kept(home).keep("plain", answer((0, 9, "operator", f"вот {plain} тут")))
    for sought in (word, plain):
        assert {line["call_id"] for line in _found(home, sought, "--word")} == {"dots", "plain"}, sought
        (home.home / "qa.toml").write_text(f'[[check]]\nnever_say = "{sought}"', "utf-8")
        assert _score(home) == {"dots": 0, "plain": 0}


def test_a_tag_is_found_with_dots_and_without(home: FrontDoor) -> None:
    kept(home).keep("dots", answer((0, 9, "operator", "a"), tags=("Приём",)))
    kept(home).keep("plain", answer((0, 9, "operator", "a"), tags=("прием",)))
    for name in ("ПРИЕМ", "приём"):
        assert len(json.loads(home("ai", "list", "--tag", name, "--json").out)) == 2
        assert json.loads(home("ai", "list", "--without-tag", name, "--json").out) == []
        (home.home / "qa.toml").write_text(f'[[check]]\ntag = "{name}"', "utf-8")
        assert _score(home) == {"dots": 100, "plain": 100}


@pytest.mark.parametrize(
    ("said", "sought", "found"),
    [
        ("ёки", "yoki", True), ("ёш", "yosh", True), ("тайёр", "tayyor", True), ("дунё", "dunyo", True),
        ("решение", "ёш", False), ("ёш", "еш", False), ("ерга", "ёр", False), ("ёт", "ет", False),
    ],
)  # fmt: skip
def test_uzbek_words_with_yo_are_as_they_were(said: str, sought: str, found: bool) -> None:
    phrase = read_phrase(sought, word=False)
    assert phrase is not None
    assert bool(phrase.marks(said)) is found


@pytest.mark.parametrize("apostrophe", APOSTROPHES)
def test_every_apostrophe_is_one(apostrophe: str) -> None:
    for said, sought in (
        (f"to{apostrophe}lov", "тўлов"),
        ("тўлов", f"TO{apostrophe}LOV"),
        (f"ma{apostrophe}no", "mano"),
    ):
        phrase = read_phrase(sought, word=True)
        assert phrase is not None
        assert phrase.marks(said) == [(0, len(said))]


def test_the_apostrophes_of_the_keyboards_are_known() -> None:
    assert set("'‛ʽˈ‵｀ꞌʻʼ’‘`´") <= set(APOSTROPHES)


@pytest.mark.parametrize("sign", ["\u00ad", "\u200b", "\u200c", "\u200d", "\u2060", "\ufeff"])
def test_invisible_signs_in_a_word_are_nothing(home: FrontDoor, sign: str) -> None:
    kept(home).keep("1", answer((0, 9, "operator", f"воз{sign}врат o{sign}'zbek")))
    assert len(_found(home, "возврат o'zbek", "--word")) == 1
    assert len(_found(home, f"возв{sign}рат")) == 1


@pytest.mark.parametrize(
    ("sought", "said"),
    [
        ("to'lov*", ["to'lov", "to'lovni", "TOʻLOVGA", "тўлов", "тўловимиз"]),
        ("тўлов*", ["to'lovni", "тўловга"]),
        ("доставк*", ["доставка", "Доставку", "dostavkani"]),
        ("клиент*", ["клиент", "клиентский", "клиентство", "klientlar"]),
        ("to'lay*", ["to'layetgan", "to'layman"]),
        ("верн* деньг*", ["вернём деньги", "вернуть деньгами"]),
        ("верн* деньги", ["вернём, деньги"]),
        ("речь*", ["речи", "речь"]),
    ],
)
def test_a_star_is_any_ending(sought: str, said: list[str]) -> None:
    phrase = read_phrase(sought, word=True)
    assert phrase is not None
    for text in said:
        assert phrase.marks(f"вот {text}, да")[:1] == [(4, 4 + len(text))], text


@pytest.mark.parametrize(
    ("sought", "said"), [("to'lov*", "oldinto'lov"), ("верн* деньги", "вернём эти деньги"), ("от*", "остров")]
)
def test_a_star_is_an_ending_only(sought: str, said: str) -> None:
    phrase = read_phrase(sought, word=True)
    assert phrase is not None
    assert phrase.marks(said) == []


@pytest.mark.parametrize("text", ["*лов", "to'*lov", "*", "верн * деньги", "верн*,деньги", "вер**"])
def test_a_star_elsewhere_is_an_error_of_the_rules(home: FrontDoor, text: str) -> None:
    (home.home / "qa.toml").write_text(f'[[check]]\nsay = "{text}"', "utf-8")
    result = home("ai", "score", "--rules", "qa.toml", "--check")
    assert result.code == 8
    assert "qa.toml:2:" in result.out


def test_the_search_takes_stars_too_and_its_index_finds_them(home: FrontDoor) -> None:
    kept(home).keep("1", answer((0, 9, "operator", "клиентский отдел")))
    assert len(_found(home, "клиент*", "--word")) == 1
    assert len(_found(home, "клиент* отд*", "--word")) == 1
    assert _found(home, "клиент", "--word") == []


@pytest.mark.parametrize(
    ("phrase", "said"), [("клиент", "клиентский"), ("Доставка!", "доставкаси"), ("to'lay", "to'layetgan")]
)
def test_the_form_is_found_whatever_its_ending_folds_to(home: FrontDoor, phrase: str, said: str) -> None:
    kept(home).keep("8001", answer((0, 9, "client", f"вот {said} тут")))
    (home.home / "qa.toml").write_text(f'[[check]]\nnever_say = "{phrase}"\n', "utf-8")
    (finding,) = json.loads(home("ai", "score", "--rules", "qa.toml", "--check", "--json").out)["findings"]
    assert said in finding["message"]
    assert "*" in finding["hint"]


def test_a_word_without_a_star_is_a_warning_with_a_form_that_was_said(home: FrontDoor) -> None:
    kept(home).keep("8001", answer((0, 9, "client", "тўловларни қилдим"), (10, 19, "operator", "to'lov bormi")))
    (home.home / "qa.toml").write_text('[[check]]\nsay = ["to\'lov", "hayr*", "два слова"]\n', "utf-8")
    result = home("ai", "score", "--rules", "qa.toml", "--check", "--json")
    assert result.code == 0
    (finding,) = json.loads(result.out)["findings"]
    assert (finding["severity"], finding["line"]) == ("warning", 2)
    assert "тўловларни" in finding["message"]
    assert "8001" in finding["message"]
    assert "to'lov*" in finding["hint"]
    (home.home / "qa.toml").write_text('[[check]]\nsay = "to\'lov"\nspeaker = "operator"\n', "utf-8")
    (finding,) = json.loads(home("ai", "score", "--rules", "qa.toml", "--check", "--json").out)["findings"]
    assert "тўловларни" not in finding["message"], "only what the operator says counts"


@pytest.mark.parametrize("direction", ["Operator", "OPERATOR", " agent ", "Оператор", "operator 2", "Agent-1"])
def test_a_known_side_is_known_in_any_spelling(home: FrontDoor, direction: str) -> None:
    kept(home).keep("1", answer((0, 1000, direction, "вернём деньги"), (1100, 2000, "CLIENT", "так")))
    assert _score(home) == {"1": 0}
    assert len(_found(home, "так", "--speaker", "client")) == 1
    assert json.loads(home("ai", "list", "--json").out)[0]["talk_ratio"] == 0.5263


@pytest.mark.parametrize("words", [("score", "--rules", "qa.toml"), ("report",), ("show", "1")])
def test_an_unknown_side_is_named(home: FrontDoor, words: tuple[str, ...]) -> None:
    kept(home).keep("1", answer((0, 1000, "spk_0", "вернём деньги"), (1100, 2000, "client", "так")))
    result = home("ai", *words)
    assert "'spk_0'" in result.err
    assert "neither operator nor client" in result.err


FRAGMENTS = st.lists(
    st.tuples(
        st.sampled_from(["operator", "client", "x"]),
        st.text(alphabet="ав ё'\u0301\u00ad", max_size=5),
        st.none() | st.integers(0, 3000),
        st.none() | st.integers(0, 3000),
    ).map(lambda part: Fragment(*part)),
    max_size=8,
)


@examples(100)
@given(FRAGMENTS)
def test_each_fragment_is_in_one_turn_and_what_is_found_lies_in_its_fragment(fragments: list[Fragment]) -> None:
    turns = speech_turns(fragments)
    assert sorted(place for turn in turns for place in turn.places) == list(range(len(fragments)))
    assert all(fragments[place].direction == turn.direction for turn in turns for place in turn.places)
    phrase = read_phrase("а в", word=False)
    assert phrase is not None
    for place, marks in find_phrase(Talk("1", tuple(fragments)), phrase, speaker=None, context=0).items():
        assert all(0 <= begin < end <= len(fragments[place].text) for begin, end in marks)


def test_a_store_of_an_earlier_version_is_indexed_anew(home: FrontDoor) -> None:
    kept(home).keep("1", answer(*REFUND))
    path = home.home / "state" / STORE_NAME
    with sqlite3.connect(path) as store:  # as version 1 left it: phrases by fragment, ё as before
        store.execute("INSERT INTO phrase_index (phrase_index) VALUES ('delete-all')")
        store.execute("DELETE FROM phrase")
        store.execute("DROP TABLE score_override")
        store.execute("DROP INDEX analysis_to_index")
        store.execute("ALTER TABLE analysis DROP COLUMN indexed")
        store.execute("PRAGMA user_version = 1")
    store.close()
    assert len(_found(home, "вернем деньги")) == 2
    assert home("ai", "grep", "nosuchword", "--json").out == "[]\n"
