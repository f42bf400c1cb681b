"""Hostile bodies: whatever comes, the sandbox answers, and never with a 500."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from .conftest import Mounted

BOUNDARY = "xyz"
TYPES = [
    "application/json",
    "application/x-www-form-urlencoded",
    f"multipart/form-data; boundary={BOUNDARY}",
    "multipart/form-data",
    "multipart/form-data; boundary=xyz; charset=utf-16",
    "text/plain",
    "",
    "қ/қ",
]
PATHS = ["/mapi/addAutorule", "/requestcall/{token}", "/outcall/{token}"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[" * 100_000,
        b'{"callto":' * 50_000,
        b'{"callto": "\\ud800", "ivrid": 222}',
        b'{"inner_phone": 2424, "number": "\\ud800"}',
        b'{"callto": 1e999, "ivrid": NaN}',
        b'{"callto": ' + b"9" * 5000 + b"}",
        b'{"inner_phone": 2424, "number": 99999999999999999999999999, "user_id": ' + b"9" * 400 + b"}",
        b'{"callto": "\\u0000", "ivrid": 222}',
        b'{"inner_phone": 2424, "number": "901234567", "user_id": NaN}',
        b'{"inner_phone": 2424, "number": "901234567", "user_id": "\\udc00"}',
        b"\xff\xfe{",
        b"callto=%ff%fe&ivrid=%ed%a0%80",
        b"callto=[[[" + b"[" * 5000,
        b"&" * 5000,
        b"--xyz",
        b"--xyz\r\n\r\n",
        b'--xyz\r\nContent-Disposition: form-data; name="callto"\r\n\r\n\xff\xfe\r\n--xyz--\r\n',
        b'--xyz\r\nContent-Disposition: form-data; name="a"; filename="a\x00b"\r\n\r\nx\r\n--xyz--\r\n',
        b'--xyz\r\nContent-Disposition: form-data; name="callto"\r\n\r\n' + b"x" * 200_000 + b"\r\n--xyz--\r\n",
        b"--xyz\r\nContent-Disposition: form-data\r\n\r\nx\r\n--xyz--\r\n",
        b"--xyz\r\n" + b"A" * 70_000,
    ],
    ids=lambda body: body[:24].decode("latin-1"),
)
def test_a_known_hostile_body_is_refused(shared_pbx: Mounted, body: bytes) -> None:
    for path, kind in itertools.product(PATHS, TYPES):
        answer = shared_pbx.ask("POST", path, content=body, headers={"Content-Type": kind.encode()})
        assert answer.status_code in (400, 413), (path, kind, answer.text)
        assert list(answer.json()) == ["error"], (path, kind)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("994412860"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
names = st.sampled_from(["callfrom", "callto", "phone", "queue", "ivrid", "fromline", "extid", "lang", "number"])
calls = st.dictionaries(names | st.just("inner_phone") | st.just("call_id"), values, max_size=6).map(json.dumps)


@examples(60)
@given(
    st.sampled_from(PATHS),
    st.sampled_from(TYPES),
    st.binary(max_size=300) | calls.map(str.encode) | calls.map(lambda text: text.replace(",", "\n").encode()),
)
def test_no_body_breaks_the_sandbox(shared_pbx: Mounted, path: str, kind: str, body: bytes) -> None:
    answer = shared_pbx.ask("POST", path, content=body, headers={"Content-Type": kind.encode()})
    assert answer.status_code in (200, 400, 413), answer.text


@examples(30)
@given(st.dictionaries(names, st.text(st.characters(codec="utf-8"), max_size=30), min_size=1, max_size=6))
def test_no_multipart_form_breaks_the_sandbox(shared_pbx: Mounted, fields: Any) -> None:
    for path in PATHS:
        answer = shared_pbx.ask("POST", path, files=[(name, (None, text)) for name, text in fields.items()])
        assert answer.status_code in (200, 400), answer.text


def test_a_body_over_a_mebibyte_is_too_large(shared_pbx: Mounted) -> None:
    answer = shared_pbx.ask("POST", "/outcall/{token}", content=b'{"a": "' + b"x" * (1 << 20) + b'"}')
    assert (answer.status_code, answer.json()) == (413, {"error": "the body is over 1 MiB"})
