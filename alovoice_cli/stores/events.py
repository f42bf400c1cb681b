"""The event store for readers: events and calls as streams, counts, and related events.

Every method reads in short transactions of its own, a chunk at a time: a listener keeps writing, and the file does not
grow because of a slow reader. Only `pruning` writes.
"""

import json
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from alovoice_cli.events.answers import StartAnswer, kept_answer
from alovoice_cli.events.conditions import ALWAYS, Compare, Condition
from alovoice_cli.events.coverage import ImportedEvents, Uptime
from alovoice_cli.events.event import Call, Delivery, Event, Fact, is_meant
from alovoice_cli.events.event_assembly import UNANSWERED
from alovoice_cli.events.filters import Filter, Period, meeting
from alovoice_cli.events.reading import read_delivery
from alovoice_cli.events.statistics import By, CallCount
from alovoice_cli.stores.event_engine import (
    Connection,
    marks,
    opened,
    reading,
    shrink,
    store_exists,
    store_size,
    writing,
)
from alovoice_cli.stores.event_query import Sql, StoreQuestion, calls_question, counting, events_question, matching_seqs
from alovoice_cli.stores.event_rows import call_from, delivery_from, fact_from
from alovoice_cli.stores.event_schema import CALL_COLUMNS, DELIVERY_COLUMNS, FACT_COLUMNS
from alovoice_cli.stores.row_values import NUMBER, TEXT, TEXT_OR_NONE, Kinds, json_of, require_kinds

if TYPE_CHECKING:
    from alovoice_cli.events.kpi import Kpi, KpiGroup, KpiSettings
    from alovoice_cli.moments import ClockTime

EVERYTHING = Filter()
_CHUNK = 500
_PRUNED_AT_ONCE = 500
_PAGES_PRUNED_AT_ONCE = 500
_BREATH_SECONDS = 0.02  # between two steps of pruning: a listener gets its turn to write
_MICRO = 1_000_000
_PATIENCE = 30 * _MICRO  # under a flood the listener derives data some time after storing
_LATEST_PROBES = 200
_FACTS = f"SELECT seq, digest, duplicate_of, problem, answer, rule, {FACT_COLUMNS} FROM fact"
_TOLD_KINDS: Kinds = (NUMBER, TEXT, TEXT_OR_NONE, TEXT, TEXT_OR_NONE, TEXT_OR_NONE)
_CALLS = f"SELECT {CALL_COLUMNS} FROM call"
# A delivery without derived data (an older version derived it later), or whose answer is not known yet.
_UNSETTLED = f"""SELECT min(delivery.seq) FROM delivery LEFT JOIN fact ON delivery.seq = fact.seq
    WHERE delivery.seq > ? AND delivery.received_at > ?
    AND (fact.seq IS NULL OR fact.answer = '{json.dumps(UNANSWERED)}')"""


class EventWithCall(NamedTuple):
    """An event with its call: a callend has neither number nor line, its call has both."""

    event: Event
    call: Call | None = None


class Old(NamedTuple):
    """How many events and calls to delete."""

    events: int
    calls: int


class EventPruning:
    """Deletes a store's data from before a moment (unix microseconds). Raises UsageError for a bad file."""

    def __init__(self, url: str, before: int) -> None:
        self._url, self._before = url, before

    def count(self) -> Old:
        """Returns how much would be deleted."""
        with opened(self._url) as connection:
            events = "SELECT count(*) FROM delivery WHERE received_at < ?"
            calls = "SELECT count(*) FROM call WHERE reported_at < ?"
            return Old(
                connection.execute(events, (self._before,)).fetchone()[0],
                connection.execute(calls, (self._before // _MICRO,)).fetchone()[0],
            )

    def run(self) -> Iterator[Old]:
        """Deletes step by step, and frees the space; yields the deleted numbers of each step."""
        with opened(self._url) as connection:
            while True:
                begun = time.monotonic()
                with writing(connection):
                    done = Old(self._forget_events(connection), self._forget_calls(connection))
                yield done
                if not any(done):
                    break
                # A waiting writer tries again every few milliseconds: the lock stays free as long as it was held.
                time.sleep(max(_BREATH_SECONDS, time.monotonic() - begun))
            with writing(connection):
                connection.execute("DELETE FROM uptime WHERE seen_at < ?", (self._before,))
                connection.execute("DELETE FROM notice_message WHERE made_at < ?", (self._before,))
            while shrink(connection, _PAGES_PRUNED_AT_ONCE):
                time.sleep(_BREATH_SECONDS)

    def _forget_events(self, connection: Connection) -> int:
        rows = connection.execute(
            "SELECT seq FROM delivery WHERE received_at < ? LIMIT ?", (self._before, _PRUNED_AT_ONCE)
        )
        numbers = [row[0] for row in rows]
        for table in ("outbox", "notice", "fact", "delivery") if numbers else ():
            connection.execute(f"DELETE FROM {table} WHERE seq IN ({marks(numbers)})", numbers)
        return len(numbers)

    def _forget_calls(self, connection: Connection) -> int:
        until = self._before // _MICRO
        rows = connection.execute("SELECT call_id FROM call WHERE reported_at < ? LIMIT ?", (until, _PRUNED_AT_ONCE))
        ids = [row[0] for row in rows]
        if ids:
            connection.execute(f"DELETE FROM call WHERE call_id IN ({marks(ids)})", ids)
        return len(ids)


class EventStore:
    """A store that a listener created. Every method raises UsageError for a missing or unreadable file."""

    def __init__(self, url: str) -> None:
        self.url = url

    @property
    def exists(self) -> bool:
        """Returns whether a listener has ever created it."""
        return store_exists(self.url)

    def events(
        self, wanted: Filter = EVERYTHING, *, newest_first: bool = False, limit: int = 0, after: int = 0
    ) -> Iterator[Event]:
        """Returns the wanted events; `limit` 0 means all, `after` leaves out events up to that `seq`.

        The order is the store's; with a period in the filter, the clock's.
        """
        return (told.event for told in self.told(wanted, newest_first=newest_first, limit=limit, after=after))

    def told(
        self, wanted: Filter = EVERYTHING, *, newest_first: bool = False, limit: int = 0, after: int = 0
    ) -> Iterator[EventWithCall]:
        """Returns the same as `events`, each with its call; of several results in a delivery only the wanted ones."""
        for numbers in self._numbers(wanted, newest_first=newest_first, limit=limit, after=after):
            yield from self._load(numbers, wanted.condition)

    def event(self, own_id: str) -> Event | None:
        """Returns the event with this id, or None."""
        return next(self.events(Filter(condition=Compare("id", "=", own_id), with_trials=True), limit=1), None)

    def event_at(self, seq: int) -> Event | None:
        """Returns the event with this number, or None."""
        return next(self.events(Filter(condition=Compare("seq", "=", seq), with_trials=True), limit=1), None)

    def related(self, call_ids: Collection[str], external_ids: Collection[str]) -> list[Event]:
        """Returns the events with the id of one of these calls, in the store's order, without other calls' results."""
        named = f"call_id IN ({marks(call_ids)}) OR external_id IN ({marks(external_ids)})"
        with self._reading() as connection:
            rows = connection.execute(
                f"SELECT DISTINCT seq FROM fact WHERE {named} ORDER BY seq", (*call_ids, *external_ids)
            )
            numbers = [row[0] for row in rows]
        told = [one for part in _parts(numbers) for one in self._load(part)]
        return [one.event for one in told if is_meant(one.event, one.call, external_ids)]

    def matching(self, events: Iterable[Event]) -> list[Event]:
        """Returns the events of the same calls as these that have no id in common: results, starts and ends."""
        with self._reading() as connection:
            numbers = {seq for event in events for seq in matching_seqs(connection, event)}
        return [told.event for part in _parts(sorted(numbers)) for told in self._load(part)]

    def route_questions(self, period: Period | None = None) -> Iterator[Event]:
        """Returns the route questions of the period, oldest first, with their answers."""
        return self.events(Filter(period or Period(), Compare("type", "=", "route")))

    def settled(self, after: int, now: int) -> int:
        """Returns the number up to which all data is derived, or too old (at `now`, unix microseconds) to wait for."""
        with self._reading() as connection:
            first: int | None = connection.execute(_UNSETTLED, (after, now - _PATIENCE)).fetchone()[0]
            newest: int = connection.execute("SELECT max(seq) FROM delivery").fetchone()[0] or 0
        return newest if first is None else first - 1

    def calls(self, wanted: Filter = EVERYTHING, *, newest_first: bool = False, limit: int = 0) -> Iterator[Call]:
        """Returns the calls first reported in the period that meet the condition, in order of that time."""
        calls = self._pages(calls_question(wanted), newest_first=newest_first, limit=limit, read=call_from)
        return islice(calls, limit or None)

    def calls_by_id(self, call_ids: Collection[str]) -> dict[str, Call]:
        """Returns the calls with these ids."""
        with self._reading() as connection:
            return _calls_by_id(connection, call_ids)

    def calls_with(
        self, numbers: Collection[str], since: int | None = None, *, with_trials: bool = False
    ) -> list[Call]:
        """Returns all calls with these numbers, on any line, in either direction, by time; `since` in unix seconds."""
        found: list[Call] = []
        with self._reading() as connection:
            for part in _parts(list(numbers)):
                asked = f"{_CALLS} WHERE number IN ({marks(part)}) AND reported_at >= ? AND trial <= ?"
                values = (*part, since or 0, int(with_trials))
                found.extend(call_from(row) for row in connection.execute(asked, values))
        # Within a second in the store's order: a CRM's ids need not sort by time.
        return sorted(found, key=lambda call: (call.reported_at, call.start_seq or call.end_seq or 0, call.call_id))

    def counts(self, wanted: Filter, by: By) -> list[CallCount]:
        """Counts calls by quarter (for `hour`, `day`), line, extension or status; for `rule` route questions."""
        with self._reading() as connection:
            asked = counting(wanted, by)
            return [CallCount(*row) for row in connection.execute(asked.text, asked.values)]

    def kpi(self, wanted: Filter, settings: "KpiSettings", clock: "ClockTime") -> "Kpi":
        """Returns the key figures of the calls first reported in the period that meet the condition."""
        from alovoice_cli.stores.event_kpi import period_figures  # noqa: PLC0415 - few commands ask for key figures

        with self._reading() as connection:
            return period_figures(connection, wanted, settings, clock)

    def kpi_by(self, wanted: Filter, by: By, settings: "KpiSettings", clock: "ClockTime") -> "list[KpiGroup]":
        """Returns the key figures of each group of these calls."""
        from alovoice_cli.stores.event_kpi import group_figures_by  # noqa: PLC0415 - as said

        with self._reading() as connection:
            return group_figures_by(connection, wanted, by, settings, clock)

    def uptimes(self) -> list[Uptime]:
        """Returns when listeners ran, oldest first."""
        asked = "SELECT began_at, seen_at, ended_at, imported FROM uptime ORDER BY began_at"
        with self._reading() as connection:
            return [Uptime(row[0], row[1], row[2], bool(row[3])) for row in connection.execute(asked)]

    def imported(self, period: Period) -> ImportedEvents:
        """Returns how many events of the period were imported, with the moments of the first and the last."""
        asked = "SELECT count(*), min(received_at), max(received_at) FROM delivery WHERE imported = 1"
        since, until = period.since or 0, period.until
        values = (since,) if until is None else (since, until)
        asked += " AND received_at >= ?" + ("" if until is None else " AND received_at < ?")
        with self._reading() as connection:
            return ImportedEvents(*connection.execute(asked, values).fetchone())

    def has_probe(self, nonce: str) -> bool:
        """Returns whether one of the latest probes (test requests from outside) contains the nonce."""
        latest = "SELECT body FROM delivery WHERE type = 'probe' ORDER BY seq DESC LIMIT ?"
        with self._reading() as connection:
            return any(nonce.encode() in row[0] for row in connection.execute(latest, (_LATEST_PROBES,)))

    def unreadable(self) -> int:
        """Returns how many events could not be read; each has the reason in its `problem`."""
        counted = "SELECT count(*) FROM fact WHERE problem <> '' AND part = 0 AND type <> 'probe' AND trial = 0"
        with self._reading() as connection:
            return int(connection.execute(counted).fetchone()[0])

    def pruning(self, before: int) -> EventPruning:
        """Returns the pruning of everything before this moment (unix microseconds)."""
        return EventPruning(self.url, before)

    def size(self) -> int:
        """Returns the store's bytes on the disk."""
        return store_size(self.url)

    def _numbers(self, wanted: Filter, *, newest_first: bool, limit: int, after: int) -> Iterator[Sequence[int]]:
        """Yields the numbers of the wanted events, in chunks."""
        question = events_question(wanted)
        then = Sql(f"{question.keys[-1]} > ?", (after,)) if after else None
        rows = self._pages(question, newest_first=newest_first, limit=limit, then=then)
        numbers = islice(_distinct(row[0] for row in rows), limit or None)
        while part := list(islice(numbers, _CHUNK)):
            yield part

    def _pages(
        self,
        question: StoreQuestion,
        *,
        newest_first: bool,
        limit: int,
        then: Sql | None = None,
        read: Callable[[Sequence[Any]], Any] = tuple,
    ) -> Iterator[Any]:
        """Yields what `read` makes of the question's rows, in the order of its keys, one page in each transaction."""
        size = min(limit, _CHUNK) if limit else _CHUNK
        after: tuple[Any, ...] = ()
        while True:
            asked = question.page(after=after, newest_first=newest_first, limit=size, then=then)
            with self._reading() as connection:
                rows = connection.execute(asked.text, asked.values).fetchall()
                found = [read(row) for row in rows]
            yield from found
            if len(rows) < size:
                return
            after = tuple(rows[-1][place] for place in question.places)

    def _load(self, numbers: Sequence[int], condition: Condition = ALWAYS) -> list[EventWithCall]:
        """Returns the events with these numbers, in that order; of several facts only those that meet the condition."""
        among = f"WHERE seq IN ({marks(numbers)})"
        with self._reading() as connection:
            rows = connection.execute(f"SELECT {DELIVERY_COLUMNS} FROM delivery {among}", numbers)
            deliveries = [delivery_from(row) for row in rows]
            facts = connection.execute(f"{_FACTS} {among} ORDER BY seq, part", numbers).fetchall()
            by_number: dict[int, list[Sequence[Any]]] = {}
            for fact in facts:
                by_number.setdefault(fact[0], []).append(fact)
            events = {own.seq: _event(own, by_number.get(own.seq, [])) for own in deliveries}
            told = [fact for event in events.values() if event.digest for fact in event.facts]
            calls = _calls_by_id(connection, {fact.call_id for fact in told if fact.call_id})
        found = [events[number] for number in numbers if number in events]  # a missing one was pruned in between
        shown = [meeting(condition, event, calls) if len(event.facts) > 1 else event for event in found]
        return [EventWithCall(event, calls.get(event.fact.call_id or "")) for event in shown]

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        # One connection for each query: several threads may ask, and a waiting reader holds no lock.
        with opened(self.url) as connection, reading(connection):
            yield connection


class StoredAnswers:
    """The answers to callstarts of a store, while others still ask for them."""

    def __init__(self, url: str) -> None:
        self._url = url

    def answer_to(self, own_id: str) -> StartAnswer | None:
        """Returns the answer to this callstart; None while it is not known. Raises UsageError."""
        asked = "SELECT fact.answer FROM delivery JOIN fact ON fact.seq = delivery.seq WHERE delivery.id = ? LIMIT 1"
        with opened(self._url) as connection:
            row = connection.execute(asked, (own_id,)).fetchone()
        answer = json_of(row[0]) if row is not None and row[0] else None
        return None if row is None or answer == UNANSWERED else kept_answer(answer, own_id)


def _calls_by_id(connection: Connection, call_ids: Collection[str]) -> dict[str, Call]:
    found = {}
    for part in _parts(list(call_ids)):
        for row in connection.execute(f"{_CALLS} WHERE call_id IN ({marks(part)})", part):
            found[row[0]] = call_from(row)
    return found


def _event(own: Delivery, facts: Sequence[Sequence[Any]]) -> Event:
    """Returns the event of this delivery and its rows of `fact`, in the columns of _FACTS."""
    body = read_delivery(own)
    if not facts:
        # An older version is storing it now, and will add more, such as the answer to a callstart.
        return Event(own, body.facts, value=body.value, problem=body.problem)
    require_kinds(facts[0], _TOLD_KINDS)
    _, digest, duplicate_of, problem, answered, rule, *_ = facts[0]
    answer = json_of(answered) if answered else {}
    told = tuple(fact_from(row[6:]) for row in facts)  # an unreadable body may have facts from its query
    return Event(
        own,
        () if problem and told == (Fact(),) else told,
        duplicate_of,
        body.value,
        problem,
        answer if isinstance(answer, Mapping) else {},
        rule,
        digest,
    )


def _parts(things: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (things[start : start + _CHUNK] for start in range(0, len(things), _CHUNK))


def _distinct(numbers: Iterable[int]) -> Iterator[int]:
    """Yields each number once: the rows of an event with several facts follow each other."""
    last = None
    for number in numbers:
        if number != last:
            last = number
            yield number
