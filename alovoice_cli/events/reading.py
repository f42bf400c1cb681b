"""Reads the bytes of a delivery into facts (API, sections 5, 6 and 9), as far as possible; never raises."""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256

from alovoice_cli.events.bodies import read_body, read_query
from alovoice_cli.events.call_ids import read_record_link
from alovoice_cli.events.event import Delivery, EventType, Fact, Reading
from alovoice_cli.json_text import well_formed
from alovoice_cli.phones import canonical

NO_FIELDS = "no object with fields"
"""The problem of a JSON body without any field of a call."""

_MOST_FACTS = 1000
_LONGEST_TEXT = 500
_LARGEST_NUMBER = 2**63 - 1  # the limit of every database


def read_delivery(delivery: Delivery) -> Reading:
    """Reads a delivery: its body, unpacked by its headers, and the fields in its URL's query."""
    encoding, query = delivery.content_encoding, delivery.query
    return read(delivery.type, delivery.body, delivery.content_type, encoding=encoding, query=query)


def read(kind: EventType, body: bytes, content_type: str = "", *, encoding: str = "", query: str = "") -> Reading:
    """Reads a body of this type. An unreadable body has a `problem`, and only the facts of the query."""
    try:
        value, problem = read_body(body, content_type, encoding)
        asked = read_query(query) if query else None
        if asked is not None and not body.strip():
            problem = ""
        facts = tuple(_fact(kind, item) for item in _objects(value, asked))
        said = body if problem else _canonical(value)
        digest = _digest(kind, said if asked is None else said + b"?" + _canonical(asked))
        return Reading(value, facts, digest, problem or ("" if facts else NO_FIELDS))
    except Exception as error:  # the record is stored already; a body that breaks the reader counts as unreadable
        return Reading(None, digest=_digest(kind, body), problem=f"unreadable ({type(error).__name__})")


def read_objects(value: object, query: str) -> Sequence[Mapping[str, object]]:
    """Returns the objects with fields, one for each fact, of a body with this value and of the URL's query."""
    return _objects(value, read_query(query) if query else None)


def _objects(value: object, asked: object) -> Sequence[Mapping[str, object]]:
    """Returns the objects with fields in a body; fields that the body lacks come from the query."""
    objects = [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, dict)]
    if isinstance(asked, dict):
        objects = [{**asked, **item} for item in objects or [{}]]
    objects = objects or [item for item in (asked if isinstance(asked, list) else []) if isinstance(item, dict)]
    return objects[:_MOST_FACTS]


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
            record=(link := _text(item.get("record"))),
            pbx_call_id=read_record_link(link),
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
    own, link = _text(item.get("id")), _text(item.get("record"))
    return Fact(
        call_id=own,
        external_id=_text(item.get("externalid")),
        number=_phone(item.get("to_number")),
        line=_phone(item.get("trunk_number")),
        peer=_text(item.get("from_number")),
        status=_text(item.get("dialstatus")),
        duration=_number(item.get("duration")),
        started_at=_number(item.get("begin_time")),
        answered_at=_number(item.get("answer_time")),
        ended_at=_number(item.get("end_time")),
        record=link,
        pbx_call_id=read_record_link(link) or own,
    )


def _text(value: object) -> str | None:
    """Returns a text or a number as text that a database takes; None for other values and empty text."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).strip()[:_LONGEST_TEXT]
    return well_formed(text.replace("\0", "\\0")) or None


def _phone(value: object) -> str | None:
    """Returns a number's key, before lone surrogates become letters and digits; other text stays text."""
    text = _text(value)
    return (canonical(value if isinstance(value, str) else text) or text) if text else None


def _number(value: object) -> int | None:
    """Returns a whole number within a database's limits, also from text; else None."""
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
