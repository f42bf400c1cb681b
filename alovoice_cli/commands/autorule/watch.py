"""`alovoice autorule watch`: looks at campaigns until they are over, and explains why nothing moves."""

import hashlib
import shlex
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from alovoice_cli.commands.autorule import CAMPAIGN_TONES
from alovoice_cli.commands.options import examples
from alovoice_cli.errors import NotReadyError, Terminated, UsageError
from alovoice_cli.language import joined, tr
from alovoice_cli.moments import parse_span
from alovoice_cli.output.listing import Column, Listing, tone_by
from alovoice_cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alovoice_cli.campaigns.watching import WatchAim, WatchedCampaign

EXAMPLES = examples(
    "alovoice autorule watch 124",
    "alovoice autorule watch 124 125 --until done --wait 8h",
    "alovoice autorule watch 124 | jq -r '\"\\(.at) \\(.status) \\(.why)\"'",
)

COLUMNS = (
    Column("id", "Id", numeric=True),
    Column("name", "Name"),
    Column("status", "Status", tone=tone_by("status", CAMPAIGN_TONES)),
    Column("recipients", "Recipients", numeric=True),
    Column("results", "Results"),
    Column("why", "Why it waits"),
    Column("seen", "Seen"),
)


def watch_campaigns(
    ctx: typer.Context,
    campaign_ids: Annotated[list[str], typer.Argument(metavar="ID", help="Ids of the campaigns.")],
    interval: Annotated[
        str | None, typer.Option("--interval", metavar="SPAN", help="How often to check: 10s, 5m (default: automatic).")
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="STATUS", help="Stop when all have this status (default: finished)."),
    ] = None,
    wait: Annotated[
        str | None, typer.Option("--wait", metavar="SPAN", help="Stop after this time, with exit code 9.")
    ] = None,
) -> None:
    """Watch campaigns: a live table, or JSON lines in a pipe.

    Outside the calling hours of a campaign the PBX is not asked. Ctrl-C stops watching; the campaigns continue.
    """
    # Here and not above: help needs neither locks nor the dialler's plan.
    from alovoice_cli.campaigns.watching import DialPace, WatchAim, WatchedCampaign  # noqa: PLC0415 - as said above
    from alovoice_cli.config.urls import is_loopback_url  # noqa: PLC0415 - as said above
    from alovoice_cli.stores.process_lock import hold  # noqa: PLC0415 - as said above

    session: Session = ctx.obj
    settings = session.settings
    pace = DialPace(_read_interval(interval), is_loopback_url(settings.base_url))
    deadline = time.monotonic() + parse_span(wait, "--wait").total_seconds() if wait else None
    ids = list(dict.fromkeys(campaign_ids))
    watched = [WatchedCampaign(number, lambda asked: dict(session.client.autorule.get(asked)), pace) for number in ids]
    with ExitStack() as held:
        for number in ids:
            name = hashlib.sha256(f"{settings.base_url}\n{settings.profile}\n{number}".encode()).hexdigest()[:16]
            lock = session.paths.state / "locks" / f"watch-{name}.lock"
            held.enter_context(
                hold(
                    lock,
                    tr("campaign {campaign} on PBX {profile} is watched", campaign=number, profile=settings.profile),
                )
            )
        try:
            _watch(session, watched, WatchAim(until, deadline), held.enter_context(session.display.live(COLUMNS)))
        except (KeyboardInterrupt, Terminated, NotReadyError) as end:
            words = ["alovoice", "-p", settings.profile, "autorule", "watch", *ids]
            line = shlex.join([*words, *(["--until", until] if until else [])])
            if isinstance(end, NotReadyError):
                end.hint = end.hint or tr("to watch again: `{command}`", command=line)
            else:
                held.close()  # first restore the terminal
                session.note(tr("the campaigns go on; to watch again: `{command}`", command=line))
            raise


def _read_interval(text: str | None) -> timedelta | None:
    span = None if text is None else parse_span(text, "--interval")
    if span is not None and not span:
        message = tr("--interval {span!r} is too short", span=text)
        raise UsageError(message, hint=tr("give 1s or more"))
    return span


def _watch(
    session: Session,
    watched: "Sequence[WatchedCampaign]",
    aim: "WatchAim",
    draw: Callable[[Listing], None] | None,
) -> None:
    from alovoice_cli.campaigns.watching import watch_until  # noqa: PLC0415 - as in watch_campaigns
    from alovoice_cli.commands.autorule.gathering import RunningCounts  # noqa: PLC0415 - as in watch_campaigns

    results = {one.id: RunningCounts(session, one.id) for one in watched}

    def looked(one: "WatchedCampaign", is_news: bool) -> None:
        if one.seen_at == one.looked_at:
            session.campaigns.note(session.settings.profile, one.id, one.answer, session.masker)
        if draw is not None:
            return
        counts, changed = results[one.id].latest()
        if is_news or changed:
            session.display.line(one.as_line() | dict(counts or {}))

    def drawn(now: datetime) -> None:
        if draw is not None:
            draw(Listing([_row(one, now, results[one.id].latest()[0]) for one in watched], COLUMNS))

    watch_until(aim, watched, session.now, looked, None if draw is None else drawn)


def _row(one: "WatchedCampaign", now: datetime, counts: "Mapping[str, int] | None") -> dict[str, object]:
    seen = "" if one.seen_at is None else f"{one.seen_at.astimezone():%H:%M:%S}"
    answer = one.answer
    return {
        "id": one.id,
        "name": answer.get("name"),
        "status": one.status,
        "recipients": answer.get("recipients"),
        "results": _results_text(counts),
        "why": one.why_at(now).text,
        "seen": seen,
    }


def _results_text(counts: "Mapping[str, int] | None") -> str:
    """Returns what became of the rows to call, in words and without zeros: `reached: 8, not tried: 20`."""
    from alovoice_cli.campaigns.report import CATEGORIES, NOT_CALLED  # noqa: PLC0415 - as in watch_campaigns
    from alovoice_cli.campaigns.report_text import CATEGORY_TEXTS  # noqa: PLC0415 - as in watch_campaigns

    told = {} if counts is None else {name: counts[name] for name in CATEGORIES if name not in NOT_CALLED}
    parts = (
        tr("{category}: {rows}", category=tr(CATEGORY_TEXTS[category]), rows=rows)
        for category, rows in told.items()
        if rows
    )
    return joined(", ", parts)
