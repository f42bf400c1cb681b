"""The client keeps the contract: what it sends is the documented request, and it reads each documented answer."""

import json
from collections.abc import Callable, Iterator
from email.parser import BytesParser
from typing import Any
from urllib.parse import parse_qsl

import pytest
from contract_cases import DATA, METHODS, WITH_BODIES, ask, can_be_said, encoding_of, fields_of, plain, sayable
from raw_server import Connection, RawServer, Seen

from alovoice_cli.api.client import Client
from alovoice_cli.api.endpoints import ENDPOINTS
from alovoice_cli.errors import AlovoiceError, NotFoundError, RefusedError, TokenRefusedError
from alovoice_cli.sandbox.faults import ENDPOINTS as FAULT_ENDPOINTS

TOKEN = "22dfbb22-d073-4422-b322-22949d14a022"


@pytest.fixture
def pbx() -> Iterator[RawServer]:
    server = RawServer([])
    yield server
    server.stop()


def _answering(status: int, body: object, kind: str) -> Callable[[Connection], None]:
    content = body.encode() if isinstance(body, str) else json.dumps(body, ensure_ascii=False).encode()

    def answer(connection: Connection) -> None:
        if connection.read() is not None:
            connection.answer(f"{status} X", content, f"Content-Type: {kind}", "Connection: close")

    return answer


def _ask(pbx: RawServer, method: dict[str, Any], case: dict[str, Any]) -> object:
    encoding = encoding_of(case.get("body", {}))
    with Client(pbx.url, TOKEN, encoding=encoding, environ={}) as client:
        return ask(client, method, case)


def parts_of(seen: Seen) -> list[tuple[str, str, str, bytes]]:
    """Name, file name, content type and content of each part of a multipart body."""
    head = f"Content-Type: {seen.header('content-type')}\r\n\r\n".encode()
    parts = []
    for part in BytesParser().parsebytes(head + seen.body).get_payload():
        assert not isinstance(part, str)
        name = str(part.get_param("name", header="content-disposition"))
        kind = part.get_content_type() if part["content-type"] else ""
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        parts.append((name, part.get_filename() or "", kind, content))
    return parts


def _assert_body(seen: Seen, body: dict[str, Any]) -> None:
    kind = seen.header("content-type").partition(";")[0]
    assert kind == body.get("content_type", "")
    if kind == "multipart/form-data":
        files = {
            name: (file["filename"], file["content_type"], (DATA / file["data"]).read_bytes())
            for name, file in body.get("files", {}).items()
        }
        sent = {name: (filename, kind, content) for name, filename, kind, content in parts_of(seen)}
        assert {name: part for name, part in sent.items() if name in files} == files
        texts = {name: content.decode() for name, (_, _, content) in sent.items() if name not in files}
        assert {name: plain(text) for name, text in texts.items()} == fields_of(body)
    elif "text" in body and not body["text"].lstrip().startswith("{"):
        sent_fields = {name: plain(value) for name, value in parse_qsl(seen.body.decode())}
        assert sent_fields == fields_of(body)
    elif body:
        assert json.loads(seen.body) == fields_of(body)
    else:
        assert seen.body == b""


@pytest.mark.parametrize(("group", "said"), sayable())
def test_the_client_sends_what_the_contract_says(pbx: RawServer, group: Any, said: Any) -> None:
    pbx.acts = [_answering(200, group.get("vendor_answer", {"result": True}), "application/json")]
    _ask(pbx, group, said)
    (seen,) = pbx.requests
    assert seen.method == group["method"]
    assert seen.target == group["path"].format(token=TOKEN, **said.get("path_values", {}))
    bearer = f"Bearer {TOKEN}" if "bearer" in group["token_in"] else ""
    assert seen.header("authorization") == bearer
    assert seen.header("token") == (TOKEN if "header token" in group["token_in"] else "")
    _assert_body(seen, said.get("body", {}))


def _whole_answer(method: dict[str, Any], case: dict[str, Any]) -> object:
    answer = case["answer"]
    if "text" in answer:
        return answer["text"]
    if isinstance(answer.get("values"), list):
        return answer["values"]
    return method.get("vendor_answer", answer.get("values"))


@pytest.mark.parametrize(("group", "said"), sayable(documented=True))
def test_the_client_reads_each_documented_answer_whole(pbx: RawServer, group: Any, said: Any) -> None:
    expected = _whole_answer(group, said)
    pbx.acts = [_answering(200, expected, said["answer"]["content_type"])]
    got = _ask(pbx, group, said)
    assert got == (True if expected == "true" else expected)
    assert type(got) is type(True if expected == "true" else expected)


OBJECTS = [name for name, method in METHODS.items() if "types" in method["cases"][0]["answer"]]
"""The methods whose answer is JSON; the others answer with a word."""


@pytest.mark.parametrize("name", OBJECTS)
def test_fields_that_nobody_documented_survive(pbx: RawServer, name: str) -> None:
    method = METHODS[name]
    case = next(case for case in method["cases"] if can_be_said(method, case))
    unknown = {"новое": [1, 2.5, None, {"a": "oʻ"}], "id": "124", "timezone": "18000"}
    item = case["answer"]["types"].get("list")
    answer: object = unknown if item is None else [unknown] if isinstance(item, dict) else ["+998712037006", "ўқ"]
    pbx.acts = [_answering(200, answer, "text/html")]
    assert _ask(pbx, method, case) == answer


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize(
    ("status", "error"), [(400, RefusedError), (401, TokenRefusedError), (403, TokenRefusedError), (404, NotFoundError)]
)
def test_a_refusal_is_named_after_the_fact(pbx: RawServer, name: str, status: int, error: type[AlovoiceError]) -> None:
    method = METHODS[name]
    case = next(case for case in method["cases"] if can_be_said(method, case))
    pbx.acts = [_answering(status, {"error": "нет"}, "application/json")]
    with pytest.raises(error) as caught:
        _ask(pbx, method, case)
    assert (caught.value.status, caught.value.sent) == (status, "yes")
    assert "нет" in caught.value.detail
    assert len(pbx.requests) == 1


def test_every_case_that_the_client_cannot_say_is_a_refusal_of_the_sandbox() -> None:
    unsaid = [
        case
        for method in METHODS.values()
        for case in method["cases"]
        if not can_be_said(method, case) and case["answer"]["status"] == 200
    ]
    assert unsaid == []


def test_each_method_has_a_contract_a_way_to_ask_and_faults_to_order() -> None:
    methods = set(METHODS)
    assert {endpoint.name for endpoint in ENDPOINTS} - {"stereo"} == methods  # a recording is no method of the API
    assert set(FAULT_ENDPOINTS) - {"stereo"} == methods
    assert {name for name, method in METHODS.items() if "client" in method} == methods - set(WITH_BODIES)
