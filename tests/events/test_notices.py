"""Notices, purely: how fast messages go, how much one holds, what it says, and which targets there are."""

import contextlib
import re
from collections import Counter
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alovoice_cli.errors import UsageError
from alovoice_cli.events.event import MISSED_STATUSES, Call
from alovoice_cli.events.notices import (
    MOST_A_MINUTE,
    MOST_LETTERS,
    JudgedNotice,
    MissedNotice,
    NoticeWording,
    is_time_for_a_message,
    judge_notice,
    message_text,
    next_message,
    number_text,
)
from alovoice_cli.listening.targets import parse_notify

SECOND = 1_000_000
START = 1_700_000_000
WORDING = NoticeWording(UTC, lambda peer: f"{peer} Шерзод Ғуломов 😀")


def _call(place: int, number: str | None = None, at: int = START, **more: str) -> Call:
    fields: dict[str, Any] = {"line": "998712037006", "peer": "2000", "direction": "inc", "status": "486", **more}
    return Call(f"c{place}", at, number or f"99890{place:07}", started_at=at, start_seq=place, end_seq=place, **fields)


def _notice(call: Call) -> MissedNotice:
    return MissedNotice(call.start_seq or 0, "waiting", call.reported_at * SECOND, 0, call)


@given(st.lists(st.integers(0, 90), min_size=1, max_size=400))
def test_a_burst_of_any_shape_is_20_messages_a_minute_with_each_number_in_one(moments: list[int]) -> None:
    arrivals = sorted((START + at) * SECOND for at in moments)
    waiting = [JudgedNotice(_notice(_call(place, at=at // SECOND))) for place, at in enumerate(arrivals)]
    sent_at: list[int] = []
    texts: list[str] = []
    now = arrivals[0]
    while waiting:
        due = [one for one in waiting if one.notice.due_at <= now]
        chosen = next_message(due, sent_at, now, WORDING)
        if chosen and is_time_for_a_message(sent_at, now, is_full=len(chosen) < len(due)):
            texts.append(message_text(chosen, now, WORDING))
            sent_at.append(now)
            waiting = [one for one in waiting if one not in chosen]
        else:
            now += SECOND
    assert max(sum(at <= other < at + 60 * SECOND for other in sent_at) for at in sent_at) <= MOST_A_MINUTE
    assert all(len(text.encode("utf-16-le")) // 2 <= MOST_LETTERS for text in texts)
    found = Counter(number for text in texts for number in re.findall(r"\+998 90 [0-9-]+", text))
    assert len(found) == len(moments)
    assert set(found.values()) == {1}


def test_a_full_digest_whose_callers_were_all_called_back_is_no_longer_than_a_message_may_be() -> None:
    calls = [_call(place) for place in range(200)]
    chosen = next_message([JudgedNotice(_notice(call)) for call in calls], [], START * SECOND, WORDING)
    assert 40 < len(chosen) < 200
    later = START + 3 * 86400
    done = []
    for one in chosen:
        again = _call(500, one.notice.call.number, later, status="200")
        done.append(judge_notice(one.notice, [one.notice.call, again], later * SECOND))
    text = message_text(done, START * SECOND, WORDING)
    assert text.splitlines()[0].endswith("; all contacted")
    assert len(text.encode("utf-16-le")) // 2 <= MOST_LETTERS


def test_a_full_digest_whose_callers_all_call_again_is_no_longer_than_a_message_may_be() -> None:
    calls = [_call(place) for place in range(200)]
    chosen = next_message([JudgedNotice(_notice(call)) for call in calls], [], START * SECOND, WORDING)
    again = []
    for place, one in enumerate(chosen, 300):
        second = _call(place, one.notice.call.number, START + 86_000, status="603-S")
        again += [one, judge_notice(_notice(second), [one.notice.call, second], (START + 86_100) * SECOND)]
    text = message_text(again, START * SECOND, WORDING)
    assert text.count("2 calls in 24 hours") == len(chosen)
    assert len(text.encode("utf-16-le")) // 2 <= MOST_LETTERS


def test_who_talks_now_is_waited_for_but_not_for_ever() -> None:
    missed = _call(1)
    talking = Call("c2", START + 20, missed.number, direction="inc", start_seq=2)
    grace_over = (START + 90) * SECOND
    assert judge_notice(_notice(missed), [missed, talking], grace_over).is_talking
    assert not judge_notice(_notice(missed), [missed, talking], grace_over + 600 * SECOND).is_talking


def test_tries_are_those_of_a_day_up_to_this_call_and_a_ring_group_is_one() -> None:
    number = "998901234567"
    calls = [
        _call(1, number, START - 90_000),
        _call(2, number, START - 3000),
        _call(3, number, START - 2999, peer="2001"),
        _call(4, number),
        _call(5, number, START + 60),
    ]
    judged = judge_notice(_notice(calls[3]), calls, (START + 90) * SECOND)
    assert judged.tries == 2
    assert "2 calls in 24 hours" in message_text([judged], START * SECOND, WORDING)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("998901234567", "+998 90 123-45-67"),
        ("79161234567", "79161234567"),
        ("2001", "2001"),
        ("anonymous", "hidden number"),
        ("", "hidden number"),
    ],
)
def test_a_number_is_written_as_people_write_it(number: str, text: str) -> None:
    assert number_text(Call("c", START, number)) == text


def test_each_status_of_a_missed_call_has_its_words() -> None:
    said = {
        message_text([JudgedNotice(_notice(_call(1, status=status)))], START * SECOND, WORDING).split(", ")[1]
        for status in MISSED_STATUSES
    }
    assert said == {"no answer", "unavailable", "busy", "declined", "cancelled by the caller"}


@given(st.text(max_size=60), st.sampled_from(["", "telegram:", "telegram:-100", "exec:", "https://", "http://[", "x:"]))
def test_any_text_is_a_target_of_messages_or_a_usage_error_that_holds_no_query(text: str, prefix: str) -> None:
    with contextlib.suppress(UsageError):
        target = parse_notify(prefix + text)
        assert target.name.startswith("notify missed ")
        assert sum(map(bool, (target.url, target.command, target.chat))) == 1
    with contextlib.suppress(UsageError):
        assert "s3cret" not in parse_notify(f"https://chat.example.com/{text.replace('#', '')}?key=s3cret").label
