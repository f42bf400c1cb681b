"""Watching: why nothing moves, what has changed, and when to look again."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest

from alovoice_cli.campaigns.watching import DialPace, WatchedCampaign, explain
from alovoice_cli.errors import NotFoundError, ServerError, UnreachableError

TASHKENT = timezone(timedelta(hours=5))
ANSWER = {
    "id": 124,
    "from": "2026-11-24",
    "to": "2026-11-26",
    "fromtime": "10:00:00",
    "totime": "19:59:59",
    "recipients": 6,
    "paused": "0",
    "status": "running",
    "timezone": 18000,
    "createdAt": "2026-11-24T04:00:00.000Z",
}


def _at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=TASHKENT).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "still", "changes", "code", "words"),
    [
        (_at(24, 11), 0, {}, "", ""),
        (_at(24, 19, 59), 0, {}, "", ""),
        (_at(24, 20), 0, {}, "window_shut", "no calls at this hour; next: Wed 25 Nov 10:00 (utc +5), in 14 h 00 min"),
        (_at(26, 20), 0, {}, "window_past", "its last window has closed: Thu 26 Nov 20:00 (utc +5)"),
        (_at(24, 9, 30), 0, {"status": "new"}, "not_started", "begins Tue 24 Nov 10:00 (utc +5), in 30 min 00 s"),
        (_at(24, 9, 30), 0, {}, "", ""),
        (_at(24, 9, 30), 0, {"paused": "1"}, "paused", "web console"),
        (_at(24, 20), 0, {"paused": 1}, "paused", "web console"),
        (_at(26, 21), 0, {"paused": 1, "status": "done"}, "over", "it is finished"),
        (_at(24, 11), 0, {"recipients": 0}, "no_recipients", "no recipients after 2 h 00 min"),
        (_at(24, 11), 0, {"recipients": "0", "createdAt": "2026-11-24T05:57:00.000Z"}, "", ""),
        (_at(24, 11), 9, {}, "", ""),
        (_at(24, 11), 12, {}, "no_events", "no change for 12 min 00 s"),
        (_at(24, 11), 99, {"timezone": "soon"}, "", ""),
        (_at(24, 11), 0, {"recipients": 0, "createdAt": None}, "", ""),
    ],
)
def test_it_says_why_nothing_moves(
    now: datetime, still: int, changes: dict[str, object], code: str, words: str
) -> None:
    why = explain({**ANSWER, **changes}, now, timedelta(minutes=still))
    assert why.code == code
    assert words in why.text


class _Pbx:
    """Answers one after the other; an exception is raised, the last answer stays."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, number: str) -> dict[str, object]:
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, dict)
        return answer


def _watched(ask: Callable[[str], dict[str, object]], pace: DialPace | None = None) -> WatchedCampaign:
    return WatchedCampaign("124", ask, pace or DialPace())


def _waits(one: WatchedCampaign, looks: int, begin: datetime) -> list[float]:
    now, waits = begin, []
    for _ in range(looks):
        one.look(now)
        assert one.due_at is not None
        waits.append((one.due_at - now).total_seconds())
        now = one.due_at
    return waits


def test_it_looks_less_often_while_nothing_changes_and_soon_again_after_a_change() -> None:
    pbx = _Pbx(*[ANSWER] * 8, {**ANSWER, "recipients": 7})
    waits = _waits(_watched(pbx), 10, _at(24, 11))
    assert waits[0] == waits[8] == 5
    assert waits[:8] == sorted(waits[:8])
    assert waits[7] == 60
    assert waits[9] > 5


def test_it_sleeps_while_the_window_is_closed() -> None:
    one = _watched(_Pbx(ANSWER), DialPace(interval=timedelta(seconds=10)))
    one.look(_at(24, 20, 30))
    assert one.due_at == _at(25, 10)
    one.look(_at(25, 10))
    assert one.due_at == _at(25, 10) + timedelta(seconds=10)


def test_a_paused_campaign_is_looked_at_also_while_the_window_is_closed() -> None:
    assert _waits(_watched(_Pbx({**ANSWER, "paused": "1"})), 1, _at(24, 21)) == [5]


def test_a_simulated_pbx_is_never_slept_through() -> None:
    one = _watched(_Pbx({**ANSWER, "status": "new"}), DialPace(simulated=True))
    assert max(_waits(one, 9, _at(23, 12))) == 5
    assert not one.is_over(_at(28, 12))


def test_news_are_the_first_look_a_change_and_another_reason() -> None:
    later = {**ANSWER, "status": "paused", "updatedAt": "x"}
    one = _watched(_Pbx(ANSWER, ANSWER, later, later, UnreachableError("no way"), UnreachableError("no way"), later))
    assert one.look(_at(24, 11))
    assert not one.look(_at(24, 11, 1))
    assert one.look(_at(24, 11, 2))
    assert set(one.changed) == {"status", "updatedAt"}
    assert not one.look(_at(24, 11, 3))
    assert one.changed == ()
    assert one.look(_at(24, 11, 4))
    assert (one.why.code, one.why.text) == ("unreachable", "the PBX could not be read: no way")
    assert one.seen_at == _at(24, 11, 3)
    assert one.status == "paused"
    assert not one.look(_at(24, 11, 5))
    assert one.look(_at(24, 11, 6))
    assert one.why.code == ""


def test_a_window_that_shuts_is_news_without_any_change() -> None:
    one = _watched(_Pbx(ANSWER))
    one.look(_at(24, 19, 58))
    assert one.look(_at(24, 20))
    assert one.why.code == "window_shut"
    assert one.why_at(_at(25, 9)).text.endswith("in 1 h 00 min")


def test_a_pbx_that_fails_is_asked_again_and_one_that_does_not_know_it_is_not() -> None:
    one = _watched(_Pbx(ServerError("500")))
    assert one.look(_at(24, 11))
    assert one.why.code == "server"
    assert one.due_at is not None
    with pytest.raises(NotFoundError):
        _watched(_Pbx(NotFoundError("no"))).look(_at(24, 11))


def test_it_is_over_by_the_pbxs_word_or_by_the_clock() -> None:
    one = _watched(_Pbx(ANSWER, {**ANSWER, "status": "done"}))
    one.look(_at(24, 11))
    assert not one.is_over(_at(26, 19, 59))
    assert one.is_over(_at(26, 20))
    one.look(_at(24, 12))
    assert one.is_over(_at(24, 12))
