"""Lines for `events import`, their import, and the events that the store then holds."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from front_door import FrontDoor

AT = datetime(2026, 11, 23, 4, tzinfo=UTC)


def event_line(kind: str = "callend", seconds: float = 0, **more: Any) -> dict[str, Any]:
    """Returns an event's line, so long after AT; a callend unless another type is named."""
    body = more.pop("body", {"call_id": 5, "finish_time": 1795406422, "duration": 20, "status_code": 200})
    return {"type": kind, "received_at": (AT + timedelta(seconds=seconds)).isoformat(), "body": body, **more}


def callstart_line(seconds: float = 0, **more: Any) -> dict[str, Any]:
    """Returns the line of a call that begins."""
    body = {"number": "+998901000001", "line": "712037006", "inner_phone": 101, "type": "inc", "start_time": 1795406390}
    return event_line("callstart", seconds, body=body, **more)


def import_events(alovoice: FrontDoor, *lines: object, words: tuple[str, ...] = ()) -> dict[str, Any]:
    """Imports these lines; returns what the command says."""
    path = alovoice.home / "lines.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    done = alovoice("events", "import", str(path), "--json", *words)
    assert done.code == 0, done.err
    told: dict[str, Any] = json.loads(done.out)
    return told


def listed_events(alovoice: FrontDoor, *words: str) -> list[dict[str, Any]]:
    """Returns the events of the store, the oldest first."""
    told: list[dict[str, Any]] = json.loads(alovoice("events", "list", "--json", "--limit", "0", *words).out)
    return told[::-1]
