"""The contract's cases, and the client's calls for each of them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest

from alovoice_cli.api.call import Party
from alovoice_cli.api.client import Client
from alovoice_cli.api.request import FilePart

HERE = Path(__file__).parent / "contract"
DATA = HERE.parents[1] / "alovoice_cli" / "sandbox" / "scenarios"
METHODS: dict[str, Any] = {
    method["name"]: method for method in (json.loads(file.read_text("utf-8")) for file in HERE.glob("*.json"))
}
ENCODINGS = {"application/json": "json", "multipart/form-data": "multipart"}


def encoding_of(body: dict[str, Any]) -> str:
    """Returns the encoding with which the client writes such a body."""
    if body.get("content_type") == "application/x-www-form-urlencoded":
        return "vendor-curl" if body["text"].lstrip().startswith("{") else "form"
    return ENCODINGS.get(body.get("content_type", ""), "json")


def plain(value: object) -> object:
    """Returns a form's text as the client's caller would give it."""
    text = str(value)
    return json.loads(text) if text.startswith(("[", "{")) else value


def fields_of(body: dict[str, Any]) -> dict[str, Any]:
    """Returns the body's top-level fields, from any encoding of the contract; nothing for a body that is no object."""
    if "fields" in body:
        return {name: plain(value) for name, value in body["fields"].items()}
    if "json" in body:
        return body["json"] if isinstance(body["json"], dict) else {}
    text = body.get("text", "")
    if not text.lstrip().startswith("{"):
        return {name: plain(value) for name, value in parse_qsl(text)}
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


WITH_BODIES: dict[str, Callable[[Client, dict[str, Any]], object]] = {
    "addAutorule": _create,
    "requestcall": _request,
    "outcall": lambda client, case: client.call.out(**fields_of(case["body"])),
}


def ask(client: Client, method: dict[str, Any], case: dict[str, Any]) -> object:
    """Asks for the case by the client's own words: `client` of the method's file, or a function for one with a body."""
    if method["name"] in WITH_BODIES:
        return WITH_BODIES[method["name"]](client, case)
    group, _, verb = method["client"].partition(".")
    return getattr(getattr(client, group), verb)(*map(unquote, case.get("path_values", {}).values()))


def can_be_said(method: dict[str, Any], case: dict[str, Any]) -> bool:
    """Returns whether the client can make the request: it cannot leave out required values."""
    body = case.get("body", {})
    if method["name"] == "addAutorule":
        return set(body.get("files", ())) == {"record", "recipients"}
    if method["name"] == "requestcall":
        return "callto" in fields_of(body)
    if method["name"] == "outcall":
        return {"inner_phone", "number"} <= set(fields_of(body))
    return bool(case.get("headers", {}).get("token", "{token}") == "{token}")


def sayable(*, documented: bool = False) -> list[Any]:
    """Returns the contract's cases that the client can request, as parameters of a test."""
    return [
        pytest.param(method, case, id=f"{method['name']}: {case['name']}")
        for method in METHODS.values()
        for case in method["cases"]
        if can_be_said(method, case) and not (documented and case["source"] != "documented")
    ]
