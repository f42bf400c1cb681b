"""What belongs to one call: events, and our own requests, found by the ids that they share."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from alovoice_cli.events.event import Event, Fact
from alovoice_cli.events.result_matching import is_of_another, parties
from alovoice_cli.session import Session


class Search:
    """What belongs together: every event and receipt that shares an id with one that is found already."""

    def __init__(self, session: Session, store: str | None) -> None:
        self._ledger, self._store = session.ledger, session.event_store(store)
        self.events: dict[int, Event] = {}
        self.receipts: dict[str, Any] = {}

    @property
    def call_ids(self) -> set[str]:
        """Those that are named; a result's own id may be another call's."""
        facts = [(fact, event.delivery.type) for event in self.events.values() for fact in event.facts if fact.call_id]
        ids = {fact.call_id or "" for fact, kind in facts if kind != "result"}
        of_results = {fact.call_id or "": fact for fact, kind in facts if kind == "result" and fact.call_id not in ids}
        calls = self._store.calls_by_id(of_results)
        return ids | {id for id, fact in of_results.items() if id not in calls or not is_of_another(fact, calls[id])}

    @property
    def external_ids(self) -> set[str]:
        """The extids of our own requests that results name."""
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

    def widen(self) -> None:
        """Three rounds reach from a receipt over its result to the call and what repeats it."""
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
            # A PBX that was set up anew counts its calls from 1 again: the extid of our request tells them apart.
            has_own_id = fact.call_id in ids and not (fact.external_id and asked)
            return has_own_id or fact.external_id in ids or not begun.isdisjoint(_starts(fact))

        for event in found:
            facts = tuple(filter(is_own, event.facts)) if event.delivery.type == "result" else event.facts
            if facts or not event.facts:
                self.events.setdefault(event.delivery.seq, replace(event, facts=facts))


def _starts(fact: Fact) -> set[tuple[int, str | None, str]]:
    """When a call began, by which line, with whom: by it a result is known, as `stores.event_query` finds it."""
    return set() if fact.started_at is None else {(fact.started_at, fact.line, number) for number in parties(fact)}
