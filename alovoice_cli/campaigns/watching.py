"""Looks at campaigns until they are over: how often, what has changed, and why nothing does."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from alovoice_cli.campaigns.dialer_simulation import DialPlan
from alovoice_cli.campaigns.plans import OVER, plan_from_answer
from alovoice_cli.campaigns.schedule import wire_offset
from alovoice_cli.errors import AlovoiceError, ServerError, UnreachableError
from alovoice_cli.moments import span_text

Answer = Mapping[str, object]

_LOADING = timedelta(minutes=5)
"""How long the PBX may take to count the recipients before that is worth a word."""
_STILL = timedelta(minutes=10)
_SOON, _LATE = timedelta(seconds=5), timedelta(seconds=60)
_SOON_HERE, _LATE_HERE = timedelta(seconds=1), timedelta(seconds=5)
_SLOWER = 1.5


@dataclass(frozen=True, slots=True)
class Why:
    """Why nothing moves: a code for scripts, and a sentence. Both are empty where something does, or might."""

    code: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class DialPace:
    """How often to look. `interval` is the operator's; `simulated`: the PBX is one of this machine, whose clock may
    run faster than ours, so that no window is slept through."""

    interval: timedelta | None = None
    simulated: bool = False

    def first(self) -> timedelta:
        """Until the second look."""
        return self.interval or (_SOON_HERE if self.simulated else _SOON)

    def slower(self, before: timedelta) -> timedelta:
        """Until the next look when the last one saw nothing new."""
        return self.interval or min(before * _SLOWER, _LATE_HERE if self.simulated else _LATE)


@dataclass(slots=True)
class WatchedCampaign:
    """One campaign under watch. `ask` reads it from the PBX; times are aware."""

    id: str
    ask: Callable[[str], Answer]
    pace: DialPace
    answer: Answer = field(default_factory=dict)
    why: Why = field(default_factory=Why)
    changed: tuple[str, ...] = ()
    """The PBX's fields that differ from the look before."""
    seen_at: datetime | None = None
    due_at: datetime | None = None
    _moved_at: datetime | None = None
    _wait: timedelta = timedelta(0)

    @property
    def status(self) -> str:
        """The PBX's own word."""
        return str(self.answer.get("status", ""))

    def look(self, now: datetime) -> bool:
        """Asks the PBX. Whether there is something to tell: the first look, a change, another reason for the stillness.

        A PBX that is out of reach, or fails, is a reason too, and is asked again. Other errors are raised.
        """
        first, before = self.seen_at is None, self.why.code
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

    def _next(self, now: datetime) -> datetime:
        opens = (
            None
            if self.pace.simulated or self.why.code not in ("not_started", "window_shut")
            else _opening(plan_from_answer(self.answer), now)
        )
        return opens or now + self._wait

    def why_at(self, now: datetime) -> Why:
        """The reason of the last look, in the words of this moment."""
        if self._moved_at is None or self.seen_at is None or self.why.code in ("unreachable", "server"):
            return self.why
        return explain(self.answer, now, now - self._moved_at)

    def is_over(self, now: datetime) -> bool:
        """Whether the PBX says that it is over, or its last window has closed."""
        plan = None if self.pace.simulated else plan_from_answer(self.answer)
        return self.status in OVER or (plan is not None and all(closes <= now for _, closes in plan.windows()))


def _out_of_reach(error: AlovoiceError) -> Why:
    code = "unreachable" if isinstance(error, UnreachableError) else "server"
    return Why(code, f"not seen: {error.message}")


def _differences(before: Answer, now: Answer) -> Iterable[str]:
    return (name for name in {**before, **now} if before.get(name) != now.get(name))


def explain(answer: Answer, now: datetime, still: timedelta) -> Why:
    """Why a campaign that has not changed for so long does not move, by what the PBX answers and the aware `now`."""
    plan, status = plan_from_answer(answer), str(answer.get("status", ""))
    if status in OVER:
        return Why("over", "it is over")
    if str(answer.get("paused")) == "1":
        return Why("paused", "paused: start it in the web console")
    if plan is None:
        return Why()
    shut = _explain_hours(plan, status, now)
    return _explain_stillness(answer, now, still) if shut is None else shut


def _explain_hours(plan: DialPlan, status: str, now: datetime) -> Why | None:
    """Why nobody is called at this hour; None where the window is open."""
    windows = list(plan.windows())
    if any(opens <= now < closes for opens, closes in windows):
        return None
    opens = _opening(plan, now)
    if opens is None:
        return Why("window_past", f"its last window has closed: {moment_text(windows[-1][1])}")
    ahead = f"{moment_text(opens)}, in {span_text(int((opens - now).total_seconds()))}"
    if now < windows[0][0]:
        # A PBX that says otherwise has a clock of its own: the sandbox's runs faster.
        return Why("not_started", f"begins {ahead}") if status == "new" else Why()
    return Why("window_shut", f"window shut until {ahead}")


def _explain_stillness(answer: Answer, now: datetime, still: timedelta) -> Why:
    age = _age(answer, now)
    if str(answer.get("recipients", "")) in ("0", "") and age >= _LOADING:
        text = f"no recipients after {span_text(int(age.total_seconds()))}: the PBX may not have read the list"
        return Why("no_recipients", text)
    if still >= _STILL:
        text = f"no change for {span_text(int(still.total_seconds()))}; the calls themselves show in `alovoice listen`"
        return Why("no_events", text)
    return Why()


def _age(answer: Answer, now: datetime) -> timedelta:
    try:
        created = datetime.fromisoformat(str(answer.get("createdAt")))
    except ValueError:
        return timedelta(0)
    return now - (created if created.tzinfo else created.replace(tzinfo=UTC))


def _opening(plan: DialPlan | None, now: datetime) -> datetime | None:
    """The next opening after now."""
    windows = () if plan is None else plan.windows()
    return next((opens for opens, _ in windows if opens > now), None)


def moment_text(moment: datetime) -> str:
    """`Thu 26 Nov 10:00 (utc +5)`, in words that no locale changes."""
    day = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[moment.weekday()]
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    zone = wire_offset(moment.utcoffset() or timedelta(0))
    return f"{day} {moment.day} {months[moment.month - 1]} {moment:%H:%M} ({zone})"
