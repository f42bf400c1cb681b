"""Bodies, files and tokens as they travel: four encodings, the vendor's upload, the token in its place."""

import io
import json
import math
from typing import Any
from urllib.parse import parse_qsl

import pytest

from alovoice_cli.api.request import (
    Fields,
    FilePart,
    Flat,
    Multipart,
    Raw,
    encode,
    wire_name,
)
from alovoice_cli.errors import UsageError

TOKEN = "22dfbb22-d073-4422-b322-22949d14a022"


FIELDS = {"callfrom": {"phone": "712037006", "lang": "ru"}, "callto": [{"queue": "6000"}], "extid": "12 ў&=+"}


def flat(encoding: Any) -> Flat:
    encoded = encode(Fields(FIELDS), encoding)
    assert isinstance(encoded, Flat)
    return encoded


def test_json_keeps_letters_as_they_are() -> None:
    assert flat("json").content_type == "application/json"
    assert json.loads(flat("json").content) == FIELDS
    assert "ў".encode() in flat("json").content


def test_the_vendors_curl_sends_json_typed_as_a_form() -> None:
    assert flat("vendor-curl") == Flat("application/x-www-form-urlencoded", flat("json").content)


def test_a_form_holds_nested_values_as_json_text() -> None:
    assert flat("form").content_type == "application/x-www-form-urlencoded"
    pairs = dict(parse_qsl(flat("form").content.decode(), strict_parsing=True))
    assert pairs["extid"] == FIELDS["extid"]
    assert json.loads(pairs["callto"]) == FIELDS["callto"]


def test_multipart_has_one_part_a_field() -> None:
    parts = encode(Fields(FIELDS), "multipart")
    assert parts == (
        ("callfrom", '{"phone": "712037006", "lang": "ru"}'),
        ("callto", '[{"queue": "6000"}]'),
        ("extid", "12 ў&=+"),
    )


@pytest.mark.parametrize("encoding", ["json", "form", "multipart", "vendor-curl"])
@pytest.mark.parametrize("value", ["\ud800", math.nan, math.inf, {"a": object()}])
def test_what_cannot_be_written_is_refused(encoding: Any, value: object) -> None:
    with pytest.raises(UsageError):
        encode(Fields({"a": value}), encoding)


def test_what_cannot_be_written_as_json_says_why() -> None:
    with pytest.raises(UsageError) as caught:
        encode(Fields({"a": math.nan}), "json")
    assert "JSON compliant" in caught.value.detail


@pytest.mark.parametrize("encoding", ["json", "form", "multipart", "vendor-curl"])
def test_the_profiles_encoding_is_for_fields_alone(encoding: Any) -> None:
    parts = (("name", "N"), ("record", FilePart("x.mp3", "audio/mpeg", io.BytesIO(b""))))
    assert encode(None, encoding) is None
    assert encode(Raw(b"[1]", "text/x"), encoding) == Flat("text/x", b"[1]")
    assert encode(Multipart(parts), encoding) == parts


@pytest.mark.parametrize("name", ["", "a=b", "a\\b", "a\r\nb", "\ud800"])
def test_a_part_cannot_be_named_so(name: str) -> None:
    with pytest.raises(UsageError):
        encode(Multipart(((name, "x"),)), "json")


@pytest.mark.parametrize("encoding", ["json", "form", "multipart", "vendor-curl"])
@pytest.mark.parametrize("fields", [{"\ud800": "x"}, {"x": "\ud800"}])
def test_text_that_is_not_unicode_is_refused(encoding: Any, fields: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        encode(Fields(fields), encoding)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("C:\\Users\\Tug\\x.mp3", "x.mp3"),
        ("C:/Users/Tug/x.mp3", "x.mp3"),
        ("/home/a/қўнғироқ.mp3", "қўнғироқ.mp3"),
        ("a\r\nX: y.mp3", "a__X: y.mp3"),
        ("dir/", "file"),
        ("x.mp3", "x.mp3"),
        ("a/b/c/x.mp3", "x.mp3"),
        ("\u202egpj.mp3", "_gpj.mp3"),
    ],
)
def test_a_file_travels_under_its_last_component(path: str, name: str) -> None:
    assert wire_name(path) == name


def test_the_upload_is_the_vendors_curl_part_by_part(serve: Any, client: Any, unsafe: Any) -> None:
    def campaign(c: Any) -> None:
        c.read()
        c.answer("200 OK", b'{"id": 123, "new": [1.50]}')

    server = serve(campaign)
    fields = {"name": 'А "Б"', "from": "2025.04.25", "trunks": "712037006", "paused": "0", "timezone": "utc +5"}
    record = FilePart('C:\\a\\қ"1.mp3', "audio/mpeg", io.BytesIO(b"\xff\xfb\0"))
    recipients = FilePart("r.csv", "text/csv", io.BytesIO(b"1;2\n"))
    answer = client(server).autorule.create(fields, record=record, recipients=recipients)
    assert answer == {"id": 123, "new": [1.5]}
    seen = server.requests[0]
    boundary = seen.header("content-type").removeprefix("multipart/form-data; boundary=").encode()
    head = b'Content-Disposition: form-data; name="%b"'
    text = [head % name.encode() + b"\r\n\r\n" + value.encode() for name, value in fields.items()]
    files = [
        head % b"record" + '; filename="қ%221.mp3"\r\nContent-Type: audio/mpeg\r\n\r\n'.encode() + b"\xff\xfb\0",
        head % b"recipients" + b'; filename="r.csv"\r\nContent-Type: text/csv\r\n\r\n1;2\n',
    ]
    start = b"--" + boundary + b"\r\n"
    assert seen.body == b"".join(start + part + b"\r\n" for part in files + text) + b"--" + boundary + b"--\r\n"
    assert seen.header("authorization") == f"Bearer {TOKEN}"
    assert TOKEN not in seen.target


def test_each_method_puts_the_token_in_its_place(serve: Any, client: Any, unsafe: Any, reading: Any) -> None:
    def any_answer(c: Any) -> None:
        c.read()
        c.answer("400 X")

    server = serve(any_answer)
    places = {}
    for name, call in {**unsafe, **reading}.items():
        with pytest.raises(Exception, match="refused"):
            call(client(server))
        seen = server.requests[-1]
        places[name] = (
            seen.method,
            seen.target.replace(TOKEN, "T"),
            seen.header("authorization"),
            seen.header("token"),
        )
    bearer = f"Bearer {TOKEN}"
    assert places == {
        "outcall": ("POST", "/outcall/T", "", ""),
        "conference": ("POST", "/requestcall/T", "", ""),
        "ivr": ("POST", "/requestcall/T", "", ""),
        "addAutorule": ("POST", "/mapi/addAutorule", bearer, ""),
        "callsendai": ("GET", "/callsendai/T/1716209468.17", "", ""),
        "getAutorule": ("GET", "/mapi/getAutorule/123", bearer, ""),
        "getMyTrunks": ("GET", "/mapi/getMyTrunks", bearer, ""),
        "getpeers": ("GET", "/getpeers/T", "", TOKEN),
        "callgetaireresult": ("GET", "/callgetaireresult/T/1716209468.17", "", ""),
    }


def test_numbers_and_texts_travel_as_the_document_has_them(serve: Any, client: Any, unsafe: Any) -> None:
    def yes(c: Any) -> None:
        c.read()
        c.answer("200 OK", b"true")

    server = serve(yes)
    for name in ("outcall", "conference", "ivr"):
        unsafe[name](client(server))
    assert [json.loads(seen.body) for seen in server.requests] == [
        {"call_id": "7", "inner_phone": 2424, "number": "+998994412860"},
        {"callfrom": {"phone": "712037006"}, "callto": [{"phone": "994412860"}], "extid": "8"},
        {"callto": "712037006", "ivrid": 222, "fromline": 712037006, "extid": "9"},
    ]
    assert {seen.header("content-type") for seen in server.requests} == {"application/json"}
