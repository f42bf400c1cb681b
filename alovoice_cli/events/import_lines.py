"""Reads events of another history from JSON Lines: the output of `events export`, and lines of other programs.

A line of an event has `type`, `received_at` and `body`. Optional are `answer_id` (the answer to a callstart), `query`,
`headers` and `content_type`; an export also has `id`, `event_call_id`, `duplicate_of`, `answer`, `rule`, `problem` and
`trial`. A line of the type `uptime` names a time of which the file has all events.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import urlencode

from alovoice_cli.errors import CheckFailedError
from alovoice_cli.events.answers import derived_id
from alovoice_cli.events.coverage import UPTIME
from alovoice_cli.events.event import EVENT_TYPES, TRIAL_HEADER, Delivery
from alovoice_cli.events.reading import NO_FIELDS
from alovoice_cli.json_text import json_text, well_formed
from alovoice_cli.language import tr
from alovoice_cli.moments import unix_microseconds

_LONGEST_LINE = 8 << 20  # bytes: eight times the largest body that a listener takes
_LONGEST_CALL_ID, _LONGEST_TEXT = 64, 500
_ID = r"[0-9A-Za-z_.:-]{1,32}"
_MOST_BAD_LINES = 5
_END_OF_CALENDAR = 253_402_300_800_000_000
"""The first unix microsecond of the year 10000: no report could show it."""
_FORM = 'such as {"type": "callend", "received_at": "2026-11-23T04:00:23.120Z", "body": {"call_id": 5}}'


@dataclass(frozen=True, slots=True)
class ImportedEvent:
    """An event of another history. `call_id` is the answer to its callstart, None if no line has it.

    `duplicate_of` is the first delivery with the same content, from the export; `problem` says why the body was
    unreadable.
    """

    delivery: Delivery
    call_id: str | None = None
    duplicate_of: str | None = None
    answer: Mapping[str, object] = field(default_factory=dict)
    rule: str | None = None
    problem: str = ""


class ImportedUptime(NamedTuple):
    """A time of which all events were imported, in unix microseconds."""

    id: str
    began_at: int
    ended_at: int


ImportLine = ImportedEvent | ImportedUptime


def read_lines(file: BinaryIO, name: str) -> Iterator[ImportLine]:
    """Yields the lines of an open file. Raises CheckFailedError, which names the first bad lines, at their end."""
    bad: list[str] = []
    number = 0
    while line := file.readline(_LONGEST_LINE + 1):
        number += 1
        try:
            if text := _text_of(line, is_first=number == 1):
                found = parse_line(text)
                if not bad:
                    yield found
        except ValueError as error:
            bad.append(tr("{file}, row {row}: {problem}", file=name, row=number, problem=error))
            if len(bad) >= _MOST_BAD_LINES or len(line) > _LONGEST_LINE:
                break
    if bad:
        raise CheckFailedError(
            bad[0],
            hint=tr(
                "nothing is imported while a row is bad: correct it and run this again; a row is {example}",
                example=_FORM,
            ),
            detail="\n".join(bad[1:]),
        )


def _text_of(line: bytes, *, is_first: bool) -> str:
    if len(line) > _LONGEST_LINE:
        raise ValueError(tr("longer than {size} MB", size=_LONGEST_LINE >> 20))
    try:
        return line.decode("utf-8-sig" if is_first else "utf-8").strip()
    except UnicodeDecodeError:
        raise ValueError(tr("not UTF-8 text")) from None


def parse_line(text: str) -> ImportLine:
    """Returns the content of a line. Raises ValueError with the reason why it cannot be imported."""
    try:
        return _parse(text)
    except RecursionError:  # a value that is just readable may be too deep to write
        raise ValueError(tr("JSON that is nested too deeply")) from None


def _parse(text: str) -> ImportLine:
    try:
        value: object = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise ValueError(tr("not JSON from character {position}", position=error.pos + 1)) from None
    if not isinstance(value, dict):
        raise ValueError(tr("not a JSON object"))
    kind = value.get("type")
    if kind == UPTIME:
        return _uptime(value)
    if kind not in EVENT_TYPES:
        raise ValueError(
            tr("type is {value}, not one of {names}", value=_shown(kind), names=", ".join((*EVENT_TYPES, UPTIME)))
        )
    return _event(kind, value)


def _refuse_constant(text: str) -> None:
    raise ValueError(tr("{value} is not valid JSON", value=text))


def _shown(value: object) -> str:
    shown = json_text(value)
    return shown if len(shown) <= 40 else f"{shown[:40]}…"


def _uptime(line: Mapping[str, Any]) -> ImportedUptime:
    began_at = _moment(line, "began_at")
    ended_at = _moment(line, "ended_at" if line.get("ended_at") is not None else "seen_at")
    if ended_at < began_at:
        raise ValueError(tr("ended_at is before began_at"))
    return ImportedUptime(
        _own_id(line) or derived_id(began_at // 1000, f"{began_at} {ended_at}".encode()), began_at, ended_at
    )


def _event(kind: Any, line: Mapping[str, Any]) -> ImportedEvent:
    if "body" not in line:
        raise ValueError(tr("body is missing"))
    received_at, query, call_id = _moment(line, "received_at"), _query(line.get("query")), _call_id(kind, line)
    problem = _plain(line.get("problem")) or ""
    content = [kind, received_at, line["body"], call_id, query]
    delivery = Delivery(
        _own_id(line) or derived_id(received_at // 1000, json.dumps(content, sort_keys=True).encode()),
        kind,
        received_at,
        _body(line["body"], problem),
        _content_type(line),
        headers=_headers(line),
        query=query,
        imported=True,
    )
    answer = line.get("answer")
    return ImportedEvent(
        delivery,
        call_id,
        _plain(line.get("duplicate_of")),
        answer if isinstance(answer, dict) else {},
        _plain(line.get("rule")),
        problem,
    )


def _moment(line: Mapping[str, Any], name: str) -> int:
    """Returns a moment of the line in unix microseconds."""
    told = line.get(name)
    try:
        moment = datetime.fromisoformat(told) if isinstance(told, str) else None
        at = None if moment is None or moment.tzinfo is None else unix_microseconds(moment)
    except (ValueError, OverflowError):
        at = None
    if at is None or not 0 <= at < _END_OF_CALENDAR:
        raise ValueError(
            tr(
                "{key} is {value}, not a time with a zone such as 2026-11-23T04:00:23.120Z",
                key=name,
                value=_shown(told),
            )
        )
    return at


def _own_id(line: Mapping[str, Any]) -> str | None:
    own = line.get("id")
    if own is None:
        return None
    if not isinstance(own, str) or not re.fullmatch(_ID, own):
        raise ValueError(tr("id is {value}, not a text of at most 32 letters and digits", value=_shown(own)))
    return own


def _call_id(kind: str, line: Mapping[str, Any]) -> str | None:
    """Returns the id that answered the callstart: a callend has it as a number or as text."""
    if kind != "callstart":
        return None
    answer = line.get("answer")
    kept = {"answer.id": answer.get("id") if isinstance(answer, dict) else None}
    # Older exports have only the second name.
    told_by = {"answer_id": line.get("answer_id"), **kept, **{n: line.get(n) for n in ("event_call_id", "call_id")}}
    name, told = next(((name, told) for name, told in told_by.items() if told is not None), ("", None))
    if told is None:
        return None
    text = "" if isinstance(told, (bool, float)) or not isinstance(told, (int, str)) else well_formed(str(told)).strip()
    if not 0 < len(text) <= _LONGEST_CALL_ID or not text.isprintable():
        raise ValueError(
            tr(
                "{key} is {value}, not a call id of at most {most} letters",
                key=name,
                value=_shown(told),
                most=_LONGEST_CALL_ID,
            )
        )
    return text


def _body(body: object, problem: str) -> bytes:
    """Returns the bytes of a body. A text is the body itself, unless the export says that it was read as a value."""
    if isinstance(body, str) and problem != NO_FIELDS:
        return well_formed(body).encode()
    if problem and isinstance(body, dict) and isinstance(packed := body.get("base64"), str) and len(body) == 1:
        try:
            return base64.b64decode(packed, validate=True)
        except (binascii.Error, ValueError):
            raise ValueError(tr("body is not base64")) from None
    return json_text(body).encode()


def _query(query: object) -> str:
    """Returns the query of a URL: as text, or from its fields, which may have several values."""
    if query is None or isinstance(query, str):
        return well_formed(query or "").replace("\0", "%00").encode().decode("latin-1")
    fields: list[tuple[str, object]] = []
    for row in query if isinstance(query, list) else [query]:
        if not isinstance(row, dict):
            raise ValueError(tr("query is {value}, not an object of fields", value=_shown(query)))
        fields += [(well_formed(str(name)), _form(value)) for name, value in row.items()]
    return urlencode(fields, doseq=True)


def _form(value: object) -> object:
    return [well_formed(str(one)) for one in value] if isinstance(value, list) else well_formed(str(value))


def _content_type(line: Mapping[str, Any]) -> str:
    """Returns the content type without a charset: the body of a line is UTF-8."""
    told = _plain(line.get("content_type")) or "application/json"
    return ";".join(part for part in told.split(";") if not part.strip().lower().startswith("charset"))


def _headers(line: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    told = line.get("headers") or []
    try:
        pairs = list(told.items()) if isinstance(told, dict) else [(name, value) for name, value in told]
    except (TypeError, ValueError):
        raise ValueError(tr("headers is {value}, not pairs of name and value", value=_shown(told))) from None
    headers = [(well_formed(str(name)).lower(), well_formed(str(value))) for name, value in pairs]
    if line.get("trial") is True and (TRIAL_HEADER, "1") not in headers:
        headers.append((TRIAL_HEADER, "1"))
    return tuple(headers)


def _plain(value: object) -> str | None:
    """Returns a short text that every database takes; None for any other value."""
    return well_formed(value.replace("\0", "\\0"))[:_LONGEST_TEXT] if isinstance(value, str) and value else None
