"""`alovoice events show`: the course of one call."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, Any

import typer

from alovoice_cli.commands.events.selection import Store, clock_of
from alovoice_cli.commands.global_options import shows_list
from alovoice_cli.commands.options import examples
from alovoice_cli.errors import UsageError
from alovoice_cli.events.event import STATUS_TONES, Event, Fact, is_of_another, parties
from alovoice_cli.events.event_table import call_as_json
from alovoice_cli.events.timeline import TimelineStep, status_text, timeline
from alovoice_cli.language import joined, tr
from alovoice_cli.moments import ClockTime, long_text, short_text, span_text
from alovoice_cli.output.listing import Column, Listing, tone_by
from alovoice_cli.receipts import STATE_TONES
from alovoice_cli.session import Session
from alovoice_cli.stores.pbx_calls import PbxCalls

EXAMPLES = examples(
    "alovoice events show e1204",
    "alovoice events show R-7F3K",
    "alovoice events show 01KAX4S3ZD6Y0Q9X2E8R5T7WVB --json | jq .call",
)
COLUMNS = (
    Column("when", "When"),
    Column("after", "After"),
    Column("what", "What"),
    Column("detail", "Details", tone=tone_by("outcome", {**STATUS_TONES, **STATE_TONES})),
    Column("id", "Id", shown=False),
    Column("at", "At (UTC)", shown=False),
)


@shows_list(COLUMNS)
def show_call(
    ctx: typer.Context,
    id: Annotated[
        str,
        typer.Argument(metavar="ID", help="Id of an event (e1204), a call, a request, or a receipt (R-7F3K)."),
    ],
    store: Store = None,
) -> None:
    """Show one call: its request, start, end and result.

    They are joined by their ids. A result shares no id with its call: it is joined by start time, line and number.
    """
    session: Session = ctx.obj
    session.use_store(store)
    clock = clock_of(session)
    events = session.event_store(store)
    found = Search(session, store)
    if id.isprintable():  # no name contains characters that no database takes
        found.begin(id.strip())
    if not (found.events or found.receipts):
        raise UsageError(
            tr("no event, call, request or receipt has the id {id}", id=repr(id)),
            hint=tr("`alovoice events list` shows the events; use the id in its first column"),
        )
    found.widen()
    steps = timeline(found.events.values(), found.receipts.values())
    calls = [call_as_json(call) for call in events.calls_by_id(found.call_ids).values()]
    whole = {
        "id": id,
        "call": calls[0] if calls else None,
        "receipts": [step.whole for step in steps if step.what == "request"],
        "events": [step.whole for step in steps if step.what != "request"],
    }
    session.show(Listing(_cells(steps, clock, short=session.stdout.isatty()), COLUMNS, whole=whole))
    if calls:
        session.note(_sentence(calls[0]))


def _cells(steps: Iterable[TimelineStep], clock: ClockTime, *, short: bool) -> list[dict[str, object]]:
    cells: list[dict[str, object]] = []
    begin = None
    for step in steps:
        begin = begin or step.moment
        at = short_text(step.moment, clock) if short else long_text(step.moment, clock)
        after = span_text(int((step.moment - begin).total_seconds()))
        cells.append(
            {
                "when": at,
                "after": f"+{after}",
                "what": step.what,
                "detail": step.detail,
                "outcome": step.outcome,
                "id": step.id,
                "at": step.at,
            }
        )
    return cells


def _sentence(call: dict[str, object]) -> str:
    """Returns the call in one line."""
    ended = status_text(str(call["status"])) if call["status"] is not None else tr("no end is known")
    if call["duration"] is not None:
        ended = joined(", ", [ended, tr("{seconds} s", seconds=call["duration"])])
    if call["pbx_call_id"]:
        return tr(
            "call {id} ({pbx_id} on the PBX): {ending}",
            id=call["event_call_id"],
            pbx_id=call["pbx_call_id"],
            ending=ended,
        )
    return tr("call {id}: {ending}", id=call["event_call_id"], ending=ended)


class Search:
    """Finds the events and receipts of one call: each shares an id with another one that was found."""

    def __init__(self, session: Session, store: str | None) -> None:
        self._ledger, self._store = session.ledger, session.event_store(store)
        self._pbx_calls = PbxCalls(session.event_store_url(store))
        self.events: dict[int, Event] = {}
        self.receipts: dict[str, Any] = {}

    @property
    def call_ids(self) -> set[str]:
        """Returns the ids in the found events; a result's own id may be another call's."""
        facts = [(fact, event.delivery.type) for event in self.events.values() for fact in event.facts if fact.call_id]
        ids = {fact.call_id or "" for fact, kind in facts if kind != "result"}
        of_results = {fact.call_id or "": fact for fact, kind in facts if kind == "result" and fact.call_id not in ids}
        calls = self._store.calls_by_id(of_results)
        return ids | {id for id, fact in of_results.items() if id not in calls or not is_of_another(fact, calls[id])}

    @property
    def external_ids(self) -> set[str]:
        """Returns the extids of our own requests in results."""
        return {fact.external_id for event in self.events.values() for fact in event.facts if fact.external_id}

    def begin(self, id: str) -> None:
        """Looks for a receipt, an event (its id, or as lists show it), a call, or an extid. Raises UsageError."""
        if id.upper().startswith("R-"):
            receipt = self._ledger.receipt(id)
            self.receipts[receipt.receipt] = receipt
            self._take({receipt.our_id} - {""})
            return
        event = self._store.event(id)
        if event is None and id[:1] == "e" and id[1:].isascii() and id[1:].isdigit() and len(id) < 20:
            event = self._store.event_at(int(id[1:]))
        if event is not None:
            self.events[event.delivery.seq] = event
        else:
            self._take({id})
        if not self.events:
            self._take({call.call_id for call in self._pbx_calls.by_id([id]).values()})

    def widen(self) -> None:
        """Searches with the new ids: three rounds lead from a receipt to the result, the call and its repetitions."""
        for _ in range(3):
            self._take(self.call_ids | self.external_ids)
            self._add(self._store.matching([*self.events.values()]), set())

    def _take(self, ids: set[str]) -> None:
        if ids:
            self._add(self._store.related(ids, ids), ids)
            self.receipts |= {receipt.receipt: receipt for receipt in self._ledger.receipts_of(ids)}

    def _add(self, found: Iterable[Event], ids: set[str]) -> None:
        """Takes up what is new; of results those that are of this call, for one delivery may hold several calls'."""
        begun = {start for event in self.events.values() for fact in event.facts for start in _starts(fact)}
        asked = bool(self.external_ids)

        def is_own(fact: Fact) -> bool:
            # A PBX that was set up again counts its calls from 1 again: the extid of our request distinguishes them.
            has_own_id = fact.call_id in ids and not (fact.external_id and asked)
            return has_own_id or fact.external_id in ids or not begun.isdisjoint(_starts(fact))

        for event in found:
            facts = tuple(filter(is_own, event.facts)) if event.delivery.type == "result" else event.facts
            if facts or not event.facts:
                self.events.setdefault(event.delivery.seq, replace(event, facts=facts))


def _starts(fact: Fact) -> set[tuple[int, str | None, str]]:
    """Returns second, line and numbers of a call's beginning, by which `stores.event_query` finds its result."""
    return set() if fact.started_at is None else {(fact.started_at, fact.line, number) for number in parties(fact)}
