"""Reads the bodies of requests in every form that the vendor's document shows.

The headings of the document say multipart, the samples are JSON, and curl's `--data` labels JSON as a form: so the
content decides, and the content type only if the content is ambiguous.
"""

import json
import re
from urllib.parse import parse_qsl

from python_multipart.exceptions import FormParserError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request


class Refusal(Exception):  # noqa: N818 - an answer of the PBX, not an error of this program
    """A request that is not carried out. `status` is the HTTP status; statuses of errors are not documented (A)."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


MOST_BYTES = 1 << 20
REPAIRED_NOTE = "the body lacks a comma at a line's end, as the vendor's IVR sample does: strict JSON needs it"

_MISSING_COMMA = re.compile(r'(["\d\]}])(\s*\n\s*")')


async def read_fields(request: Request) -> tuple[dict[str, object], str]:
    """Returns the fields of a small body (JSON, multipart or form), and a note after a repair.

    Raises Refusal: 400 for an unreadable body, 413 over 1 MiB.
    """
    kind = content_type(request)
    if kind == "multipart/form-data":
        try:
            texts, _ = await read_multipart(request, files=0)
        finally:
            await request.close()
        return {name: _nested(text) for name, text in texts.items()}, ""
    text = await _read_text(request)
    if text.lstrip().startswith("{"):
        return _read_json(text)
    if kind == "application/x-www-form-urlencoded":
        return {name: _nested(value) for name, value in _read_form(text).items()}, ""
    raise Refusal(400, "the body is neither a JSON object nor a form")


async def read_multipart(request: Request, *, files: int) -> tuple[dict[str, str], dict[str, UploadFile]]:
    """Returns the texts and files of a multipart body; files over 1 MiB are spooled. Raises Refusal (400).

    The caller then closes the request, and with it every file, also after an exception.
    """
    try:
        # A little room, so that the error below can name an additional file.
        form = await request.form(max_files=files + 4, max_fields=64, max_part_size=1 << 16)
    except (HTTPException, FormParserError, ValueError, KeyError) as error:
        detail = error.detail if isinstance(error, HTTPException) else "the multipart body is damaged"
        raise Refusal(400, detail) from error
    except ClientDisconnect as error:
        raise Refusal(400, "the body ended too early") from error
    uploads = {name: part for name, part in form.items() if isinstance(part, UploadFile)}
    if len(uploads) > files:
        raise Refusal(400, f"{sorted(uploads)[0]} must not be a file" if files == 0 else "too many files")
    return {name: _clean(part) for name, part in form.items() if isinstance(part, str)}, uploads


def content_type(request: Request) -> str:
    """Returns the request's media type, in lower case and without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _read_text(request: Request) -> str:
    body = bytearray()
    try:
        async for block in request.stream():
            body += block
            if len(body) > MOST_BYTES:
                raise Refusal(413, "the body is over 1 MiB")
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refusal(400, "the body is not UTF-8") from error
    except ClientDisconnect as error:
        raise Refusal(400, "the body ended too early") from error


def _read_json(text: str) -> tuple[dict[str, object], str]:
    try:
        return _object(text), ""
    except Refusal:
        repaired = _MISSING_COMMA.sub(r"\1,\2", text)
        if repaired == text:
            raise
        return _object(repaired), REPAIRED_NOTE


def _object(text: str) -> dict[str, object]:
    """Returns a JSON object that can be stored and sent again: no NaN, no lone surrogates, limited nesting."""
    try:
        value = json.loads(text)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "the body is not valid JSON") from error
    if not isinstance(value, dict):
        raise Refusal(400, "the body is not a JSON object")
    return value


def _read_form(text: str) -> dict[str, str]:
    try:
        return {name: _clean(value) for name, value in parse_qsl(text, keep_blank_values=True, max_num_fields=64)}
    except ValueError as error:
        raise Refusal(400, "the form cannot be read") from error


def _nested(text: str) -> object:
    """Returns a field's value: nested values as JSON text, all others unchanged."""
    if not text.lstrip().startswith(("{", "[")):
        return text
    return _object(f'{{"value": {text}}}')["value"]


def _clean(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Refusal(400, "a field is not valid text") from error
    return text
