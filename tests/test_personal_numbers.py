"""Cards, passports and PINFL: found in any grouping, and hidden in every export; other numbers are none of them."""

import json
import re

import pytest
from event_rows import Rows
from front_door import FrontDoor
from hypothesis import given
from hypothesis import strategies as st
from speech_cases import BEGAN, answer, kept
from strength import examples

from alovoice_cli.events.hiding import Hiding
from alovoice_cli.personal_numbers import find_personal_numbers, is_card, is_pinfl
from alovoice_cli.speech.number_masking import mask_numbers

PINFL = ("31210632040244", "31210932040247", "40201902050010")  # the examples of the resolutions of 1996 and 2022


def _kinds(text: str) -> list[str]:
    return [found.kind for found in find_personal_numbers(text)]


def _with_check_digit(body: str) -> str:
    return next(body + digit for digit in "0123456789" if is_card(body + digit))


@pytest.mark.parametrize(
    "text",
    [
        "8600 1234 5678 9012", "8600123456789012", "8600-1234-5678-9012", "8600, 1234, 5678, 9012",
        "4111 1111 1111 1111",
        "86 00 12 34 56 78 90 12", "8600 12 34 5678 90 12", "8600\u00a01234\u00a05678\u00a09012", "9860 0000 0000 0000",
        "3782 822463 10005",
    ],
)  # fmt: skip
def test_a_card_is_a_card_in_any_grouping(text: str) -> None:
    assert _kinds(f"karta raqami {text}, muddati 12/27") == ["card"]
    assert _kinds(f"+998901334567 {text}") == ["card"] or "86 00" in text


def test_the_examples_are_what_they_should_be() -> None:
    assert is_card("8600123456789012")
    assert not is_card("8600123456789013")
    assert all(is_pinfl(one) for one in PINFL)
    assert not is_pinfl("31210632040245")
    assert not is_pinfl("33113632040244")


@pytest.mark.parametrize("text", [*PINFL, "3 121063 204 024 4", "31210632 040244", "3-12-10-63-204-024-4"])
def test_a_pinfl_is_found_by_its_check_digit(text: str) -> None:
    assert _kinds(f"ПИНФЛ {text}.") == ["pinfl"]


@pytest.mark.parametrize(
    "text",
    ["AA1234567", "aa1234567", "AB 1234567", "ab 123 45 67", "АА1234567", "аа 1234567", "KA№1234567", "FA-1234567",
     "AА 12-34-567", "XY1234567", "АА номер 1234567", "AA raqami 1234567",
     "aa, 1234567"],
)  # fmt: skip
def test_a_passport_is_found_in_both_scripts(text: str) -> None:
    (found,) = find_personal_numbers(f"паспорт {text}, berilgan")
    assert (found.kind, found.value[2:]) == ("passport", "1234567")
    assert re.fullmatch("[A-Z]{2}", found.value[:2])


@pytest.mark.parametrize(
    "text",
    [
        "+998 90 123-45-67", "998901334567", "901334567, 935556677", "90 123 45 67 yoki 93 555 66 77", "0071 234 56 78",
        "2025-04-25 14:30:05", "20250425143005", "25.04.2025 - 30.04.2025", "1 250 000 so'm", "12 345 678 901 сум",
        "1745571727.12345", "на 1234567 сум", "ok 1234567", "да 1234567",
        "zakaz AAA1234567", "AA12345678", "1AA1234567",
        "AA123456", "0000000000000000", "8600 1234 5678 9013", "id 01JAA1234567",
    ],
)  # fmt: skip
def test_other_numbers_are_no_personal_numbers(text: str) -> None:
    assert find_personal_numbers(text) == []


@given(st.integers(0, 999_999_999), st.integers(0, 999_999_999), st.sampled_from([", ", "; ", " va ", "\n"]))
@examples(80)
def test_two_phones_are_never_a_card(one: int, other: int, between: str) -> None:
    first, second = f"+998{one:09}", f"+998{other:09}"
    assert find_personal_numbers(f"{first}{between}{second}") == []


@given(
    st.text(alphabet="0123456789", min_size=11, max_size=11),
    st.sampled_from(["8600", "9860", "4111", "5555", "6262"]),
    st.lists(st.sampled_from(["", " ", "-", ", ", "  "]), min_size=15, max_size=15),
    st.sampled_from(["", "karta ", "да, "]),
)
@examples(100)
def test_no_card_survives_in_any_export(body: str, issuer: str, between: list[str], before: str) -> None:
    digits = _with_check_digit(issuer + body)
    text = before + "".join(f"{digit}{sign}" for digit, sign in zip(digits, [*between, ""], strict=True))
    assert _kinds(text) == ["card"] or is_pinfl(digits[:14])
    for shown in (mask_numbers(text), Hiding(b"k").text(text)):
        left = re.sub(r"~[0-9a-f]{6}", "", shown)
        assert len(re.findall("[0-9]", left)) <= 2, shown
    assert Hiding(b"k").text(digits) == Hiding(b"k").text(f"{digits[:4]} {digits[4:8]} {digits[8:12]} {digits[12:]}")


@given(
    st.sampled_from(["AA", "ab", "АВ", "Ка", "FA"]),
    st.integers(0, 9_999_999),
    st.sampled_from(["", " ", "-", " № ", ", ", " номер "]),
)
@examples(60)
def test_no_passport_survives_in_any_export(series: str, number: int, between: str) -> None:
    text = f"pasport {series}{between}{number:07} berilgan"
    for shown in (mask_numbers(text), Hiding(b"k").text(text)):
        left = re.sub(r"~[0-9a-f]{6}", "", shown)
        assert series not in left
        assert not re.search("[0-9]", left)
    assert Hiding(b"k").text(f"AA{number:07}") == Hiding(b"k").text(f"аа {number:07}")


@given(st.text(alphabet="0123456789 ,-AАaа\u00a0№", max_size=60))
@examples(150)
def test_any_text_is_read_and_what_is_found_lies_in_it_in_order(text: str) -> None:
    at = 0
    for found in find_personal_numbers(text):
        assert at <= found.begin < found.end <= len(text)
        at = found.end
    assert len(mask_numbers(text)) <= len(text) + 3


@pytest.mark.parametrize("text", ["8" * 100_000, "8 " * 3_000, "AA" * 50_000, "a://" * 50_000, "x" * 100_000 + "://"])
def test_long_texts_take_time_in_proportion(text: str) -> None:
    find_personal_numbers(text)
    Hiding(b"k").text(text)
    mask_numbers(text)


def test_a_short_number_is_hidden_too() -> None:
    assert "2345678" not in Hiding(b"k").text("call 2345678 or 234-56-78")
    assert re.match(r"2•{4}78~", Hiding(b"k").number("2345678"))


def test_a_link_does_not_keep_the_words_around_it_from_being_read() -> None:
    text = "оплата https://pay.uz/2025-04-25/1 картой 8600 1234 5678 9012"
    shown = Hiding(b"k").text(text)
    assert "https://pay.uz/2025-04-25/1" in shown
    assert "8600" not in shown


# --- through the front door ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["text", "json", "md", "srt", "vtt", "csv", "html"])
def test_a_card_that_is_said_in_four_fragments_is_hidden_in_every_form(alovoice: FrontDoor, form: str) -> None:
    alovoice.environ["ALOVOICE_PROFILE"] = "sandbox"
    said = ["8600", "1234", "5678", "9012 паспорт аа 7654321", "yuz o'n bir", "ikki uch"]
    phrases = [(1000 * at, 1000 * at + 900, "client", text) for at, text in enumerate(said)]
    tag = {
        "name": "Карта",
        "match_text": "5678",
        "fragment_id": "f2",
        "begin": 2000,
        "end": 2900,
        "value": "8600123456789012",
    }
    kept(alovoice).keep("1", answer((500, 600, "operator", "ha"), *phrases, tags=(tag,)))
    result = alovoice("ai", "show", "1", "--format", form, "--mask-numbers")
    assert result.code == 0, result.err
    shown = re.sub(r'"(?:begin|end|begin_time)": ?\d+|\d\d?:\d\d(?::\d\d[.,]\d{3})?|2024-05-20', "", result.out)
    for hidden in ("8600", "1234", "5678", "9012", "7654321", "54321", "yuz", "ikki"):
        assert hidden not in shown, (hidden, shown)


def test_a_search_hides_them_too(alovoice: FrontDoor) -> None:
    alovoice.environ["ALOVOICE_PROFILE"] = "sandbox"
    phrases = [(0, 900, "client", "karta 8600"), (1000, 1900, "client", "1234 5678"), (2000, 2900, "client", "9012")]
    kept(alovoice).keep("1", answer(*phrases))
    lines = json.loads(alovoice("ai", "grep", "karta", "-C", "2", "--mask-numbers", "--json").out)
    assert [line["text"] for line in lines] == ["karta ••••", "•••• ••••", "••12"]
    terminal = alovoice("ai", "grep", "karta", "-C", "2", "--mask-numbers", terminal=True).out
    assert "8600" not in terminal


def test_the_export_of_events_hides_them_and_keeps_ids(alovoice: FrontDoor) -> None:
    (alovoice.home / "state").mkdir(mode=0o700)
    Rows(alovoice.home / "state" / "events.db").call(BEGAN, call_id="8600123456789012")
    whole = alovoice("events", "export", "--since", "all", "--mask-numbers").out
    assert "8600123456789012" in whole
    shown = Hiding(b"k").value(
        {"note": "PINFL 31210632040244, AA1234567", "card": 8600123456789012, "extid": 8600123456789012}
    )
    text = json.dumps(shown, ensure_ascii=False)
    assert not re.search(r"3121|AA1234567|8600123456789012\"", text)
    assert text.endswith('"extid": 8600123456789012}')
