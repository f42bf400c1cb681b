"""The sandbox keeps the contract: each documented request is taken, each answer has the vendor's keys and types."""

import json
import shutil
import subprocess
import time
from importlib.resources import as_file
from pathlib import Path
from typing import Any

import httpx
import pytest

from alovoice_cli.sandbox.scenario import data

NAMES = {
    *("addAutorule", "getAutorule", "getMyTrunks", "requestcall", "outcall", "getpeers"),
    *("callsendai", "callgetaireresult"),
}
TYPES: dict[str, type] = {"string": str, "integer": int, "boolean": bool, "null": type(None)}


def assert_shape(value: Any, shape: Any, where: str = "answer") -> None:
    """`shape` is a type's name (or several: `string|null`), `{"list": shape}`, or an object: `key?` may be left out."""
    if isinstance(shape, str):
        assert type(value) in [TYPES[name] for name in shape.split("|")], f"{where}: {value!r} is no {shape}"
    elif list(shape) == ["list"]:
        assert isinstance(value, list), where
        assert value, f"{where} is empty: nothing was compared"
        for place, item in enumerate(value):
            assert_shape(item, shape["list"], f"{where}[{place}]")
    else:
        known = [key.removesuffix("?") for key in shape]
        assert list(value) == [key for key in known if key in value], f"{where}: unknown keys, or another order"
        assert not {key for key in shape if not key.endswith("?")} - set(value), f"{where}: keys are missing"
        for key, item in value.items():
            assert_shape(item, shape.get(key) or shape[f"{key}?"], f"{where}.{key}")


def request_of(method: dict[str, Any], case: dict[str, Any], url: str, token: str) -> httpx.Request:
    path = method["path"].format(token=token, **case.get("path_values", {}))
    headers = {name: value.format(token=token) for name, value in case.get("headers", {}).items()}
    if "bearer" in method["token_in"]:
        headers["Authorization"] = f"Bearer {token}"
    body = case.get("body", {})
    if body.get("content_type") == "multipart/form-data":
        files: list[tuple[str, Any]] = [(name, (None, text)) for name, text in body["fields"].items()]
        files += [
            (name, (file["filename"], data(file["data"]).read_bytes(), file["content_type"]))
            for name, file in body.get("files", {}).items()
        ]
        return httpx.Request(method["method"], url + path, headers=headers, files=files)
    if body:
        text = body["text"] if "text" in body else json.dumps(body["json"], ensure_ascii=False)
        headers["Content-Type"] = body["content_type"]
        return httpx.Request(method["method"], url + path, headers=headers, content=text.encode())
    return httpx.Request(method["method"], url + path, headers=headers)


def send(request: httpx.Request) -> httpx.Response:
    with httpx.Client(trust_env=False, verify=False) as client:
        return client.send(request)


def prepare(case: dict[str, Any], served: Any) -> None:
    """Sends the call to the analysis first, where the case comes after that, and waits for a moment of virtual time."""
    if "callsendai" in case.get("after", ()):
        call_id = case["path_values"]["call_id"]
        send(httpx.Request("GET", f"{served.url}/callsendai/{served.token}/{call_id}"))
        time.sleep(0.01)


def assert_answered(response: httpx.Response, expected: dict[str, Any]) -> None:
    assert response.status_code == expected["status"], response.text
    assert response.headers["content-type"] == expected["content_type"]
    assert response.headers["x-alovoice-sandbox"] == "1"
    if "text" in expected:
        assert response.text == expected["text"]
        return
    answer = response.json()
    assert_shape(answer, expected["types"])
    for word in expected.get("error_names", ()):
        assert word in answer["error"]
    if isinstance(expected.get("values"), dict):
        assert {key: answer[key] for key in expected["values"]} == expected["values"]
    elif "values" in expected:
        assert answer == expected["values"]
    if "first" in expected:
        assert {key: answer[0][key] for key in expected["first"]} == expected["first"]


def test_the_sandbox_answers_as_the_contract_says(case: Any, served: Any) -> None:
    method, played = case
    prepare(played, served)
    assert_answered(send(request_of(method, played, served.url, served.token)), played["answer"])


def test_a_vendors_curl_sample_is_taken_as_printed(printed: Any, served: Any, tmp_path: Path) -> None:
    _, played = printed
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    prepare(played, served)
    with as_file(data("announcement.mp3")) as record, as_file(data("recipients.csv")) as recipients:
        line = "\n".join(played["curl"]).replace("{base}", served.url).replace("{token}", served.token)
        line = line.replace("{record}", str(record)).replace("{recipients}", str(recipients))
        extra = f" --silent --noproxy '*' --dump-header '{tmp_path}/headers' --output '{tmp_path}/body'"
        subprocess.run(["sh", "-c", line + extra], check=True, timeout=60)
    last = (tmp_path / "headers").read_bytes().decode().strip().split("\r\n\r\n")[-1]  # after a 100 Continue
    status, *headers = last.split("\r\n")
    pairs = [(name, value) for name, _, value in (header.partition(": ") for header in headers)]
    code = int(status.split()[1])
    assert_answered(httpx.Response(code, headers=pairs, content=(tmp_path / "body").read_bytes()), played["answer"])


def test_the_right_token_in_the_wrong_place_or_a_wrong_one_is_refused(method: Any, served: Any) -> None:
    case = next(case for case in method["cases"] if case["answer"]["status"] == 200)
    stripped = {**case, "headers": {}}
    wrong = send(request_of(method, stripped, served.url, "00000000-0000-4000-8000-000000000000"))
    assert (wrong.status_code, list(wrong.json())) == (401, ["error"])
    request = request_of({**method, "token_in": []}, stripped, served.url, "x" if "path" in method["token_in"] else "")
    request.headers["token"] = served.token
    if "path" in method["token_in"]:
        request.headers["Authorization"] = f"Bearer {served.token}"
    assert send(request).status_code == 401


def test_the_contract_covers_the_documents_eight_methods_and_agrees_with_the_vendors_answers() -> None:
    methods = [json.loads(file.read_text("utf-8")) for file in Path(__file__).parent.glob("*.json")]
    assert {method["name"] for method in methods} >= NAMES
    for method in methods:
        shapes = [case["answer"].get("types") for case in method["cases"] if case["source"] == "documented"]
        if method.get("vendor_answer") and shapes[0]:
            assert_shape(method["vendor_answer"], shapes[0], method["name"])


def test_every_line_of_curl_in_the_contract_is_played() -> None:
    methods = [json.loads(file.read_text("utf-8")) for file in Path(__file__).parent.glob("*.json")]
    with_curl = {method["name"] for method in methods if any("curl" in case for case in method["cases"])}
    assert with_curl & NAMES == NAMES - {"requestcall"}, "the document has a curl line for all but requestcall"
