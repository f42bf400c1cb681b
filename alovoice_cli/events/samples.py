"""The document's bodies of events (API, sections 5, 6 and 9), and changes to them: `--set path=value`, `--unset path`.

A path is a field's name; within objects and lists it continues with `.name` and `[0]`. Valid are the places in the
body, and the fields that the document gives the event.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from datetime import datetime
from difflib import get_close_matches
from typing import Any, NamedTuple

from alovoice_cli.errors import UsageError
from alovoice_cli.events.event import EventType
from alovoice_cli.language import joined, tr

_COUNTED: Mapping[str, str] = {
    "callstart": "number",
    "callend": "call_id",
    "result": "id",
    "route": "from_number",
}
_LAST_DIGITS = re.compile(r"[0-9]+(?=[^0-9]*$)", re.ASCII)
BodyPath = tuple[str | int, ...]
_MOST_SHOWN = 40
_GONE = object()


def sample(kind: EventType, now: datetime) -> dict[str, object]:
    """Returns the event's body with every documented field: an inbound call of 35 seconds that ends now.

    The numbers are unassigned: +998 00 is no network.
    """
    end = int(now.timestamp())
    if kind == "callstart":
        return {"inner_phone": 2424, "number": "+998001234567", "line": "712037006", "type": "inc", "start_time": end}
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
            "to_number": "998004412860",
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
    return {"from_number": "998004244100", "line_number": "712037006", "queue_number": 6000, "direction": "inc"}


def counted_path(kind: EventType) -> str:
    """Returns the field that differs between several events of one type."""
    return _COUNTED[kind]


def counted_up(value: object, by: int) -> object:
    """Returns a number, or a text's last digits, increased: `+998901234567` and 1 is `+998901234568`."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return value
    if isinstance(value, int):
        return value + by
    return _LAST_DIGITS.sub(lambda found: str(int(found.group()) + by).zfill(len(found.group())), value)


def as_json(body: object) -> bytes:
    """Returns the body as the vendor's server writes JSON: UTF-8, no spaces. Raises UsageError for an invalid value."""
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise UsageError(tr("the body cannot be written as JSON"), detail=str(error)) from error


class EventChange(NamedTuple):
    """One `--set` (or, without a value, one `--unset`)."""

    path: str
    value: object = _GONE

    @property
    def removes(self) -> bool:
        """Returns whether the place is removed."""
        return self.value is _GONE


def read_changes(sets: Iterable[str], unsets: Iterable[str]) -> tuple[EventChange, ...]:
    """Returns the changes of the options, those of `--set` first. Raises UsageError for a `--set` without `=`."""
    changes = []
    for text in sets:
        path, equals, value = text.partition("=")
        if not equals or not path:
            raise UsageError(
                tr("--set {change!r} has no value", change=text), hint=tr("write it as --set number=+998901234567")
            )
        changes.append(EventChange(path, read_value(value)))
    return (*changes, *(EventChange(path) for path in unsets))


def read_value(text: str) -> object:
    """Returns the typed value: as JSON if valid (`5`, `null`, `"5"`, `[1]`), else as text."""
    try:
        value: object = json.loads(text, parse_constant=_refuse)
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        return text
    return value


def _refuse(constant: str) -> object:
    raise ValueError(constant)  # NaN and the like are valid in Python, not in JSON: they stay text


def changed(body: object, change: EventChange, documented: Iterable[str]) -> object:
    """Returns a copy of the body that differs in that place alone.

    Raises UsageError for an unknown path, with the known ones, for a path of two places, and for a value that JSON
    cannot hold.
    """
    try:
        place = _found(body, change.path, documented, there=change.removes)
        copy: Any = deepcopy(body)
    except RecursionError as error:
        raise UsageError(
            tr("the body is nested too deeply to be changed"), hint=tr("set a value that is nested less deeply")
        ) from error
    holder = copy
    for step in place[:-1]:
        holder = holder[step]
    if change.removes:
        del holder[place[-1]]
    else:
        as_json(change.value)
        holder[place[-1]] = change.value
    return copy


def _found(body: object, path: str, documented: Iterable[str], *, there: bool) -> BodyPath:
    known: dict[str, set[BodyPath]] = {}
    for text, place in _places(body):
        known.setdefault(text, set()).add(place)
    if not there:
        for text, place in _documented(body, documented):
            known.setdefault(text, set()).add(place)
    found = known.get(path, set())
    if len(found) == 1:
        return next(iter(found))
    if found:
        raise UsageError(
            tr("{path} names two places of this body", path=path), hint=tr("set the object around it as JSON")
        )
    raise _unknown(path, list(known))


def _unknown(path: str, known: list[str]) -> UsageError:
    near = get_close_matches(path, known, n=1)
    hint = tr("paths: {paths}", paths=", ".join(known[:_MOST_SHOWN]))
    if len(known) > _MOST_SHOWN:
        hint = tr("paths: {paths}, … ({number} in all)", paths=", ".join(known[:_MOST_SHOWN]), number=len(known))
    if near:
        hint = joined(" ", [tr("did you mean {name}?", name=near[0]), hint])
    return UsageError(tr("there is no {path!r} in this event", path=path), hint=hint)


def _places(value: object, text: str = "", place: BodyPath = ()) -> Iterator[tuple[str, BodyPath]]:
    inner: Iterable[tuple[str | int, object]] = ()
    if isinstance(value, dict):
        inner = ((name, item) for name, item in value.items() if name)  # a value without a name cannot be named
    elif isinstance(value, list):
        inner = enumerate(value)
    for step, item in inner:
        name = f"{text}[{step}]" if isinstance(step, int) else f"{text}.{step}" if text else str(step)
        yield name, (*place, step)
        yield from _places(item, name, (*place, step))


def _documented(body: object, names: Iterable[str]) -> Iterator[tuple[str, BodyPath]]:
    names = tuple(names)
    if isinstance(body, dict):
        yield from ((name, (name,)) for name in names)
    elif isinstance(body, list):
        rows = [row for row, item in enumerate(body) if isinstance(item, dict)]
        yield from ((f"[{row}].{name}", (row, name)) for row in rows for name in names)
