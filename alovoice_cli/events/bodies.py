"""Reads a body from the PBX into a value. The content decides, not the header: JSON, form fields, or unreadable.

Nothing here raises for any body, and nothing is lost: the bytes are stored before. Hostile but valid JSON (safety
finding 10: huge integers, NaN, 1e999, lone surrogates, deep nesting) becomes a value that can be written as JSON again,
or is reported as unreadable.
"""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from alovoice_cli.events.body_text import charset_of, decoded, unpacked

_DEEPEST = 64
_MOST_FIELDS = 1000
_LONGEST_LOOSE = 20_000  # people who write by hand write little; a megabyte would take a second
_BEGINS_JSON = r"\s*+(?:\{|\[(?!\]))"  # and not the key `[]id`
_BEGINS_LOOSE = r"\s*+[{\['\"]"
# Notation of the vendor's page that is no JSON: bare keys (`[]id` too), texts in single quotes, a comma before a
# closing bracket. Every repeat is possessive, and every beginning is consumed: each letter is read a fixed number of
# times at most.
_LOOSE = (
    r"""(?s)(?P<text>"(?:[^"\\]++|\\.)*+"?+)"""
    r"""|'(?P<single>(?:[^'\\]++|\\.)*+)(?P<closed>')?+"""
    r"""|(?P<word>(?:\[\])?+[\w$.+-]++(?:\[\])?+)(?P<colon>\s*+:)?+"""
    r"""|(?P<comma>,)(?=\s*+[}\]])"""
)
_IN_SINGLE = r"""(?s)\\.|\""""


class Value(NamedTuple):
    """The content of a body: an object, a list, or another JSON value; or None and the `problem`."""

    value: object
    problem: str = ""


def read_body(body: bytes, content_type: str, content_encoding: str = "") -> Value:
    """Reads the body. Keys such as `[]id` and `id[]` (API, section 5) lose their brackets."""
    if not body.strip():
        return Value(None, "the body is empty")
    plain, problem = unpacked(body, content_encoding)
    if problem:
        return Value(None, problem)
    text, charset, problem = decoded(plain, content_type)
    read = Value(None, problem) if text is None else read_json(text)
    if read.problem and _is_multipart(content_type):
        read = _read_multipart(plain, content_type)
    elif read.problem and text is not None and "=" in text and not re.match(_BEGINS_JSON, text):
        read = _read_form(text, charset)
    return read if read.problem else Value(_without_brackets(read.value))


def read_query(query: str) -> object:
    """Returns the fields of a URL's query.

    Returns an object, a list of objects if each field occurs equally often, or None for an empty query.
    """
    read = _read_form(query.encode("latin-1", "replace").decode("utf-8", "replace"), "utf-8")
    return None if read.problem else _without_brackets(read.value)


def read_json(text: str) -> Value:
    """Returns the value of a text in JSON, or in the vendor's own notation: `{callto: '99 123 45 67',}`."""
    if _depth(text) > _DEEPEST:
        return Value(None, f"nested deeper than {_DEEPEST} levels")
    try:
        return Value(_loads(text))
    except (ValueError, RecursionError):
        pass
    if len(text) <= _LONGEST_LOOSE and re.match(_BEGINS_LOOSE, text):
        with suppress(ValueError, RecursionError):
            return Value(_loads(re.sub(_LOOSE, _as_strict, text)))
    return Value(None, "neither JSON nor form fields")


def _as_strict(match: re.Match[str]) -> str:
    """Returns a piece of the vendor's notation as JSON."""
    if match["closed"]:
        return '"' + re.sub(_IN_SINGLE, _unquoted, match["single"]) + '"'
    if match["colon"] is not None:
        return json.dumps(match["word"]) + ":"
    return "" if match["comma"] else match.group()


def _unquoted(match: re.Match[str]) -> str:
    """Returns a quote from a text in single quotes as JSON: without a backslash for ', with one for "."""
    return {'"': '\\"', "\\'": "'"}.get(match.group(), match.group())


def _loads(text: str) -> object:
    value: object = json.loads(text, parse_constant=str, parse_float=_finite, strict=False)
    return value


def _finite(text: str) -> float | str:
    number = float(text)
    return number if number - number == 0 else text  # 1e999 would be written as invalid JSON


def _depth(text: str) -> int:
    """Returns an upper bound of the nesting: brackets inside texts count too."""
    if text.count("[") + text.count("{") <= _DEEPEST:
        return 0
    deepest = depth = 0
    for letter in text:
        if letter in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif letter in "]}":
            depth -= 1
    return deepest


def _is_multipart(content_type: str) -> bool:
    return content_type.lower().lstrip().startswith("multipart/")


def _read_form(text: str, charset: str) -> Value:
    try:
        pairs = parse_qsl(
            text.strip(), keep_blank_values=True, encoding=charset, errors="replace", max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        return Value(None, "neither JSON nor form fields")
    return _fields(pairs)


def _read_multipart(body: bytes, content_type: str) -> Value:
    from email import message_from_bytes, policy  # noqa: PLC0415 - the e-mail parser loads slowly, for a rare body

    head = b"Content-Type: " + content_type.encode("latin-1", "replace").replace(b"\n", b" ").replace(b"\r", b" ")
    try:
        message = message_from_bytes(head + b"\r\n\r\n" + body, policy=policy.HTTP)
        parts = [part for part in message.iter_parts() if part.get_param("name", header="content-disposition")]
        pairs = [
            (
                str(part.get_param("name", header="content-disposition")),
                _part_text(part),
            )
            for part in parts[:_MOST_FIELDS]
        ]
    except Exception as error:  # the e-mail parser meets hostile headers with errors of many kinds
        return Value(None, f"no readable multipart form ({type(error).__name__})")
    return _fields(pairs)


def _part_text(part: Any) -> str:
    content: bytes = part.get_payload(decode=True) or b""
    return content.decode(charset_of(str(part.get("content-type", ""))) or "utf-8", "replace")


def _fields(pairs: list[tuple[str, str]]) -> Value:
    """Returns the fields as one object if each occurs once, or as n objects if each occurs n times."""
    columns: dict[str, list[str]] = {}
    for name, value in pairs:
        columns.setdefault(name, []).append(value)
    if not columns or columns.keys() == {""}:
        return Value(None, "neither JSON nor form fields")
    counts = {len(values) for values in columns.values()}
    if counts == {1}:
        return Value({name: values[0] for name, values in columns.items()})
    if len(counts) == 1:
        return Value([dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)])
    return Value({name: values[0] if len(values) == 1 else values for name, values in columns.items()})


def _without_brackets(value: object) -> object:
    if isinstance(value, list):
        return [_without_brackets(item) if isinstance(item, dict) else item for item in value]
    if not isinstance(value, dict):
        return value
    plain = {_bare(key): item for key, item in value.items()}
    if len(plain) < len(value):
        return value  # `id` and `[]id` together: neither may hide the other
    return _unzipped(plain) if _is_table(value) else plain


def _bare(key: str) -> str:
    return key.removeprefix("[]").removesuffix("[]") if "[]" in key else key


def _is_table(value: Mapping[str, object]) -> bool:
    """Returns whether `[]` keys hold lists of one length: a list of objects that was written column by column."""
    lists = [item for key, item in value.items() if _bare(key) != key]
    lengths = {len(item) for item in lists if isinstance(item, list)}
    return len(lists) == len(value) and len(lengths) == 1 and all(isinstance(item, list) for item in lists)


def _unzipped(columns: dict[str, object]) -> list[dict[str, object]]:
    rows = zip(*(column for column in columns.values() if isinstance(column, list)), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in rows]
