"""Selects the finished calls of the event store that `alovoice ai send --since` analyses."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alovoice_cli.batch.row_selection import analyses_sent
from alovoice_cli.events.conditions import CALL_FIELDS, Compare, all_of
from alovoice_cli.events.event import Call
from alovoice_cli.events.filters import Filter, FilterWords, read_filter
from alovoice_cli.language import joined, mark, spaced, tr
from alovoice_cli.moments import minute_text, parse_span
from alovoice_cli.phones import canonical
from alovoice_cli.session import Session
from alovoice_cli.stores.pbx_calls import PbxCalls

if TYPE_CHECKING:
    from alovoice_cli.batch.table import ListTable

_SOURCE = "event store"
_REASONS = {
    "sent": mark("sent or stored before: {number}"),
    "unknown": mark(
        "may have been sent before (check with `alovoice ai result`, or send again with --again): {number}"
    ),
    "no id": mark("without the PBX's id in the link to the recording: {number}"),
    "imported": mark("imported, perhaps sent by another computer (--with-imported includes them): {number}"),
    "unfinished": mark("without a start or an end: {number}"),
}


@dataclass(frozen=True, slots=True)
class CallChoice:
    """The options of `ai send` by which it finds its calls. `limit` 0 means all; `again`: also those sent before."""

    since: str | None = None
    until: str | None = None
    peer: str | None = None
    line: str | None = None
    min_duration: str | None = None
    limit: int = 0
    with_imported: bool = False
    store: str | None = None
    again: bool = False

    def wanted(self, session: Session) -> Filter:
        """Returns the filter of calls with a recording. Raises UsageError for what cannot be read."""
        words = FilterWords(self.since, self.until, line=self.line, peer=self.peer)
        found = read_filter(words, CALL_FIELDS, session.clock)
        least = None
        if self.min_duration is not None:
            seconds = int(parse_span(self.min_duration, "--min-duration").total_seconds())
            least = Compare("duration", ">=", seconds)
        return Filter(found.period, all_of(found.condition, Compare("record", "!=", None), least))


def find_to_send(session: Session, choice: CallChoice) -> dict[str, Call]:
    """Returns the finished calls to analyse by the PBX's id, oldest first; notes how many are left out, and why."""
    found = list(session.event_store(choice.store).calls(choice.wanted(session)))
    store = PbxCalls(session.event_store_url(choice.store))
    imported = set() if choice.with_imported else store.imported(found)
    left_out: Counter[str] = Counter()
    calls: dict[str, Call] = {}
    for call in found:
        reason = "unfinished" if not call.is_finished else "imported" if call.call_id in imported else ""
        if not reason and not _tells_id(call):
            reason = "no id"
        if reason:
            left_out[reason] += 1
        else:
            calls[call.pbx_call_id or ""] = call  # if one call has several parts, the last one counts
    for id, reason in ({} if choice.again else _paid_before(session, calls)).items():
        del calls[id]
        left_out[reason] += 1
    chosen = dict(list(calls.items())[-choice.limit :]) if choice.limit else calls
    told = [tr(_REASONS[reason], number=number) for reason, number in left_out.items()]
    if len(chosen) < len(calls):
        text = mark("earlier than the latest {limit} (--limit): {number}")
        told.append(tr(text, limit=choice.limit, number=len(calls) - len(chosen)))
    text = mark("calls with a recording: {found}, to analyse: {chosen}")
    note = tr(text, found=spaced(len(found)), chosen=spaced(len(chosen)))
    if told:
        note = tr("{note}; left out: {reasons}", note=note, reasons=joined(", ", told))
    session.note(note)
    return chosen


def _tells_id(call: Call) -> bool:
    """Returns whether the call has an id of the PBX: a link may hold the caller's number in its place."""
    id = call.pbx_call_id
    return id is not None and (canonical(id) or id) not in (call.number, call.line)


def _paid_before(session: Session, ids: Collection[str]) -> dict[str, str]:
    """Returns the ids of calls whose analysis was requested or is kept, with the reason to leave them out."""
    sent = {id: "sent" if entry.outcome == "done" else "unknown" for id, entry in analyses_sent(session, ids).items()}
    return sent | dict.fromkeys(session.analyses.kept_of(ids), "sent")


def as_list(session: Session, calls: Mapping[str, Call]) -> "ListTable":
    """Returns the calls as the rows of a batch."""
    from alovoice_cli.batch.table import ListTable, TableCell, TableRow  # noqa: PLC0415 - single ids need no list

    def row(line: int, id: str, call: Call) -> TableRow:
        texts = {
            "call_id": id,
            "event_call_id": call.call_id,
            "began": minute_text(call.reported_at if call.started_at is None else call.started_at, session.clock.zone),
            **{name: getattr(call, name) for name in ("number", "line", "peer", "direction", "duration")},
        }
        return TableRow(
            line,
            {
                name: TableCell("" if text is None else str(text), column)
                for column, (name, text) in enumerate(texts.items(), 1)
            },
        )

    rows = tuple(row(line, id, call) for line, (id, call) in enumerate(calls.items(), 1))
    return ListTable(_SOURCE, tuple(rows[0].cells) if rows else (), rows)
