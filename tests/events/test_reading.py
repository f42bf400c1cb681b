"""Bodies are read by their content; whatever comes is read or told as unreadable, and can be written as JSON again."""

import codecs
import gzip
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.events.body_text import MOST_UNPACKED
from alovoice_cli.events.event import EVENT_TYPES, Delivery, Event
from alovoice_cli.events.event_table import event_as_json
from alovoice_cli.events.reading import read, read_delivery
from alovoice_cli.json_text import json_text

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
    json.loads(json_text(shown).encode("utf-8"))  # strict, as jq is


@examples(150)
@given(st.sampled_from(EVENT_TYPES), st.binary(max_size=200), st.sampled_from(["", "application/json", "text/plain"]))
def test_any_bytes_are_read_or_told_as_unreadable(kind: str, body: bytes, content_type: str) -> None:
    _check(kind, body, content_type)


@examples(125)
@given(st.sampled_from(EVENT_TYPES), OBJECTS | st.lists(OBJECTS, max_size=3) | JSON)
def test_any_json_becomes_facts_that_a_database_takes(kind: str, value: object) -> None:
    _check(kind, json.dumps(value).encode(), "")


@examples(125)
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


START = {"inner_phone": 2000, "number": "+998901234567", "line": 712037006, "type": "inc", "start_time": 1716209468}
RAW = json.dumps(START).encode()


def _deflated(body: bytes, bits: int) -> bytes:
    packer = zlib.compressobj(wbits=bits)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (gzip.compress(RAW), "gzip"),
        (gzip.compress(RAW), ""),
        (gzip.compress(RAW[:20]) + gzip.compress(RAW[20:]), "x-gzip"),
        (_deflated(RAW, 15), "deflate"),
        (_deflated(RAW, -15), "Deflate"),
        (RAW, "gzip"),
        (RAW, "br"),
    ],
)
def test_a_packed_body_is_read(body: bytes, encoding: str) -> None:
    assert read("callstart", body, encoding=encoding).value == START


def test_a_packed_body_that_cannot_be_unpacked_says_why() -> None:
    for body, encoding, problem in [
        (gzip.compress(RAW)[:-9], "gzip", "gzip that is cut short"),
        (b"\x1f\x8bnonsense", "gzip", "gzip that cannot be unpacked"),
        (gzip.compress(b"[" + b" " * MOST_UNPACKED + b"{}]"), "gzip", "more than 1 MiB"),
        (b"\x8b\x02\x80\xff", "br", "packed as 'br'"),
    ]:
        reading = read("callstart", body, encoding=encoding)
        assert problem in reading.problem
        assert not reading.facts


@examples(125)
@given(st.binary(max_size=60), st.sampled_from(["gzip", "deflate", "br", "gzip, gzip", ""]), st.booleans())
def test_any_packed_body_is_read_or_told_as_unreadable(body: bytes, encoding: str, is_packed: bool) -> None:
    reading = read("callend", gzip.compress(body) if is_packed else body, encoding=encoding)
    assert reading.facts or reading.problem


def test_the_vendor_s_own_notation_is_read() -> None:
    body = b"""{
  inner_phone: 2000, 'number': '+998901234567', []line: 712037006,
  type: "inc", 'start_time' : 1716209468, 'it\\'s': 'say "yes", {ok: 1,}', "a": "{b: 'c',}",
}"""
    assert read("callstart", body).value == {**START, "it's": 'say "yes", {ok: 1,}', "a": "{b: 'c',}"}


@examples(125)
@given(st.text(st.sampled_from("{}[]'\":,\\ a1$\u0436\n/"), max_size=60))
def test_any_loose_text_is_read_or_told_as_unreadable(text: str) -> None:
    _check("callend", b"{" + text.encode(), "")


PLAIN = st.text(max_size=8).filter(lambda text: "'" not in text)


@examples(125)
@given(st.dictionaries(PLAIN, PLAIN | st.integers(), min_size=1, max_size=4))
def test_single_quotes_read_as_double_ones_do(value: dict[str, object]) -> None:
    def single(part: object) -> str:
        text = json.dumps(part)
        return "'" + text[1:-1].replace('\\"', '"') + "'" if isinstance(part, str) else text

    body = "{" + ", ".join(f"{single(name)}: {single(item)}" for name, item in value.items()) + ",}"
    assert read("probe", body.encode()).value == read("probe", json.dumps(value).encode()).value


@pytest.mark.parametrize(
    ("charset", "codec"),
    [
        ("windows-1251", "cp1251"),
        ('"UTF-16"', "utf-16"),
        ("utf-16le", "utf-16-le"),
        ("koi8-r", "koi8-r"),
        ("", "utf-16-be"),
    ],
)
def test_a_declared_charset_is_used(charset: str, codec: str) -> None:
    body = {**START, "name": "Шоира"}
    content_type = "application/json" + (f"; charset={charset}" if charset else "")
    assert read("callstart", json.dumps(body, ensure_ascii=False).encode(codec), content_type).value == body


def test_a_form_is_read_in_its_charset() -> None:
    content_type = "application/x-www-form-urlencoded; charset=windows-1251"
    assert read("callend", b"call_id=1&name=%D8%EE", content_type).value == {
        "call_id": "1",
        "name": "Шо",
    }


def test_a_charset_that_is_wrong_or_no_charset_costs_nothing() -> None:
    body = {**START, "name": "Шоира"}
    text = json.dumps(body, ensure_ascii=False)
    for charset in ("utf-16", "idna", "zlib", "nonsense", "ascii", "utf-8"):
        assert read("callstart", text.encode(), f"application/json; charset={charset}").value == body
    assert read("callstart", codecs.BOM_UTF8 + text.encode(), "text/plain; charset=windows-1251").value == body
    assert read("callend", "Шо".encode("cp1251"), "text/plain; charset=utf-8").problem == "no text in utf-8"


def _asked(query: str, body: bytes = b"", kind: str = "callend") -> Delivery:
    return Delivery("A" * 26, kind, 0, body, query=query)  # type: ignore[arg-type] # of EVENT_TYPES


def test_the_fields_of_a_query_are_read() -> None:
    reading = read_delivery(_asked("call_id=7&status_code=486&number=%2B998%2090"))
    assert (reading.facts[0].call_id, reading.facts[0].status, reading.problem) == ("7", "486", "")
    both = read_delivery(_asked("call_id=7&status_code=486", b'{"status_code": 200}'))
    assert (both.facts[0].call_id, both.facts[0].status) == ("7", "200")
    assert both.value == {"status_code": 200}
    broken = read_delivery(_asked("call_id=7", b"{{"))
    assert (broken.facts[0].call_id, bool(broken.problem)) == ("7", True)
    shown = event_as_json(Event(_asked("call_id=7"), reading.facts, value=None))
    assert shown["query"] == {"call_id": "7"}


def test_two_queries_that_differ_are_no_repetition() -> None:
    digests = {read_delivery(_asked(query)).digest for query in ("call_id=7", "call_id=8", "")}
    assert len(digests) == 3
    assert read_delivery(_asked("", b"{}")).digest == read("callend", b"{}").digest


@examples(125)
@given(st.text(st.characters(codec="latin-1"), max_size=60))
def test_any_query_is_read_or_has_nothing_to_say(query: str) -> None:
    reading = read_delivery(_asked(query))
    assert reading.facts or reading.problem
