"""Watches campaigns until they are over: how often to look, what has changed, and why nothing happens."""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from alovoice_cli import localization
from alovoice_cli.campaigns.campaign_record import OVER, plan_from_answer
from alovoice_cli.campaigns.dialer_simulation import DialPlan
from alovoice_cli.campaigns.schedule import wire_offset
from alovoice_cli.errors import AlovoiceError, NotReadyError, ServerError, UnreachableError
from alovoice_cli.language import tr
from alovoice_cli.moments import span_text

Answer = Mapping[str, object]

_LOADING = timedelta(minutes=5)
"""How long the PBX may count the recipients before the watch reports it."""
_STILL = timedelta(minutes=10)
_SOON, _LATE = timedelta(seconds=5), timedelta(seconds=60)
_SOON_HERE, _LATE_HERE = timedelta(seconds=1), timedelta(seconds=5)
_SLOWER = 1.5
_REDRAWN = timedelta(seconds=15)
_LONGEST_NAP = timedelta(minutes=1)  # after a sleep of the machine the hour is right again within this time


@dataclass(frozen=True, slots=True)
class Why:
    """The reason for no change: a code for scripts, and a sentence.

    Both are empty where something happens, or might.
    """

    code: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class DialPace:
    """How often to look. `interval` is the operator's.

    `simulated`: the PBX runs on this machine, and its clock may be faster than ours, so that the pause must not miss a
    window.
    """

    interval: timedelta | None = None
    simulated: bool = False

    def first(self) -> timedelta:
        """Returns the pause before the second look."""
        return self.interval or (_SOON_HERE if self.simulated else _SOON)

    def slower(self, before: timedelta) -> timedelta:
        """Returns the pause after a look without news."""
        return self.interval or min(before * _SLOWER, _LATE_HERE if self.simulated else _LATE)


@dataclass(slots=True)
class WatchedCampaign:
    """One watched campaign. `ask` reads it from the PBX; times are aware."""

    id: str
    ask: Callable[[str], Answer]
    pace: DialPace
    answer: Answer = field(default_factory=dict)
    why: Why = field(default_factory=Why)
    changed: tuple[str, ...] = ()
    """The PBX's fields that differ from the look before."""
    looked_at: datetime | None = None
    seen_at: datetime | None = None
    """When the PBX last answered."""
    due_at: datetime | None = None
    _moved_at: datetime | None = None
    _wait: timedelta = timedelta(0)

    @property
    def status(self) -> str:
        """Returns the PBX's own word."""
        return str(self.answer.get("status", ""))

    def look(self, now: datetime) -> bool:
        """Reads the campaign. Returns whether there is news: the first look, a change, or another reason for no change.

        An unreachable or failing PBX is such a reason, and is read again. Other errors are raised.
        """
        first, before = self.seen_at is None, self.why.code
        self.looked_at = now
        try:
            answer = self.ask(self.id)
        except (UnreachableError, ServerError) as error:
            self.changed, self.why = (), _out_of_reach(error)
        else:
            self.changed = () if first else tuple(_differences(self.answer, answer))
            self.answer, self.seen_at = answer, now
            if self.changed or self._moved_at is None:
                self._moved_at = now
            self.why = explain(answer, now, now - self._moved_at)
        self._wait = self.pace.first() if self.changed or first else self.pace.slower(self._wait)
        self.due_at = self._next(now)
        return first or bool(self.changed) or self.why.code != before

    def as_line(self) -> dict[str, object]:
        """Returns the last look as JSON prints it."""
        at = "" if self.looked_at is None else self.looked_at.isoformat(timespec="seconds").replace("+00:00", "Z")
        return {
            "at": at,
            "id": self.id,
            "status": self.status,
            "why": self.why.text,
            "why_code": self.why.code,
            "changed": list(self.changed),
            "campaign": dict(self.answer),
        }

    def _next(self, now: datetime) -> datetime:
        opens = (
            None
            if self.pace.simulated or self.why.code not in ("not_started", "window_shut")
            else _opening(plan_from_answer(self.answer), now)
        )
        return opens or now + self._wait

    def why_at(self, now: datetime) -> Why:
        """Returns the reason of the last look, in words for this moment."""
        if self._moved_at is None or self.seen_at is None or self.why.code in ("unreachable", "server"):
            return self.why
        return explain(self.answer, now, now - self._moved_at)

    def is_over(self, now: datetime) -> bool:
        """Returns whether the PBX reports the end, or the last window has closed."""
        plan = None if self.pace.simulated else plan_from_answer(self.answer)
        return self.status in OVER or (plan is not None and all(closes <= now for _, closes in plan.windows()))


def _out_of_reach(error: AlovoiceError) -> Why:
    code = "unreachable" if isinstance(error, UnreachableError) else "server"
    return Why(code, tr("the PBX could not be read: {problem}", problem=error.message))


def _differences(before: Answer, now: Answer) -> Iterable[str]:
    return (name for name in {**before, **now} if before.get(name) != now.get(name))


def explain(answer: Answer, now: datetime, still: timedelta) -> Why:
    """Returns why an unchanged campaign does not move, by the PBX's answer and the aware `now`."""
    plan, status = plan_from_answer(answer), str(answer.get("status", ""))
    if status in OVER:
        return Why("over", tr("it is finished"))
    if str(answer.get("paused")) == "1":
        return Why("paused", tr("paused: start it in the web console"))
    if plan is None:
        return Why()
    shut = _explain_hours(plan, status, now)
    return _explain_stillness(answer, now, still) if shut is None else shut


def _explain_hours(plan: DialPlan, status: str, now: datetime) -> Why | None:
    """Returns why nobody is called at this hour; None in an open window."""
    windows = list(plan.windows())
    if any(opens <= now < closes for opens, closes in windows):
        return None
    opens = _opening(plan, now)
    if opens is None:
        text = tr("its last window has closed: {moment}", moment=moment_text(windows[-1][1]))
        return Why("window_past", text)
    ahead = {"moment": moment_text(opens), "span": span_text(int((opens - now).total_seconds()))}
    if now < windows[0][0]:
        # A PBX with another answer has its own clock: the sandbox's runs faster.
        return Why("not_started", tr("begins {moment}, in {span}", **ahead)) if status == "new" else Why()
    return Why("window_shut", tr("no calls at this hour; next: {moment}, in {span}", **ahead))


def _explain_stillness(answer: Answer, now: datetime, still: timedelta) -> Why:
    age = _age(answer, now)
    if str(answer.get("recipients", "")) in ("0", "") and age >= _LOADING:
        span = span_text(int(age.total_seconds()))
        text = tr("no recipients after {span}: the PBX may not have read the list", span=span)
        return Why("no_recipients", text)
    if still >= _STILL:
        span = span_text(int(still.total_seconds()))
        text = tr("no change for {span}; `alovoice listen` shows the calls", span=span)
        return Why("no_events", text)
    return Why()


def _age(answer: Answer, now: datetime) -> timedelta:
    try:
        created = datetime.fromisoformat(str(answer.get("createdAt")))
    except ValueError:
        return timedelta(0)
    return now - (created if created.tzinfo else created.replace(tzinfo=UTC))


def _opening(plan: DialPlan | None, now: datetime) -> datetime | None:
    """Returns the next opening after now."""
    windows = () if plan is None else plan.windows()
    return next((opens for opens, _ in windows if opens > now), None)


def moment_text(moment: datetime) -> str:
    """Returns `Thu 26 Nov 10:00 (utc +5)`."""
    return localization.moment_text(moment, wire_offset(moment.utcoffset() or timedelta(0)))


@dataclass(frozen=True, slots=True)
class WatchAim:
    """When to stop: at a status, or when all are over; by `deadline` (of `time.monotonic`) at the latest."""

    until: str | None
    deadline: float | None

    def is_met(self, one: WatchedCampaign, now: datetime) -> bool:
        """Returns whether this campaign needs no more looks. Raises NotReadyError if it is over without the status."""
        if self.until is None:
            return one.is_over(now)
        if one.status.lower() == self.until.lower():
            return True
        if one.status in OVER:
            raise NotReadyError(
                tr(
                    "campaign {campaign} has the status {status}, and was never seen with {until}",
                    campaign=one.id,
                    status=one.status,
                    until=self.until,
                ),
                hint=tr("see `alovoice autorule get {campaign}`", campaign=one.id),
            )
        return False


def watch_until(
    aim: WatchAim,
    watched: Sequence[WatchedCampaign],
    clock: Callable[[], datetime],
    looked: Callable[[WatchedCampaign, bool], None],
    draw: Callable[[datetime], None] | None,
) -> None:
    """Looks at the campaigns when due, until the aim is met for all. Raises NotReadyError at the deadline.

    `looked` is called after each look, with whether it brought news. `draw`, if given, shows all every 15 seconds.
    """
    while True:
        now = clock()
        for one in watched:
            if one.due_at is None or (one.due_at <= now and not aim.is_met(one, now)):
                looked(one, one.look(now))
        if draw is not None:
            draw(now)
        now = clock()
        open_ones = [one for one in watched if not aim.is_met(one, now)]
        if not open_ones:
            return
        left = math.inf if aim.deadline is None else aim.deadline - time.monotonic()
        if left <= 0:
            names = ", ".join(f"{one.id} ({one.status})" if one.status else one.id for one in open_ones)
            raise NotReadyError(
                tr("--wait has passed, but these campaigns are not there yet: {campaigns}", campaigns=names)
            )
        nap = min(*(one.due_at or now for one in open_ones), now + (_REDRAWN if draw else _LONGEST_NAP)) - now
        time.sleep(max(0.0, min(nap.total_seconds(), left)))
