"""The body of each event as the document has it (API, sections 5, 6 and 9), with values that make sense today."""

import json
import re
from collections.abc import Mapping
from datetime import datetime

from alovoice_cli.errors import UsageError
from alovoice_cli.events.event import EventType

_COUNTED: Mapping[str, str] = {
    "callstart": "number",
    "callend": "call_id",
    "result": "id",
    "route": "from_number",
}
_LAST_DIGITS = re.compile(r"[0-9]+(?=[^0-9]*$)", re.ASCII)


def sample(kind: EventType, now: datetime) -> dict[str, object]:
    """The event's body with every documented field: an inbound call of 35 seconds that ends now."""
    end = int(now.timestamp())
    if kind == "callstart":
        return {"inner_phone": 2424, "number": "+998901234567", "line": "712037006", "type": "inc", "start_time": end}
    if kind == "callend":
        return {
            "call_id": 1,
            "finish_time": end,
            "duration": 35,
            "status_code": 200,
            "record": "https://cld.alovoice.uz/play/1",
        }
    if kind == "result":
        return {
            "id": 1,
            "from_number": "712037006",
            "to_number": "994412860",
            "trunk_number": "712037006",
            "begin_time": end - 45,
            "answer_time": end - 35,
            "end_time": end,
            "duration": 35,
            "dialstatus": "ANSWER",
            "record": "https://cld.alovoice.uz/play/1",
            "externalid": 123123,
            "attempts": [],
        }
    return {"from_number": "974244100", "line_number": "712037006", "queue_number": 6000, "direction": "inc"}


def counted_path(kind: EventType) -> str:
    """The field by which many events of one type differ."""
    return _COUNTED[kind]


def counted_up(value: object, by: int) -> object:
    """A number, or a text's last digits, so many further: `+998901234567` and 1 is `+998901234568`."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return value
    if isinstance(value, int):
        return value + by
    return _LAST_DIGITS.sub(lambda found: str(int(found.group()) + by).zfill(len(found.group())), value)


def as_json(body: object) -> bytes:
    """The body as the vendor's server writes JSON: UTF-8, no spaces. Raises UsageError for what cannot be written."""
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise UsageError("the body cannot be written as JSON", detail=str(error)) from error
