"""The lines of `events import`: each is an event, an uptime, or named with one reason."""

import json
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from event_lines import callstart_line, event_line, import_events, listed_events
from front_door import FrontDoor
from hypothesis import given
from hypothesis import strategies as st

from alovoice_cli.events.event import EVENT_TYPES, EventType
from alovoice_cli.events.import_lines import ImportedEvent, ImportedUptime, parse_line

pytestmark = pytest.mark.usefixtures("profile_store")


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("{", "not JSON from character 2"),
        ("[1]", "not a JSON object"),
        ("[" * 100_000, "JSON that is nested too deeply"),
        ('{"type": "callend", "received_at": "2026-11-23T04:00:23Z"}', "body is missing"),
        ('{"type": "call", "received_at": "2026-11-23T04:00:23Z", "body": 1}', 'type is "call"'),
        ('{"type": "callend", "received_at": "2026-11-23T04:00:23", "body": 1}', "not a time with a zone"),
        ('{"type": "callend", "received_at": 1795406422, "body": 1}', "not a time with a zone"),
        ('{"type": "callend", "received_at": "2026-11-23T04:00:23Z", "body": NaN}', "NaN is not valid JSON"),
        (
            '{"type": "callstart", "received_at": "2026-11-23T04:00:23Z", "body": {}, "answer_id": [5]}',
            "answer_id is [5]",
        ),
        ('{"type": "callend", "received_at": "2026-11-23T04:00:23Z", "body": {}, "id": "' + "x" * 33 + '"}', "id is"),
        (
            '{"type": "uptime", "began_at": "2026-11-23T04:00:23Z", "ended_at": "2026-11-23T04:00:22Z"}',
            "before began_at",
        ),
        ('{"type": "callend", "received_at": "9999-12-31T23:59:59-12:00", "body": 1}', "not a time with a zone"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_imported(alovoice: FrontDoor, bad: str, reason: str) -> None:
    good, path = json.dumps(event_line()), alovoice.home / "bad.jsonl"
    path.write_text(f"{good}\n\n{bad}\n{good}\n", "utf-8")
    done = alovoice("events", "import", str(path))
    assert done.code == 8
    assert "bad.jsonl, row 3: " in done.err
    assert reason in done.err.replace("\n", " ")
    assert not (alovoice.home / "state" / "events.db").exists()


def test_bytes_that_are_no_text_and_lines_without_end_are_named(alovoice: FrontDoor) -> None:
    path = alovoice.home / "bad.jsonl"
    path.write_bytes(json.dumps(event_line()).encode() + b"\n\xff\xfe\n")
    assert "row 2: not UTF-8 text" in alovoice("events", "import", str(path)).err
    path.write_bytes(b"x" * (9 << 20))
    assert "row 1: longer than 8 MB" in alovoice("events", "import", str(path)).err


@pytest.mark.parametrize("odd", ["\0", "\ud800", "\u202e", "Ў" * 3000])
def test_odd_letters_in_any_text_are_imported(alovoice: FrontDoor, odd: str) -> None:
    plain = ("content_type", "query", "rule", "problem", "duplicate_of")
    lines = [event_line(seconds=n * 700, **{name: f"a{odd}b"}) for n, name in enumerate(plain)]
    lines += [callstart_line(seconds=7000, headers=[["x-a", odd]], answer={"id": 5, "callto": odd})]
    bodies = ("number", "line", "inner_phone", "status_code", "record", "call_id")
    lines += [
        event_line(seconds=9000 + n * 700, body={"call_id": n, name: f"1{odd}2"}) for n, name in enumerate(bodies)
    ]
    assert import_events(alovoice, *lines)["imported"] == len(lines)
    assert len(listed_events(alovoice, "--since", "all")) == len(lines)


_VALUES = st.one_of(st.none(), st.text(max_size=40), st.integers(), st.floats(), st.lists(st.integers(), max_size=2))
_KEYS = (
    "id",
    "type",
    "received_at",
    "body",
    "answer_id",
    "query",
    "headers",
    "answer",
    "began_at",
    "ended_at",
    "trial",
)


@given(st.text(max_size=80) | st.dictionaries(st.sampled_from(_KEYS), _VALUES).map(json.dumps))
def test_any_line_is_an_event_an_uptime_or_one_reason(text: str) -> None:
    try:
        found = parse_line(text)
    except ValueError:
        return
    assert isinstance(found, ImportedEvent | ImportedUptime)


def test_a_line_of_any_depth_is_read_or_a_reason() -> None:
    reasons = set()
    for deep in range(sys.getrecursionlimit() // 2, sys.getrecursionlimit() + 1):
        try:
            parse_line(json.dumps(event_line(body=0)).replace(": 0", ": " + "[" * deep + "]" * deep))
        except ValueError as error:
            reasons.add(str(error))
    assert reasons == {"JSON that is nested too deeply"}


@given(
    st.sampled_from(EVENT_TYPES),
    st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30)),
    st.fixed_dictionaries({}, optional={name: _VALUES for name in _KEYS if name not in ("type", "received_at", "id")}),
)
def test_a_line_without_an_id_has_the_same_one_each_time(kind: EventType, at: datetime, more: dict[str, Any]) -> None:
    line = {"body": {}, **more, "type": kind, "received_at": at.replace(tzinfo=UTC).isoformat()}
    try:
        found = parse_line(json.dumps(line))
    except ValueError:
        return
    assert isinstance(found, ImportedEvent)
    assert found == parse_line(json.dumps(dict(reversed(line.items()))))
    assert len(found.delivery.id) == 26
