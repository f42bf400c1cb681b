"""The loop of `autorule watch`: one place on this machine for each campaign, looks when they are due, and the end."""

import hashlib
import shlex
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta

from alovoice_cli.campaigns.plans import OVER
from alovoice_cli.campaigns.watching import DialPace, WatchedCampaign
from alovoice_cli.config.urls import is_loopback_url
from alovoice_cli.errors import NotReadyError, Terminated, UsageError
from alovoice_cli.moments import parse_span
from alovoice_cli.output.columns import Column
from alovoice_cli.output.listing import Listing
from alovoice_cli.session import Session
from alovoice_cli.stores.process_lock import hold

_REDRAWN = timedelta(seconds=15)
_LONGEST_NAP = timedelta(minutes=1)  # a machine that was asleep wakes to the right hour
COLUMNS = (
    Column("id", "Id", numeric=True),
    Column("name", "Name"),
    Column("status", "Status"),
    Column("recipients", "Recipients", numeric=True),
    Column("why", "Why nothing moves"),
    Column("seen", "Seen"),
)


@dataclass(frozen=True, slots=True)
class _Aim:
    """When to stop: at a status, or when all is over; by `deadline` (of `time.monotonic`) at the latest."""

    until: str | None
    deadline: float | None

    def is_met(self, one: WatchedCampaign, now: datetime) -> bool:
        """Whether this campaign needs no more looks. Raises NotReadyError where it is over and never came there."""
        if self.until is None:
            return one.is_over(now)
        if one.status.lower() == self.until.lower():
            return True
        if one.status in OVER:
            raise NotReadyError(
                f"campaign {one.id} is {one.status}, and was not seen as {self.until}",
                hint=f"see `alovoice autorule get {one.id}`",
            )
        return False


def watch(
    session: Session, campaign_ids: Sequence[str], interval: str | None, until: str | None, wait: str | None
) -> None:
    """Watches until all are over, stand at `until`, or `wait` has passed; the options are as they were typed.

    Raises UsageError for spans that are none and for a campaign that another process watches, NotReadyError in the end.
    """
    settings = session.settings
    pace = DialPace(_read_interval(interval), is_loopback_url(settings.base_url))
    deadline = time.monotonic() + parse_span(wait, "--wait").total_seconds() if wait else None
    ids = list(dict.fromkeys(campaign_ids))
    watched = [WatchedCampaign(number, lambda asked: dict(session.client.autorule.get(asked)), pace) for number in ids]
    with ExitStack() as held:
        for number in ids:
            name = hashlib.sha256(f"{settings.base_url}\n{settings.profile}\n{number}".encode()).hexdigest()[:16]
            lock = session.paths.state / "locks" / f"watch-{name}.lock"
            held.enter_context(hold(lock, f"campaign {number} on PBX {settings.profile} is watched"))
        try:
            draw = held.enter_context(session.display.live(COLUMNS))
            _watch(session, watched, _Aim(until, deadline), draw)
        except (KeyboardInterrupt, Terminated, NotReadyError) as end:
            line = _go_on(settings.profile, ids, until)
            if isinstance(end, NotReadyError):
                end.hint = end.hint or f"look on: `{line}`"
            else:
                held.close()  # the terminal in order first
                session.note(f"the campaigns go on; to look on: {line}")
            raise


def _read_interval(text: str | None) -> timedelta | None:
    span = None if text is None else parse_span(text, "--interval")
    if span is not None and not span:
        raise UsageError(f"--interval {text!r} would never rest", hint="give 1s or more")
    return span


def _watch(
    session: Session, watched: Sequence[WatchedCampaign], aim: _Aim, draw: Callable[[Listing], None] | None
) -> None:
    while True:
        now = session.now()
        for one in watched:
            if one.due_at is None or (one.due_at <= now and not aim.is_met(one, now)):
                _look(session, one, now, as_line=draw is None)
        if draw is not None:
            draw(Listing([_row(one, now) for one in watched], COLUMNS))
        now = session.now()
        open_ones = [one for one in watched if not aim.is_met(one, now)]
        if not open_ones:
            return
        left = None if aim.deadline is None else aim.deadline - time.monotonic()
        if left is not None and left <= 0:
            names = ", ".join(f"{one.id} ({one.status or 'not seen'})" for one in open_ones)
            raise NotReadyError(f"--wait is over, and not all campaigns are there yet: {names}")
        nap = min(*(one.due_at or now for one in open_ones), now + (_REDRAWN if draw else _LONGEST_NAP)) - now
        time.sleep(max(0.0, min(nap.total_seconds(), left if left is not None else nap.total_seconds())))


def _look(session: Session, one: WatchedCampaign, now: datetime, *, as_line: bool) -> None:
    is_news = one.look(now)
    if one.seen_at == now:
        session.campaigns.note(session.settings.profile, one.id, one.answer, session.masker)
    if is_news and as_line:
        session.display.line(
            {
                "at": now.isoformat(timespec="seconds").replace("+00:00", "Z"),
                "id": one.id,
                "status": one.status,
                "why": one.why.text,
                "why_code": one.why.code,
                "changed": list(one.changed),
                "campaign": dict(one.answer),
            }
        )


def _row(one: WatchedCampaign, now: datetime) -> dict[str, object]:
    seen = "" if one.seen_at is None else f"{one.seen_at.astimezone():%H:%M:%S}"
    answer = one.answer
    return {
        "id": one.id,
        "name": answer.get("name"),
        "status": one.status,
        "recipients": answer.get("recipients"),
        "why": one.why_at(now).text,
        "seen": seen,
    }


def _go_on(profile: str, ids: Sequence[str], until: str | None) -> str:
    words = ["alovoice", "-p", profile, "autorule", "watch", *ids, *(["--until", until] if until else [])]
    return shlex.join(words)
