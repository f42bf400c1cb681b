"""What the PBX said: the bytes of a delivery as facts (API, sections 5, 6 and 9), best effort, never an exception."""

import json
from collections.abc import Mapping
from hashlib import sha256

from alovoice_cli.events.bodies import read_body
from alovoice_cli.events.event import EventType, Fact, Reading
from alovoice_cli.phones import canonical

_MOST_FACTS = 1000
_LONGEST_TEXT = 500
_LARGEST_NUMBER = 2**63 - 1  # what every database holds


def read(kind: EventType, body: bytes, content_type: str = "") -> Reading:
    """Reads a body of this type. What cannot be read has a `problem` and no facts."""
    try:
        value, problem = read_body(body, content_type)
        if problem:
            return Reading(None, digest=_digest(kind, body), problem=problem)
        objects = [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, dict)]
        facts = tuple(_fact(kind, item) for item in objects[:_MOST_FACTS])
        problem = "" if facts else "no object with fields"
        return Reading(value, facts, _digest(kind, _canonical(value)), problem)
    except Exception as error:  # the record is stored; a body that breaks the reader is one that was not read
        return Reading(None, digest=_digest(kind, body), problem=f"unreadable ({type(error).__name__})")


def _digest(kind: EventType, content: bytes) -> str:
    return sha256(kind.encode() + b"\0" + content).hexdigest()


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _fact(kind: EventType, item: Mapping[str, object]) -> Fact:
    if kind == "callstart":
        return Fact(
            number=_phone(item.get("number")),
            line=_phone(item.get("line")),
            peer=_text(item.get("inner_phone")),
            direction=_text(item.get("type")),
            started_at=_number(item.get("start_time")),
        )
    if kind == "callend":
        return Fact(
            call_id=_text(item.get("call_id")),
            status=_text(item.get("status_code")),
            duration=_number(item.get("duration")),
            ended_at=_number(item.get("finish_time")),
            record=_text(item.get("record")),
        )
    if kind == "result":
        return _result(item)
    if kind == "route":
        return Fact(
            number=_phone(item.get("from_number")),
            line=_phone(item.get("line_number")),
            queue=_text(item.get("queue_number")),
            direction=_text(item.get("direction")),
        )
    return Fact(external_id=_text(item.get("nonce")))


def _result(item: Mapping[str, object]) -> Fact:
    return Fact(
        call_id=_text(item.get("id")),
        external_id=_text(item.get("externalid")),
        number=_phone(item.get("to_number")),
        line=_phone(item.get("trunk_number")),
        peer=_text(item.get("from_number")),
        status=_text(item.get("dialstatus")),
        duration=_number(item.get("duration")),
        started_at=_number(item.get("begin_time")),
        answered_at=_number(item.get("answer_time")),
        ended_at=_number(item.get("end_time")),
        record=_text(item.get("record")),
    )


def _text(value: object) -> str | None:
    """A text or a number as text that a database takes; None for what is neither, or empty."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).strip()[:_LONGEST_TEXT]
    return text.replace("\0", "\\0").encode("utf-8", "backslashreplace").decode() or None


def _phone(value: object) -> str | None:
    """The key of a number, before half signs become letters and digits; what holds no number stays a text."""
    text = _text(value)
    return (canonical(value if isinstance(value, str) else text) or text) if text else None


def _number(value: object) -> int | None:
    """A whole number within what a database holds, also where it came as text; else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        text = value.strip()
        if not (text.isascii() and text.lstrip("-").isdigit() and len(text) < 20):
            return None
        value = int(text)
    if isinstance(value, float):
        value = int(value)
    return value if isinstance(value, int) and abs(value) <= _LARGEST_NUMBER else None
