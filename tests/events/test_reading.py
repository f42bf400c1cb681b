"""Bodies are read by their content; whatever comes is read or told as unreadable, and can be written as JSON again."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.events.event import EVENT_TYPES, Delivery, Event
from alovoice_cli.events.event_table import event_as_json
from alovoice_cli.events.reading import read

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(
    ["id", "[]id", "id[]", "call_id", "number", "line", "status_code", "duration", "start_time", "externalid", "record"]
)
OBJECTS = st.dictionaries(KEYS, JSON, max_size=6)


def _check(kind: str, body: bytes, content_type: str) -> None:
    reading = read(kind, body, content_type)  # type: ignore[arg-type] # of EVENT_TYPES
    assert reading.digest
    assert reading.facts or reading.problem
    for fact in reading.facts:
        for name in fact.__dataclass_fields__:
            value = getattr(fact, name)
            assert value is None or isinstance(value, (int, str))
            if isinstance(value, int):
                assert -(2**63) < value < 2**63
            if isinstance(value, str):
                value.encode()
                assert "\0" not in value
    delivery = Delivery("A" * 26, kind, 0, body)  # type: ignore[arg-type] # as above
    shown = event_as_json(Event(delivery, reading.facts, value=reading.value, problem=reading.problem))
    json.loads(json.dumps(shown, allow_nan=False))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(EVENT_TYPES), st.binary(max_size=200), st.sampled_from(["", "application/json", "text/plain"]))
def test_any_bytes_are_read_or_told_as_unreadable(kind: str, body: bytes, content_type: str) -> None:
    _check(kind, body, content_type)


@examples(50)
@given(st.sampled_from(EVENT_TYPES), OBJECTS | st.lists(OBJECTS, max_size=3) | JSON)
def test_any_json_becomes_facts_that_a_database_takes(kind: str, value: object) -> None:
    _check(kind, json.dumps(value).encode(), "")


@examples(25)
@given(st.binary(max_size=120), st.text(st.characters(codec="latin-1"), max_size=20))
def test_any_multipart_is_read_or_told_as_unreadable(body: bytes, boundary: str) -> None:
    _check(
        "result", b"--x\r\nContent-Disposition: form-data; name=" + body, f"multipart/form-data; boundary={boundary}"
    )
    _check("result", body, "multipart/form-data; boundary=x")


def test_a_multipart_form_is_read_like_any_form() -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="[]id"\r\n\r\n12\r\n'
    reading = read("result", part + b"--x--\r\n", "multipart/form-data; boundary=x")
    assert (reading.value, reading.facts[0].call_id) == ({"id": "12"}, "12")


def test_columns_of_a_table_become_objects() -> None:
    for body in (b'{"[]id": [1, 2], "[]to_number": ["901234567", "901234568"]}', b"[]id=1&[]id=2"):
        assert [fact.call_id for fact in read("result", body).facts] == ["1", "2"]


def test_two_keys_for_one_name_hide_neither() -> None:
    assert read("result", b'{"id": 1, "[]id": 2}').value == {"id": 1, "[]id": 2}


@pytest.mark.parametrize("number", ["901234567", "998901234567", "+998901234567", "+998 (90) 123-45-67", 998901234567])
def test_a_number_has_one_key_in_every_spelling(number: object) -> None:
    (fact,) = read("callstart", json.dumps({"number": number, "line": 712037006}).encode()).facts
    assert (fact.number, fact.line) == ("998901234567", "998712037006")


def test_the_same_said_in_another_order_is_the_same() -> None:
    first = read("callend", b'{"call_id": 1, "duration": 2}').digest
    assert read("callend", b'{ "duration":2,"call_id":1 }').digest == first
    assert read("callend", b'{"call_id": "1", "duration": 2}').digest != first
    assert read("result", b'{"call_id": 1, "duration": 2}').digest != first
    assert read("callend", b"\xff").digest != read("callend", b"\xfe").digest
