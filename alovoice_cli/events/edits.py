"""Changes to one place of a body: `--set path=value` and `--unset path`.

A path is a field's name; within objects and lists it goes on with `.name` and `[0]`. Known are the places that the body
has, and the fields that the document gives the event.
"""

import json
from collections.abc import Iterable, Iterator
from copy import deepcopy
from difflib import get_close_matches
from typing import Any, NamedTuple

from alovoice_cli.errors import UsageError
from alovoice_cli.events.samples import as_json

Place = tuple[str | int, ...]
_MOST_SHOWN = 40
_GONE = object()


class Change(NamedTuple):
    """One `--set` (or, without a value, one `--unset`)."""

    path: str
    value: object = _GONE

    @property
    def removes(self) -> bool:
        """Whether the place is to go."""
        return self.value is _GONE


def read_changes(sets: Iterable[str], unsets: Iterable[str]) -> tuple[Change, ...]:
    """The changes that the options say, those of `--set` first. Raises UsageError for a `--set` without `=`."""
    changes = []
    for text in sets:
        path, equals, value = text.partition("=")
        if not equals or not path:
            raise UsageError(f"--set {text!r} sets nothing", hint="write it as --set number=+998901234567")
        changes.append(Change(path, read_value(value)))
    return (*changes, *(Change(path) for path in unsets))


def read_value(text: str) -> object:
    """The value that was typed: JSON where it is some (`5`, `null`, `"5"`, `[1]`), else the text as it stands."""
    try:
        value: object = json.loads(text, parse_constant=_refuse)
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        return text
    return value


def _refuse(constant: str) -> object:
    raise ValueError(constant)  # NaN and its like are Python's, not JSON's: they stay text


def changed(body: object, change: Change, documented: Iterable[str]) -> object:
    """A copy of the body that differs in that place alone.

    Raises UsageError for a path that is not known, with those that are, or that names two places; and for a value that
    no JSON can hold.
    """
    try:
        place = _found(body, change.path, documented, there=change.removes)
        copy: Any = deepcopy(body)
    except RecursionError as error:
        raise UsageError("the body is nested too deep to be changed", hint="set a value that is less deep") from error
    holder = copy
    for step in place[:-1]:
        holder = holder[step]
    if change.removes:
        del holder[place[-1]]
    else:
        as_json(change.value)
        holder[place[-1]] = change.value
    return copy


def _found(body: object, path: str, documented: Iterable[str], *, there: bool) -> Place:
    known: dict[str, set[Place]] = {}
    for text, place in _places(body):
        known.setdefault(text, set()).add(place)
    if not there:
        for text, place in _documented(body, documented):
            known.setdefault(text, set()).add(place)
    found = known.get(path, set())
    if len(found) == 1:
        return next(iter(found))
    if found:
        raise UsageError(f"{path} names two places of this body", hint="set the object around it as JSON")
    raise _unknown(path, list(known))


def _unknown(path: str, known: list[str]) -> UsageError:
    near = get_close_matches(path, known, n=1)
    shown = ", ".join(known[:_MOST_SHOWN]) + (f", … ({len(known)} in all)" if len(known) > _MOST_SHOWN else "")
    hint = (f"did you mean {near[0]}? " if near else "") + f"paths: {shown}"
    return UsageError(f"there is no {path!r} in this event", hint=hint)


def _places(value: object, text: str = "", place: Place = ()) -> Iterator[tuple[str, Place]]:
    inner: Iterable[tuple[str | int, object]] = ()
    if isinstance(value, dict):
        inner = ((name, item) for name, item in value.items() if name)  # what has no name cannot be named
    elif isinstance(value, list):
        inner = enumerate(value)
    for step, item in inner:
        name = f"{text}[{step}]" if isinstance(step, int) else f"{text}.{step}" if text else str(step)
        yield name, (*place, step)
        yield from _places(item, name, (*place, step))


def _documented(body: object, names: Iterable[str]) -> Iterator[tuple[str, Place]]:
    names = tuple(names)
    if isinstance(body, dict):
        yield from ((name, (name,)) for name in names)
    elif isinstance(body, list):
        rows = [row for row, item in enumerate(body) if isinstance(item, dict)]
        yield from ((f"[{row}].{name}", (row, name)) for row in rows for name in names)
