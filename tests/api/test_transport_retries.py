"""How often one request is tried, and with which pauses, by a clock that stands."""

from typing import Any

import httpx
import pytest

from alovoice_cli.api.deadline import Budget, Lost
from alovoice_cli.api.reply import Reply
from alovoice_cli.api.transport import Retry
from alovoice_cli.errors import RateLimitedError


def answered(status: int, retry_after: str = "") -> Reply:
    return Reply(status, "X", (("Retry-After", retry_after),), b"")


def lost(cause: BaseException | None = None, **changes: Any) -> Lost:
    facts: dict[str, Any] = {"left": True, "status": None, "arrived": b"", **changes}
    return Lost(cause or httpx.ReadError("x"), **facts)


class Tries:
    """Runs attempts that end as they are told, the last one over and over; the clock stands."""

    def __init__(self, *ends: Reply | Lost, reads: bool, seconds: float = 600.0) -> None:
        self.ends, self.count = ends, 0
        self.pauses: list[float] = []
        self.bounds: list[tuple[float, float]] = []
        self.lines: list[str] = []
        budget = Budget(seconds, lambda: 0.0)
        retry = Retry(
            reads=reads, budget=budget, tell=self.lines.append, sleep=self.pauses.append, uniform=self.uniform
        )
        self.result: Reply | Lost
        try:
            self.result = retry.run(self.attempt)
        except Lost as error:
            self.result = error

    def attempt(self) -> Reply:
        end = self.ends[min(self.count, len(self.ends) - 1)]
        self.count += 1
        if isinstance(end, Lost):
            raise end
        return end

    def uniform(self, low: float, high: float) -> float:
        self.bounds.append((low, high))
        return high


@pytest.mark.parametrize("end", [lost(), lost(ConnectionResetError(104, "x"), left=False), answered(503)])
def test_a_read_is_tried_three_more_times_with_growing_pauses(end: Reply | Lost) -> None:
    tries = Tries(end, reads=True)
    assert (tries.count, tries.result) == (4, end)
    assert tries.pauses == [0.5, 1.0, 2.0]
    assert tries.bounds == [(0.0, 0.5), (0.0, 1.0), (0.0, 2.0)]


def test_losses_and_answers_count_together_and_the_last_one_is_given() -> None:
    first, last = lost(), answered(502)
    tries = Tries(first, answered(503), first, last, reads=True)
    assert (tries.count, tries.result) == (4, last)
    assert tries.lines == [
        "↻ ReadError: try 2 in 0.50 s",
        "↻ 503: try 3 in 1.00 s",
        "↻ ReadError: try 4 in 2.00 s",
    ]
    assert Tries(first, answered(200), reads=True).result == answered(200)


@pytest.mark.parametrize("status", [200, 302, 400, 404, 407, 500, 501, 505])
def test_a_final_answer_to_a_read_ends_its_tries(status: int) -> None:
    assert Tries(answered(status), reads=True).count == 1


def test_a_damaged_answer_to_a_read_is_asked_for_once_more() -> None:
    damaged = lost(status=200)
    assert Tries(damaged, reads=True).count == 2
    assert Tries(lost(), damaged, reads=True).count == 2


def test_a_dial_is_tried_twice_more_only_if_it_certainly_never_left() -> None:
    unsent = Tries(lost(left=False), reads=False)
    assert (unsent.count, unsent.pauses, unsent.bounds) == (3, [0.5, 1.0], [])
    assert Tries(lost(left=True), reads=False).count == 1
    assert Tries(lost(left=False), lost(left=True), reads=False).count == 2
    for status in (408, 425, 429, 502, 503, 504):
        assert Tries(answered(status), reads=False).count == 1


@pytest.mark.parametrize("reads", [True, False])
def test_what_is_hopeless_is_not_tried_again(reads: bool) -> None:
    assert Tries(lost(RuntimeError("a bug"), left=False), reads=reads).count == 1


@pytest.mark.parametrize(("asked", "pauses"), [("60", [60.0]), ("61", []), ("0", [0.5]), ("soon", [0.5]), ("2", [2.0])])
def test_the_wait_that_an_answer_asks_for_is_kept_up_to_a_minute(asked: str, pauses: list[float]) -> None:
    assert Tries(answered(429, asked), answered(200), reads=True).pauses == pauses


@pytest.mark.parametrize("end", [lost(), answered(503)])
@pytest.mark.parametrize(("seconds", "count"), [(0.5, 1), (0.51, 2)])
def test_no_pause_lasts_until_the_deadline(end: Reply | Lost, seconds: float, count: int) -> None:
    assert Tries(end, answered(200), reads=True, seconds=seconds).count == count


def test_the_seconds_that_are_spent_count_for_the_first_request_alone(client: Any) -> None:
    pauses: list[float] = []
    busy = httpx.MockTransport(lambda request: httpx.Response(429, headers={"Retry-After": "40"}))
    pbx = client("https://h.uz", transport=busy, timeout=60.0, spent=30.0, sleep=pauses.append)
    with pytest.raises(RateLimitedError):
        pbx.trunks.list()
    assert pauses == []
    with pytest.raises(RateLimitedError):
        pbx.trunks.list()
    assert pauses == [40.0] * 3  # the pauses of a test take no time
