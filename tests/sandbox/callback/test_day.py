"""A day of the sandbox's calls, played into a handler: the books balance, and the same seed gives the same day."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alovoice_cli.sandbox.callback.day import Series, ring_colleague

from .conftest import Calling, Got, Handler

CHAOS = "dup=10%,late=15%,reorder=15%"


def test_every_call_is_told_of_exactly_once_after_repetitions_are_marked(small_day: Calling, handler: Handler) -> None:
    small_day.rate, small_day.chaos = 3, CHAOS
    accounts = small_day.play()
    assert {account.kind for account in accounts} == {"inbound", "outbound", "internal", "conference"}
    assert [account.imbalance for account in accounts if account.imbalance] == []
    sent = [delivery for account in accounts for delivery in account.deliveries]
    assert Counter((one.type, one.content_type, one.body) for one in sent) == Counter(
        (got.kind, got.content_type, got.body) for got in handler.got
    )
    assert {one.note for one in sent} == {"", "dup", "late", "reorder"}
    distinct = {(got.kind, got.body) for got in handler.got if got.kind != "route"}
    assert len(distinct) == sum(one.note != "dup" for one in sent if one.type != "route"), "no two calls say the same"
    totals = small_day.totals[0]
    assert (totals.calls, totals.failed, totals.unbalanced) == (len(accounts), 0, 0)
    assert totals.repeated == sum(one.note == "dup" for one in sent) > 0


def test_the_same_seed_gives_the_same_day_to_the_byte_and_in_order(
    small_day: Calling, handler: Handler, tmp_path: Path
) -> None:
    days: list[Any] = []
    for seed in (7, 7, 8):
        small_day.path, small_day.seed, small_day.chaos = tmp_path / f"{len(days)}.db", seed, CHAOS
        small_day.over.clear()
        handler.got.clear()
        handler.answers["callstart"] = _counter()
        small_day.play()
        days.append(list(handler.got))
    assert days[0] == days[1] != days[2]


def test_a_call_ends_with_the_id_that_its_handler_gave_and_after_it(small_day: Calling, handler: Handler) -> None:
    given = iter(range(1, 10_000))
    handler.answers["callstart"] = lambda got: f"crm-{next(given)}".encode()
    small_day.chaos = "late=30%,reorder=30%"
    accounts = small_day.play()
    assert len({account.course.call_id for account in accounts}) == len(accounts)
    for account in accounts:
        told = {one.type: one for one in account.deliveries}
        own_id = (account.course.call_id or "").encode()
        assert own_id == told["callstart"].answer
        assert own_id in (told["callend"].body or b"")
        assert told["callstart"].id < told["callend"].id


def _counter() -> Callable[[Got], bytes]:
    """Answers 1, 2, 3 …"""
    ids = iter(range(1, 10_000))
    return lambda _: b"%d" % next(ids)


def moment(got: Any) -> Any:
    """When a message should have gone: an inbound call is told of once the route has answered, a second later."""
    fields = got.fields
    return (
        int(fields["finish_time"]) if got.kind == "callend" else int(fields["start_time"]) + (fields["type"] == "inc")
    )


def test_messages_come_in_the_order_of_their_times_unless_they_are_late_or_overtaken(
    small_day: Calling, handler: Handler
) -> None:
    orders: list[Any] = []
    for chaos in ("", "late=20%", "reorder=40%"):
        small_day.path, small_day.chaos = small_day.path.with_name(f"{len(orders)}.db"), chaos
        small_day.over.clear()
        handler.got.clear()
        small_day.rate = 3
        small_day.play()
        times = [moment(got) for got in handler.got if got.kind in ("callstart", "callend")]
        orders.append(times == sorted(times))
    assert orders == [True, False, False]


def test_a_day_has_overlapping_calls_and_no_extension_talks_twice(small_day: Calling) -> None:
    small_day.rate = 6
    accounts = small_day.play()
    talks = [(a.course.answered_at, a.course.ended_at or 0, a) for a in accounts if a.course.answered_at]
    overlapping = [
        (one, other)
        for place, (begin, end, one) in enumerate(talks)
        for other_begin, other_end, other in talks[place + 1 :]
        if begin < other_end and other_begin < end
    ]
    assert overlapping
    for one, other in overlapping:
        assert one.course.inner_phone != other.course.inner_phone or one.course.inner_phone == 0


def test_a_day_has_missed_callers_who_call_again_or_are_called_back(small_day: Calling) -> None:
    small_day.rate = 6
    accounts = small_day.play()
    missed = {
        a.course.number: a.course.ended_at or 0 for a in accounts if a.kind == "inbound" and not a.course.answered_at
    }
    later = {a.kind for a in accounts if a.course.started_at > missed.get(a.course.number, 1 << 40)}
    assert later >= {"inbound", "outbound"}
    assert Counter(a.course.type for a in accounts).keys() == {"inc", "out", "int"}
    assert all(a.course.type == "int" for a in accounts if a.kind == "internal")


def test_missed_calls_have_realistic_shares_by_reason() -> None:
    codes = Counter(ring_colleague(1, place).status_code for place in range(10_000))
    assert codes.keys() == {"200", "304", "480", "486", "603", "603-S"}
    assert 0.7 < codes["200"] / 10_000 < 0.85
    assert codes["304"] > codes["603-S"] > max(codes["480"], codes["486"], codes["603"])


def test_only_what_has_a_url_is_sent_and_owed(small_day: Calling, handler: Handler) -> None:
    accounts = small_day.play(f"callend={handler.base}/callend", f"result={handler.base}/result")
    assert {got.kind for got in handler.got} == {"callend", "result"}
    assert {account.course.owed for account in accounts} == {("callend",), ("callend", "result")}
    assert not any(account.imbalance for account in accounts)
    assert all("call_id" not in got.fields for got in handler.of("callend"))


def test_callers_come_at_the_rate_that_was_asked_for_and_never_two_in_a_second() -> None:
    arrivals = Series(3, 90.5, ("712037006",), ("6000",)).from_now(1_772_400_000.5)
    first = [next(arrivals) for _ in range(905)]
    assert 9.9 * 3600 < first[-1].at - 1_772_400_000 < 10.1 * 3600
    assert [arrival.at for arrival in first] == sorted({arrival.at for arrival in first})
    assert {arrival.kind for arrival in first} == {"inbound"}
