"""Exports without people's numbers."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.events.hiding import Hiding


def test_the_same_number_looks_the_same_in_every_spelling_and_another_does_not() -> None:
    hiding = Hiding(b"k")
    shown = {hiding.number(text) for text in ("901234567", "+998901234567", "998 90 123-45-67")}
    assert len(shown) == 1
    assert re.fullmatch(r"99890•{5}67~[0-9a-f]{6}", shown.pop())
    assert hiding.number("901234567") != hiding.number("901239967")
    assert Hiding().number("901234567") != Hiding().number("901234567")
    assert hiding.number("101") == "101"


def test_ids_times_and_our_own_lines_stay() -> None:
    body = {
        "inner_phone": 101,
        "number": "+998901234567",
        "line": 712037006,
        "trunk_number": "712037006",
        "start_time": 1745571727,
        "call_id": "123456789012",
        "id": 1234567890,
        "externalid": 174557172712345,
        "record": "https://cld.alovoice.uz/play/2025-04-25/998901234567-712037006.mp3",
        "attempts": [{"phone": 977076909, "note": "call +998 90 123-45-67, then wait"}],
        "answered": True,
    }
    shown = Hiding(b"k").value(body)
    text = json.dumps(shown, ensure_ascii=False)
    assert not re.search(r"1234567(?!89)|7076909|123-45-67", text)
    assert isinstance(shown, dict)
    assert {key for key in body if shown[key] == body[key]} == set(body) - {"number", "record", "attempts"}
    assert "2025-04-25" in shown["record"]
    assert Hiding(b"k").value({"link": "https://x/2025-04-25/1"}) == {"link": "https://x/2025-04-25/1"}


def test_a_body_that_could_not_be_read_gives_nothing_away() -> None:
    hiding = Hiding(b"k")
    assert "1234567" not in str(hiding.event({"body": "number=998901234567&x"}))
    assert hiding.event({"body": {"base64": "//4x"}}) == {"body": {"hidden_bytes": 3}}
    assert "1234567" not in str(hiding.event({"body": None, "query": {"number": "+998901234567"}}))
    assert "1234567" not in str(hiding.event({"body": None, "answer": {"callto": "90 123 45 67", "id": "01AB"}}))


@given(
    st.integers(900000000, 999999999), st.text(alphabet="ab ,;:|\n", max_size=5), st.sampled_from(["", "+998", "998"])
)
@examples(60)
def test_no_number_survives_in_any_text(number: int, around: str, prefix: str) -> None:
    shown = Hiding(b"k").text(f"{around}{prefix}{number}{around}")
    assert str(number) not in shown
    assert str(number)[3:] not in shown
