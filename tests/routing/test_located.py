"""TOML with places: what tomllib reads, each value with the line and column where it stands."""

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.routing.located import BadTomlError, LocatedEntry, read_toml

KEYS = st.sampled_from(["a", "b", "a-b", '"q k"', "'x'", '"\\u0431"', "a.b", 'a . "c"'])
SCALARS = st.sampled_from(
    [
        "1",
        "-2.5e3",
        "true",
        '"text # no comment"',
        '"""\nmany\n"lines"\\"\n"""',
        "'''raw ''two'''",
        '"]"',
        "'}'",
        "1979-05-27 07:32:00",
        "07:32:00",
        '"a\\"b"',
        "nan",
        '""',
        '""""quoted""""',
        "'''''in'''",
    ]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda v: "[" + " , # c\n".join([*v, ""]) + "]")
        | st.lists(inner, max_size=3).map(lambda v: "{" + ", ".join(f"k{i} = {x}" for i, x in enumerate(v)) + "}")
    ),
    max_leaves=5,
)
LINES = st.one_of(
    st.tuples(KEYS, VALUES).map(lambda pair: f"{pair[0]} = {pair[1]}  # comment = 1"),
    KEYS.map(lambda key: f"[{key}]"),
    KEYS.map(lambda key: f"  [[ {key} ]]"),
    st.just("# [no.table]"),
    st.just(""),
)


def _plain(entry: LocatedEntry) -> Any:
    if isinstance(entry.value, dict):
        return {key: _plain(inner) for key, inner in entry.value.items()}
    return [_plain(inner) for inner in entry.value] if isinstance(entry.value, list) else entry.value


def _walk(entry: LocatedEntry, key: str = "") -> list[tuple[str, LocatedEntry]]:
    below = [(k, e) for k, e in entry.table.items()] + [("", e) for e in entry.items]
    return [(key, entry), *(found for name, inner in below for found in _walk(inner, name))]


@examples(100)
@given(st.lists(LINES, max_size=8).map("\n".join), st.booleans())
def test_values_are_those_of_tomllib_and_stand_where_their_places_say(text: str, windows: bool) -> None:
    written = text.replace("\n", "\r\n") if windows else text
    try:
        expected = tomllib.loads(written)
    except tomllib.TOMLDecodeError:
        with pytest.raises(BadTomlError):
            read_toml(written, "f")
        return
    document = read_toml(written, "f")
    assert repr(_plain(document)) == repr(expected)
    rows = text.split("\n")
    for key, entry in _walk(document)[1:]:
        rest = rows[entry.place.line - 1][entry.place.column - 1 :]
        name = rows[entry.name.line - 1][entry.name.column - 1 :]
        if isinstance(entry.value, bool):
            assert rest.startswith(str(entry.value).lower())
        elif isinstance(entry.value, int):
            assert rest.startswith(str(entry.value))
        elif isinstance(entry.value, str):
            assert rest.startswith(('"', "'"))
        if key and not name.startswith("["):
            assert name.startswith((key, f'"{key}', f"'{key}", '"\\u0431'))


def test_the_place_of_a_value_in_a_table_of_an_array_is_its_own() -> None:
    document = read_toml('[[rule]]\nname = "a"\n\n[[rule]]\nname = "b"\nwhen = { from = [\n  "1", "x" ] }\n', "f")
    second = document.table["rule"].items[1]
    assert (second.place.line, second.table["name"].place.column) == (4, 8)
    bad = second.table["when"].table["from"].items[1]
    assert (bad.value, bad.place.line, bad.place.column) == ("x", 7, 8)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("a = 1\nb = ", 2, 5),
        ("a = 1\na = 2", 2, 6),
        ("\n\n= 1", 3, 1),
        ('a = "open', 1, 10),
        ("a = " + "9" * 5000, 1, 1),
    ],
)
def test_what_is_no_toml_is_told_with_its_place(text: str, line: int, column: int) -> None:
    with pytest.raises(BadTomlError) as caught:
        read_toml(text, "f")
    assert (caught.value.place.line, caught.value.place.column) == (line, column)


def test_many_arrays_side_by_side_are_not_deep() -> None:
    assert len(read_toml("a = [" + "[1], " * 60 + "]", "f").table["a"].items) == 60


@pytest.mark.parametrize("text", ["a = " + "[" * 5000, "a = " + "[" * 60 + "]" * 60, ".".join("a" * 3000) + " = 1"])
def test_what_is_too_deep_is_told_and_does_not_end_the_program(text: str) -> None:
    with pytest.raises(BadTomlError):
        read_toml(text, "f")
