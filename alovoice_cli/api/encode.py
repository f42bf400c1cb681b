"""Requests as bytes: the four encodings, and the places where the token stands."""

import json
from typing import Literal, NamedTuple, get_args
from urllib.parse import quote, urlencode

from alovoice_cli.api.address import Address
from alovoice_cli.api.endpoints import TOKEN, TokenPlace
from alovoice_cli.api.files import FilePart
from alovoice_cli.api.request import JSON_TYPE, Body, Fields, Multipart, Raw, Request
from alovoice_cli.errors import UsageError

Encoding = Literal["json", "multipart", "form", "vendor-curl"]
ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)

FORM_TYPE = "application/x-www-form-urlencoded"
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
_FORBIDDEN_IN_NAME = frozenset("=\\")


class Flat(NamedTuple):
    """A body whose bytes are known."""

    content_type: str
    content: bytes


Parts = tuple[tuple[str, str | FilePart], ...]
Encoded = Flat | Parts | None


def encode(body: Body | None, encoding: Encoding) -> Encoded:
    """The body in the profile's encoding: bytes with their type, the parts of a multipart body, or nothing.

    Raises UsageError for text that is no Unicode, and for NaN and infinities.
    """
    if body is None:
        return None
    if isinstance(body, Raw):
        return Flat(body.content_type, body.content)
    if isinstance(body, Multipart):
        return _checked(body.parts)
    if encoding == "multipart":
        return _checked(tuple((name, _as_text(value)) for name, value in body.values.items()))
    return _flat(body, encoding)


def _flat(body: Fields, encoding: Encoding) -> Flat:
    if encoding == "form":
        pairs = [(name, _as_text(value)) for name, value in body.values.items()]
        return Flat(FORM_TYPE, urlencode([(_utf8(name), _utf8(value)) for name, value in pairs]).encode("ascii"))
    # The vendor's curl for outcall sends JSON text under the type that curl's --data gives it.
    return Flat(FORM_TYPE if encoding == "vendor-curl" else JSON_TYPE, _utf8(_json(dict(body.values))))


def _checked(parts: Parts) -> Parts:
    for name, value in parts:
        if not name or not name.isprintable() or _FORBIDDEN_IN_NAME & set(name):
            raise UsageError(f"a form field cannot be named {name!r}")
        _utf8(name)
        if isinstance(value, str):
            _utf8(value)
    return parts


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else _json(value)


def _json(value: object) -> str:
    try:
        return _ENCODER.encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError("the fields cannot be written as JSON", detail=str(error)) from error


def _utf8(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UsageError("the request holds text that is no Unicode", hint="check the terminal's encoding") from error


def target(request: Request, token: str) -> str:
    """The path and query with the token in its place."""
    return request.path.replace(TOKEN, quote(token, safe=""))


def url(address: Address, request: Request, token: str) -> str:
    """The whole URL, token included: never to be shown."""
    return address.url + target(request, token)


def token_headers(request: Request, token: str) -> list[tuple[str, str]]:
    """The headers that carry the token where the endpoint wants it so; a header given by hand wins."""
    given = {name.lower() for name, _ in request.headers}
    headers = []
    if TokenPlace.BEARER in request.endpoint.token_in and "authorization" not in given:
        headers.append(("Authorization", f"Bearer {token}"))
    if TokenPlace.HEADER in request.endpoint.token_in and "token" not in given:
        headers.append(("token", token))
    return headers


def needs_token(request: Request) -> bool:
    """Whether the request cannot go without a token."""
    return TOKEN in request.path or bool(token_headers(request, ""))
