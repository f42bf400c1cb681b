"""`alovoice events missed`: callers whom nobody answered."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from alovoice_cli.campaigns.schedule import today_in
from alovoice_cli.commands.events.selection import (
    Limit,
    Line,
    Number,
    Peer,
    Since,
    Store,
    Until,
    WhereCalls,
    WithTrials,
    clock_of,
    since_or,
    tell_coverage,
    where_note,
)
from alovoice_cli.commands.global_options import shows_list
from alovoice_cli.commands.options import Exclude, ExcludeUnreadOk, examples
from alovoice_cli.events.conditions import CALL_FIELDS, all_of
from alovoice_cli.events.event import STATUS_TONES, status_word
from alovoice_cli.events.event_table import call_as_json, iso, when
from alovoice_cli.events.filters import FilterWords, read_filter
from alovoice_cli.events.missed import (
    IS_MISSED,
    REASON_TEXTS,
    REASONS,
    REPORTED_APART_SECONDS,
    MissedCall,
    count_reasons,
    judge,
    not_returned,
    reasons_text,
)
from alovoice_cli.events.peer_names import PeerNames
from alovoice_cli.language import joined, ngettext, spaced, tr
from alovoice_cli.moments import ClockTime, parse_span, parse_zone, span_text
from alovoice_cli.output.listing import Column, Listing, tone_by
from alovoice_cli.phones import number_of
from alovoice_cli.session import Session

EXAMPLES = examples(
    "alovoice events missed --since today --not-returned",
    "alovoice events missed --since 30d --line 712037006 --limit 0",
    "alovoice events missed --not-returned --older-than 30m",
    "alovoice events missed --not-returned --exclude do-not-call.csv",
    "alovoice events missed --not-returned --json | jq -r '.[].number'",
    note=where_note(CALL_FIELDS),
)
COLUMNS = (
    Column("when", "When"),
    Column("number", "Number"),
    Column("line", "Line"),
    Column("reason", "Reason", tone=tone_by("status", STATUS_TONES)),
    Column("returned", "Contacted", tone=lambda item: "good" if item["returned_at"] else ""),
    Column("waited", "Waited", numeric=True),
    Column("peer", "Extension"),
    Column("status", "Status", shown=False, words=status_word, tone=tone_by("status", STATUS_TONES)),
    Column("again", "Again", shown=False, numeric=True),
    Column("back", "Back", shown=False, numeric=True),
    Column("returned_at", "Contacted at (UTC)", shown=False),
    Column("waited_minutes", "Minutes until contacted", shown=False, numeric=True),
    Column("waiting_minutes", "Minutes waiting", shown=False, numeric=True),
    Column("event_call_id", "Event call id", shown=False),
    Column("pbx_call_id", "PBX call id", shown=False),
    Column("duration", "Seconds", shown=False, numeric=True),
    Column("reported_at", "Reported (UTC)", shown=False),
)


@shows_list(COLUMNS)
def list_missed(
    ctx: typer.Context,
    open_only: Annotated[
        bool,
        typer.Option("--not-returned", help="Only callers still to be called back, each once.", show_default=False),
    ] = False,
    older_than: Annotated[
        str | None,
        typer.Option("--older-than", metavar="SPAN", help="Only callers who have waited longer: 30m, 2h, 1d."),
    ] = None,
    since: Since = None,
    until: Until = None,
    number: Number = None,
    line: Line = None,
    peer: Peer = None,
    where: WhereCalls = None,
    with_trials: WithTrials = False,
    exclude: Exclude = None,
    exclude_unread_ok: ExcludeUnreadOk = False,
    limit: Limit = 50,
    store: Store = None,
) -> None:
    """List missed inbound calls, newest first, with reasons.

    The period is seven days unless it is given. Contacted: a later call with the caller was answered, in either
    direction, on any line. Waited: the time until then; with +, the time until now. Callers with a hidden number,
    and calls that another member of a ring group answered, need no call back: the note counts them.
    """
    session: Session = ctx.obj
    clock = clock_of(session)
    words = FilterWords(since_or(6, since, until, clock), until, None, number, line, peer, None, where, with_trials)
    wanted = read_filter(words, CALL_FIELDS, clock)
    patience = None if older_than is None else int(parse_span(older_than, "--older-than").total_seconds())
    now = int(clock.now.timestamp())
    barred = _not_to_call(session, exclude or (), unread_ok=exclude_unread_ok)
    events = session.event_store(store)
    calls = list(events.calls(replace(wanted, condition=all_of(IS_MISSED, wanted.condition))))
    numbers = {call.number for call in calls if call.number is not None}
    if barred:
        left_out = {number for number in numbers if number_of(number) in barred}
        calls = [call for call in calls if call.number not in left_out]
        numbers -= left_out
        session.note(
            ngettext(
                "{n} caller is left out: the number is in a do-not-call file",
                "{n} callers are left out: their numbers are in a do-not-call file",
                len(left_out),
            )
        )
    since_first = calls[0].reported_at - REPORTED_APART_SECONDS if calls else None
    judged = judge(calls, events.calls_with(numbers, since_first, with_trials=with_trials))
    shown = sorted(not_returned(judged) if open_only else judged, key=_place, reverse=True)
    if patience is not None:
        shown = [one for one in shown if (one.waiting(now) or 0) > patience]
    cut = shown[:limit] if limit else shown
    session.show(
        Listing(
            [_cells(one, clock, session.peer_names, short=session.stdout.isatty()) for one in cut],
            _columns(session),
            whole=[_as_json(one, now, session.peer_names) for one in cut],
            nothing=tr("no callers to call back") if open_only else tr("no missed calls"),
        )
    )
    if len(cut) < len(shown):
        session.note(
            tr(
                "only the latest {limit} of {total} are shown; --limit 0 shows all",
                limit=limit,
                total=spaced(len(shown)),
            )
        )
    if judged:
        session.note(_sentence(judged))
    tell_coverage(session, store, wanted.period, clock)


def _not_to_call(session: Session, paths: Sequence[Path], *, unread_ok: bool) -> frozenset[int]:
    """Returns the numbers of the do-not-call lists in force today. Raises CheckFailedError for unreadable entries."""
    from alovoice_cli.campaigns.exclusion import check_do_not_call, read_do_not_call  # noqa: PLC0415 - few ask for it

    numbers: set[int] = set()
    today = today_in(parse_zone(session.settings.timezone), session.now())
    for path in paths:
        listed = read_do_not_call(path, today, unread_ok=unread_ok)
        for finding in check_do_not_call(listed):
            session.warn(finding.sentence)
        session.note(listed.note)
        numbers |= listed.numbers
    return frozenset(numbers)


def _place(one: MissedCall) -> tuple[int, int]:
    """Returns the key by which calls are sorted: several may be reported in one second."""
    return one.call.reported_at, one.call.start_seq or one.call.end_seq or 0


def _columns(session: Session) -> tuple[Column, ...]:
    """Returns the columns; 80 columns of a terminal have room for the line, or for the extension with its name."""
    left_out = ("line" if session.peer_names else "peer") if session.stdout.isatty() else ""
    return tuple(column._replace(shown=column.shown and column.name != left_out) for column in COLUMNS)


def _cells(one: MissedCall, clock: ClockTime, names: PeerNames, *, short: bool) -> dict[str, object]:
    now, call = int(clock.now.timestamp()), one.call
    waited, waiting, reason = one.waited, one.waiting(now), tr(REASON_TEXTS.get(call.status or "", ""))
    return {
        **_as_json(one, now, names),
        "when": when(call.reported_at, clock, short=short),
        "number": tr("hidden") if one.is_hidden else call.number,
        "reason": status_word(call.status) if short else joined(" ", filter(None, (str(call.status), reason))),
        "peer": names.label(call.peer),
        "returned": _contacted(one, clock, names, short=short),
        "waited": span_text(waited) if waited is not None else f"{span_text(waiting)}+" if waiting is not None else "",
    }


def _contacted(one: MissedCall, clock: ClockTime, names: PeerNames, *, short: bool) -> str:
    """Returns how somebody talked to the caller, or how often either side tried."""
    if one.answered_beside is not None:
        peer = names.label(one.answered_beside.peer)
        return tr("by {peer}", peer=peer) if peer else tr("by ring group")
    if one.returned_at is not None and one.returned is not None:
        moment = when(one.returned_at, clock, short=short)
        return (
            tr("back {moment}", moment=moment) if one.returned == "called back" else tr("again {moment}", moment=moment)
        )
    tries = one.again + one.back
    return ngettext("{n} attempt", "{n} attempts", tries) if tries else ""


def _as_json(one: MissedCall, now: int, names: PeerNames) -> dict[str, object]:
    waiting = one.waiting(now)
    return {
        **call_as_json(one.call),
        "peer_name": names.names.get(one.call.peer or ""),
        "reason": REASONS.get(one.call.status or "", one.call.status),
        "returned": one.returned,
        "returned_at": None if one.returned_at is None else iso(one.returned_at * 1_000_000),
        "waited_minutes": None if one.waited is None else one.waited // 60,
        "waiting_minutes": None if waiting is None else waiting // 60,
        "ring_group": one.answered_beside is not None,
        "again": one.again,
        "back": one.back,
    }


def _sentence(judged: Sequence[MissedCall]) -> str:
    hidden = sum(one.is_hidden for one in judged)
    ring_group = sum(one.answered_beside is not None for one in judged)
    parts = [
        ngettext(
            "{n} missed call ({reasons})",
            "{n} missed calls ({reasons})",
            len(judged),
            reasons=reasons_text(count_reasons(judged)),
        ),
        ngettext("{n} caller not contacted yet", "{n} callers not contacted yet", sum(1 for _ in not_returned(judged))),
    ]
    if hidden:
        parts.append(ngettext("{n} call with a hidden number", "{n} calls with a hidden number", hidden))
    if ring_group:
        parts.append(
            ngettext(
                "{n} call answered on another extension of its ring group",
                "{n} calls answered on another extension of their ring group",
                ring_group,
            )
        )
    return joined("; ", parts)
