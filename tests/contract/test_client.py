"""The client keeps the contract: what it sends is the documented request, and it reads each documented answer."""

import json
from collections.abc import Callable, Iterator
from email.parser import BytesParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from raw_server import Connection, RawServer, Seen

from alovoice_cli.api.client import Client
from alovoice_cli.api.files import FilePart
from alovoice_cli.api.party import Party
from alovoice_cli.errors import AlovoiceError, NotFoundError, RefusedError, TokenRefusedError

HERE = Path(__file__).parent
DATA = HERE.parents[1] / "alovoice_cli" / "sandbox" / "scenarios"
TOKEN = "22dfbb22-d073-4422-b322-22949d14a022"
METHODS: dict[str, Any] = {
    method["name"]: method for method in (json.loads(file.read_text("utf-8")) for file in HERE.glob("*.json"))
}
ENCODINGS = {"application/json": "json", "multipart/form-data": "multipart"}


def encoding_of(body: dict[str, Any]) -> str:
    """The switch that makes the client write a body in this way."""
    if body.get("content_type") == "application/x-www-form-urlencoded":
        return "vendor-curl" if body["text"].lstrip().startswith("{") else "form"
    return ENCODINGS.get(body.get("content_type", ""), "json")


def _plain(name: str, value: object) -> object:
    """A form's text as the client's caller would have it."""
    text = str(value)
    return json.loads(text) if text.startswith(("[", "{")) else value


def fields_of(body: dict[str, Any]) -> dict[str, Any]:
    """The body's top-level fields, in whatever encoding the contract writes them; nothing for what is no object."""
    if "fields" in body:
        return {name: _plain(name, value) for name, value in body["fields"].items()}
    if "json" in body:
        return body["json"] if isinstance(body["json"], dict) else {}
    text = body.get("text", "")
    if not text.lstrip().startswith("{"):
        return {name: _plain(name, value) for name, value in parse_qsl(text)}
    try:
        value: dict[str, Any] = json.loads(text)
    except ValueError:  # the vendor's sample without its comma
        value = json.loads(text.replace("712037006\n", "712037006,\n"))
    return value


def _party(person: dict[str, str]) -> Party:
    return Party(person["phone"], person.get("lang", ""))


def _create(client: Client, case: dict[str, Any]) -> object:
    given = case["body"]["files"]
    with (
        (DATA / given["record"]["data"]).open("rb") as record,
        (DATA / given["recipients"]["data"]).open("rb") as list_,
    ):
        return client.autorule.create(
            case["body"]["fields"],
            record=FilePart(given["record"]["filename"], given["record"]["content_type"], record),
            recipients=FilePart(given["recipients"]["filename"], given["recipients"]["content_type"], list_),
        )


def _request(client: Client, case: dict[str, Any]) -> object:
    fields = fields_of(case["body"])
    if "ivrid" in fields:
        return client.call.ivr(**fields)
    queue = fields["callto"][0].get("queue", "")
    parties = [] if queue else [_party(person) for person in fields["callto"]]
    return client.call.conference(
        callfrom=_party(fields["callfrom"]), callto=parties, queue=queue, extid=fields["extid"]
    )


CALLS: dict[str, Callable[[Client, dict[str, Any]], object]] = {
    "addAutorule": _create,
    "getAutorule": lambda client, case: client.autorule.get(case["path_values"]["id"]),
    "getMyTrunks": lambda client, case: client.trunks.list(),
    "getpeers": lambda client, case: client.peers.list(),
    "requestcall": _request,
    "outcall": lambda client, case: client.call.out(**fields_of(case["body"])),
    "callsendai": lambda client, case: client.ai.send(case["path_values"]["call_id"]),
    "callgetaireresult": lambda client, case: client.ai.result(case["path_values"]["call_id"]),
}


def can_be_said(method: dict[str, Any], case: dict[str, Any]) -> bool:
    """Whether the client has words for the request at all: it cannot leave out what is obligatory."""
    body = case.get("body", {})
    if method["name"] == "addAutorule":
        return set(body.get("files", ())) == {"record", "recipients"}
    if method["name"] == "requestcall":
        return "callto" in fields_of(body)
    if method["name"] == "outcall":
        return {"inner_phone", "number"} <= set(fields_of(body))
    return case.get("headers", {}).get("token", "{token}") == "{token}"


def sayable(*, documented: bool = False) -> list[Any]:
    """The contract's cases that the client can ask for, as parameters of a test."""
    return [
        pytest.param(method, case, id=f"{method['name']}: {case['name']}")
        for method in METHODS.values()
        for case in method["cases"]
        if can_be_said(method, case) and not (documented and case["source"] != "documented")
    ]


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
        return CALLS[method["name"]](client, case)


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
        assert {name: _plain(name, text) for name, text in texts.items()} == fields_of(body)
    elif "text" in body and not body["text"].lstrip().startswith("{"):
        sent_fields = {name: _plain(name, value) for name, value in parse_qsl(seen.body.decode())}
        assert sent_fields == fields_of(body)
    elif body:
        assert json.loads(seen.body) == fields_of(body)
    else:
        assert seen.body == b""


@pytest.mark.parametrize(("method", "case"), sayable())
def test_the_client_sends_what_the_contract_says(pbx: RawServer, method: Any, case: Any) -> None:
    pbx.acts = [_answering(200, method.get("vendor_answer", {"result": True}), "application/json")]
    _ask(pbx, method, case)
    (seen,) = pbx.requests
    assert seen.method == method["method"]
    assert seen.target == method["path"].format(token=TOKEN, **case.get("path_values", {}))
    bearer = f"Bearer {TOKEN}" if "bearer" in method["token_in"] else ""
    assert seen.header("authorization") == bearer
    assert seen.header("token") == (TOKEN if "header token" in method["token_in"] else "")
    _assert_body(seen, case.get("body", {}))


def _whole_answer(method: dict[str, Any], case: dict[str, Any]) -> object:
    answer = case["answer"]
    if "text" in answer:
        return answer["text"]
    if isinstance(answer.get("values"), list):
        return answer["values"]
    return method.get("vendor_answer", answer.get("values"))


@pytest.mark.parametrize(("method", "case"), sayable(documented=True))
def test_the_client_reads_each_documented_answer_whole(pbx: RawServer, method: Any, case: Any) -> None:
    expected = _whole_answer(method, case)
    pbx.acts = [_answering(200, expected, case["answer"]["content_type"])]
    got = _ask(pbx, method, case)
    assert got == (True if expected == "true" else expected)
    assert type(got) is type(True if expected == "true" else expected)


@pytest.mark.parametrize("name", METHODS)
def test_fields_that_nobody_documented_survive(pbx: RawServer, name: str) -> None:
    method = METHODS[name]
    case = next(case for case in method["cases"] if can_be_said(method, case))
    unknown = {"новое": [1, 2.5, None, {"a": "oʻ"}], "id": "124", "timezone": "18000"}
    answer: object = unknown
    if name == "getpeers":
        answer = [unknown]
    elif name == "outcall":
        pytest.skip("the answer is true or false")
    elif name == "getMyTrunks":
        answer = ["712037006", "+998712037006"]
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
    assert {method["name"] for method in METHODS.values()} == set(CALLS)
