"""`--where`: what it means, and that whatever is typed is understood or refused with the place of the trouble."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.errors import UsageError
from alovoice_cli.events.conditions import CALL_FIELDS, EVENT_FIELDS, And, Compare, Condition, Not, Or, holds
from alovoice_cli.events.filters import parse_where
from alovoice_cli.moments import ClockTime, parse_moment

CLOCK = ClockTime(datetime(2025, 4, 25, 9, 30, tzinfo=UTC), timezone(timedelta(hours=5)))


def _parse(text: str, fields: Any = EVENT_FIELDS) -> Condition:
    return parse_where(text, fields, lambda word: parse_moment(word, CLOCK, "").at)


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("status = 486 and duration < 5", And((Compare("status", "=", "486"), Compare("duration", "<", 5)))),
        ("STATUS = 603-S", Compare("status", "=", "603-S")),
        ("status in (486, '603', 603-S)", Compare("status", "in", ("486", "603", "603-S"))),
        ("peer not in (101)", Not(Compare("peer", "in", ("101",)))),
        ("number = '90 123-45-67'", Compare("number", "=", "998901234567")),
        ("number = +998901234567", Compare("number", "=", "998901234567")),
        ("number ~ '45-67'", Compare("number", "~", "4567")),
        ("record ~ .mp3", Compare("record", "~", ".mp3")),
        ("duration >= 5m", Compare("duration", ">=", 300)),
        ("duration <> 0", Compare("duration", "!=", 0)),
        ("status = none", Compare("status", "=", None)),
        ("status = 'none'", Compare("status", "=", "none")),
        ("event_call_id = 'Ғайрат'", Compare("event_call_id", "=", "Ғайрат")),
        ("received > today", Compare("received", ">", 1745521200 * 1_000_000)),
        ("started < 1745521200", Compare("started", "<", 1745521200)),
        ("started < '2025-04-25 00:00'", Compare("started", "<", 1745521200)),
    ],
)
def test_a_comparison_means_what_it_says(text: str, condition: Condition) -> None:
    assert _parse(text) == condition


def test_and_binds_closer_than_or_and_not_closer_than_both() -> None:
    a, b, c = (Compare("peer", "=", name) for name in "123")
    assert _parse("peer=1 or peer=2 and peer=3") == Or((a, And((b, c))))
    assert _parse("(peer=1 or peer=2) and not peer=3") == And((Or((a, b)), Not(c)))
    assert _parse("not not peer=1") == Not(Not(a))


@pytest.mark.parametrize(
    ("text", "column", "word"),
    [
        ("", 1, "a field"),
        ("statsu = 1", 1, "no field"),
        ("status", 7, "a sign"),
        ("status = ", 10, "a value"),
        ("status = and", 10, "quotes"),
        ("status < 486", 8, "is a text"),
        ("duration ~ 5", 10, "a number"),
        ("duration = long", 12, "whole number"),
        ("duration = 99999999999999999999", 12, "whole number"),
        ("type = callstar", 8, "one of callstart"),
        ("(status = 1", 12, "')'"),
        ("status = 1)", 11, "the end"),
        ("status in 1", 11, "'('"),
        ("status in ()", 12, "a value"),
        ("status in (1", 13, "','"),
        ("peer not 1", 10, "'in'"),
        ("status = 'x", 10, "not closed"),
        ("status ! 1", 8, "has no meaning here"),
        ("received > someday", 12, "not a valid time"),
        ("peer = \x00", 8, "cannot be searched for"),
        ("not " * 60 + "peer=1", 201, "deeper"),
        ("peer=1 or " * 500 + "peer=1", 4001, "longer"),
    ],
)
def test_what_is_wrong_is_named_with_its_column(text: str, column: int, word: str) -> None:
    with pytest.raises(UsageError) as caught:
        _parse(text)
    assert caught.value.message.startswith(f"--where, column {column}: ")
    assert word in caught.value.message


def test_a_slip_in_a_fields_name_is_met_with_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        _parse("peer = 1 and durtion > 5")
    assert "duration" in caught.value.hint
    assert caught.value.detail.splitlines()[1] == " " * 13 + "^"


def test_calls_have_no_field_of_events_alone() -> None:
    with pytest.raises(UsageError):
        _parse("type = callend", CALL_FIELDS)


SIGNS = ("=", "!=", "<>", "<", "<=", ">", ">=", "~", "!~", "(", ")", ",", "and", "or", "not", "in", "none")
WORDS = st.sampled_from([*EVENT_FIELDS, *SIGNS, "'x'", "486", "603-S", "5m", "today", "'", '"'])


@given(st.one_of(st.text(max_size=40), st.lists(WORDS, max_size=12).map(" ".join)))
@examples(125)
def test_any_text_is_a_condition_or_a_usage_error_with_its_column(text: str) -> None:
    message = "--where, column "
    try:
        holds(_parse(text), {})
    except UsageError as error:
        message = error.message
    assert message.startswith("--where, column ")


def test_a_missing_value_equals_nothing_and_is_neither_less_nor_more() -> None:
    for text in ("status = 486", "duration < 5", "duration >= 5", "record ~ x", "peer in (1, 2)", "status != none"):
        assert not holds(_parse(text), {})
        assert holds(_parse(f"not {text}"), {})
    assert holds(_parse("status != 486 and record !~ x and status = none"), {})
