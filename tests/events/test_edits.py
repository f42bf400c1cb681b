"""`--set` and `--unset` change one place and no other, or say which places there are."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.errors import UsageError
from alovoice_cli.events.event import PBX_TYPES, EventType
from alovoice_cli.events.samples import EventChange, as_json, changed, counted_up, read_changes, read_value, sample

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
NAMES = [name for kind in PBX_TYPES for name in sample(kind, NOW)]
NESTED = {"a": {"b": [1, {"c": 2}]}, "a.b": 3, "list": [{"x": 1}, {"x": 2}], "": 0, "[]id": 7}

_json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
_paths = st.sampled_from(
    [*NAMES, "a.b", "a.b[1].c", "list[0].x", "list[2]", "attempts[0]", "number.x", "[]id", ""]
) | st.text(max_size=12)
_typed = (
    st.text(max_size=20) | _json_values.map(json.dumps) | st.sampled_from(["NaN", "1e999", '"\\ud800"', "9" * 5000])
)


def _leaves(value: Any, place: tuple[object, ...] = ()) -> dict[tuple[object, ...], object]:
    if isinstance(value, dict) and value:
        return {k: v for name, item in value.items() for k, v in _leaves(item, (*place, name)).items()}
    if isinstance(value, list) and value:
        return {k: v for row, item in enumerate(value) for k, v in _leaves(item, (*place, row)).items()}
    return {place: repr(value)}


@examples(125)
@given(
    body=st.sampled_from([*(sample(kind, NOW) for kind in PBX_TYPES), NESTED, [NESTED]]) | _json_values,
    path=_paths,
    text=_typed,
)
def test_a_set_changes_exactly_its_place_or_is_refused(body: object, path: str, text: str) -> None:
    before, value = repr(body), read_value(text)
    try:
        after = changed(body, EventChange(path, value), NAMES)
    except UsageError:
        return
    finally:
        assert repr(body) == before
    as_json(value)
    old, new = _leaves(body), _leaves(after)
    places = {place for place in old.keys() | new.keys() if old.get(place) != new.get(place)}
    for place in places:
        name = _text(place)
        was_empty = old.get(place) in ("{}", "[]") and path.startswith(name)
        assert name == path or name.startswith((f"{path}.", f"{path}[")) or was_empty
    assert _at(after, path) == repr(value)


def _text(place: tuple[object, ...]) -> str:
    text = ""
    for step in place:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text


def _at(body: Any, path: str) -> str:
    """What stands at the path, found without the code under test: by trying every place."""
    found = []

    def walk(value: Any, place: tuple[object, ...]) -> None:
        if place and _text(place) == path:
            found.append(repr(value))
        for step, item in (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        ):
            walk(item, (*place, step))

    walk(body, ())
    return found[0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("+998901234567", "+998901234567"),
        ("007", "007"),
        ('"5"', "5"),
        ("null", None),
        ("true", True),
        ("[1]", [1]),
        ("603-S", "603-S"),
        ("Тошкент", "Тошкент"),
        ("", ""),
        ("NaN", "NaN"),
        ("1e999", "1e999"),
    ],
)
def test_a_value_is_json_where_it_is_some_else_text(text: str, value: object) -> None:
    assert read_value(text) == value


@pytest.mark.parametrize(
    ("path", "expected"),
    [("a.b[1].c", {"c": 9}), ("list[1]", None), ("list[0].x", None), ("[]id", None)],
)
def test_nested_places_are_reached(path: str, expected: object) -> None:
    after: Any = changed({key: item for key, item in NESTED.items() if key != "a.b"}, EventChange(path, 9), ())
    assert 9 in (after["a"]["b"][1]["c"], after["list"][1], after["list"][0]["x"], after["[]id"])


def test_a_path_that_names_two_places_is_refused() -> None:
    with pytest.raises(UsageError, match="two places"):
        changed(NESTED, EventChange("a.b", 1), ())


@pytest.mark.parametrize("kind", PBX_TYPES)
def test_an_unknown_path_is_refused_with_those_that_are_known(kind: EventType) -> None:
    body = sample(kind, NOW)
    with pytest.raises(UsageError, match="no 'nosuch'") as caught:
        changed(body, EventChange("nosuch", 1), body)
    assert all(name in caught.value.hint for name in body)


def test_a_documented_field_that_is_not_there_can_be_set_and_not_unset() -> None:
    body = {"from_number": "1"}
    assert changed(body, EventChange("queue_number", 6000), ("queue_number",)) == {
        "from_number": "1",
        "queue_number": 6000,
    }
    assert changed([body], EventChange("[0].queue_number", 6000), ("queue_number",)) == [{**body, "queue_number": 6000}]
    with pytest.raises(UsageError):
        changed(body, EventChange("queue_number"), ("queue_number",))


def test_what_cannot_be_written_as_json_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        changed({"a": 1}, EventChange("a", "\ud800"), ())
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(UsageError):
        changed({"a": 1}, EventChange("a", deep), ())
    while deep:  # taken apart by hand: so deep a list ends the interpreter when it is dropped
        deep = deep.pop()


def test_options_are_read_in_order_and_a_set_without_a_value_is_refused() -> None:
    assert read_changes(["a=1", "b=x=y", "c="], ["d"]) == (
        EventChange("a", 1),
        EventChange("b", "x=y"),
        EventChange("c", ""),
        EventChange("d"),
    )
    for text in ("a", "=1"):
        with pytest.raises(UsageError, match="has no value"):
            read_changes([text], [])


@pytest.mark.parametrize(
    ("value", "counted"),
    [("+998901234567", "+998901234570"), (1, 4), ("id-009x", "id-012x"), ("x", "x"), (True, True), (None, None)],
)
def test_counting_keeps_the_form(value: object, counted: object) -> None:
    assert counted_up(value, 3) == counted
