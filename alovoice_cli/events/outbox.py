"""When a failed delivery is tried again, when a target is left alone, and when an event is given up. Pure.

Spans are in seconds; moments (`*_at`, `*_until`) are unix microseconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Literal

from alovoice_cli.events.event import Event, EventType
from alovoice_cli.language import joined, ngettext, tr
from alovoice_cli.posts import Posted, retry_after_seconds

GIVEN_UP_AFTER_SECONDS = 72 * 3600
"""An event that no attempt delivered for this long becomes a dead letter: it is stored and listed, not sent again."""
LONGEST_RETRY_AFTER_SECONDS = 3600.0
"""A longer Retry-After is cut to this: it may be a mistake, and the events grow old."""

_LONGEST_WAIT_SECONDS = 2 * 3600
"""Longer than any delay or pause: what is due later was written while the clock was ahead, and is due now."""

_DELAYS = (1, 5, 15, 60, 300, 900, 3600)
_LONGEST_PAUSE = 60
_SHORTEST_PAUSE = 1.0
_FIRST_PULL_WAIT = 60
_FAILURES_OF_AN_OUTAGE = 3
_MICRO = 1_000_000
_PAUSING = (429, 502, 503, 504)
_OF_ONE_EVENT = (400, 409, 413, 415, 422)
_GONE = 410

DUE, RUNNING, DONE, DEAD = "due", "running", "done", "dead"
"""The states of an event in the outbox. `running`: a program is running for it, or is about to start."""
INTERRUPTED = "it had not ended when the listener died"
"""The trouble of a program that was running, or about to start, when its listener was killed."""

OutcomeKind = Literal["delivered", "retry", "pause", "gone", "dead", "later"]
TargetState = Literal["taking", "refusing", "paused", "stopped"]


@dataclass(frozen=True, slots=True)
class DeliveryOutcome:
    """The outcome of one attempt to deliver an event.

    `retry`: the target answers and did not take the event. `pause`: it takes nothing now; `seconds` is the pause that
    it asks for. `gone`: it wants no more events. `dead`: the event is delivered again only by order. `later`: there was
    no attempt. `trouble` is the reason, `status` the HTTP status.
    """

    kind: OutcomeKind
    trouble: str = ""
    status: int | None = None
    seconds: float | None = None


def outcome_of(posted: Posted, now: datetime) -> DeliveryOutcome:
    """Returns the outcome that the answer to a forwarded event means."""
    status = posted.status
    if status is None:
        return DeliveryOutcome("pause", posted.error)
    if 200 <= status < 300:
        return DeliveryOutcome("delivered", status=status)
    trouble = f"it answered {status}"
    if status in _PAUSING:
        return DeliveryOutcome("pause", trouble, status, retry_after_seconds(posted.retry_after, now))
    return DeliveryOutcome("gone" if status == _GONE else "retry", trouble, status)


def next_delay(attempts: int, chance: float) -> float:
    """Returns the seconds until the next attempt; `chance` (0 to 1) spreads them by a fifth in each direction."""
    delay = _DELAYS[min(attempts, len(_DELAYS)) - 1] if attempts else 0
    return delay * (0.8 + 0.4 * chance)


def next_delay_of_pause(attempts: int, chance: float) -> float:
    """Returns the seconds until the next attempt of the event at which the target began to pause.

    Other events are tried first, because this event may be the cause. The pause is short, because the target may be the
    cause.
    """
    return min(next_delay(attempts, chance), _LONGEST_PAUSE)


def pause(failures: int, chance: float) -> float:
    """Returns the seconds to leave a target alone after this many failures in a row."""
    return min(2.0 ** min(failures - 1, 10), _LONGEST_PAUSE) * (0.8 + 0.4 * chance)


def waited_for(now: int) -> tuple[int, int]:
    """Returns the first and the last moment for which something still waits; later ones: the clock was set back."""
    return now + 1, now + _LONGEST_WAIT_SECONDS * _MICRO


def is_waited_for(until: int, now: int) -> bool:
    """Whether a delivery or a target still waits."""
    first, last = waited_for(now)
    return first <= until <= last


def queue_of(event: Event) -> str:
    """Returns the key within which an event must stay in order: its call if it has one, else the event itself."""
    kind: EventType = event.delivery.type
    call_id = event.fact.call_id
    return queue_of_call(call_id) if kind in ("callstart", "callend") and call_id else event.delivery.id


def queue_of_call(call_id: str) -> str:
    """Returns the key within which the events of this call stay in order."""
    return f"call {call_id}"


def target_id(name: str) -> str:
    """Returns the short id of a target, for the command line."""
    return sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class DeliveryAttempt:
    """One attempt for the event with this number, begun at `began_at` (unix microseconds).

    `is_repeated`: an earlier attempt for the event failed, or no failed event is left.
    """

    seq: int
    began_at: int
    is_repeated: bool


@dataclass(frozen=True, slots=True)
class HealthChange:
    """The consequences of an outcome.

    `trouble`: a message to the operator that the target begins to fail. `recovery`: it takes events again. `pulls`: all
    events that wait for their own time are due at once. `stops`: the target gets no more events. `refuses_event`: only
    this event is the trouble.
    """

    trouble: str = ""
    recovery: str = ""
    pulls: bool = False
    stops: bool = False
    refuses_event: bool = False


_NOTHING = HealthChange()


@dataclass(slots=True)
class TargetHealth:
    """Whether a target takes events, by its answers. For one thread at a time.

    An outcome counts only if its attempt began after the latest change: earlier attempts show nothing new. Events wait
    for their own time while the target refuses them; its first success makes all of them due. If those are refused
    again while others are taken, the next pull waits: a minute, then twice as long each time; but not if three new
    events in a row failed, because then the target was away.
    """

    state: TargetState = "taking"
    waits_until: int = 0
    """Nothing is sent to a paused target until then."""
    is_asked_to_wait: bool = False
    """Whether the target asked for the pause."""
    _noted_at: int = 0
    _failures: int = 0
    _was_away: bool = False
    _told: set[str] = field(default_factory=set)
    _refused: set[int] = field(default_factory=set)  # refused for their own sake, since the last success
    _owes_pull: bool = True  # an earlier run may have left events that wait
    _pulled_at: int = 0
    _pull_wait: int = 0
    _fresh_failures: int = 0  # failed first attempts since the last success
    _awaits_proof: bool = False  # it is not known yet whether the latest pull helped

    @classmethod
    def of_earlier_run(cls, *, is_stopped: bool, waits_until: int, now: int) -> "TargetHealth":
        """Returns the state that an earlier run left and that still holds: stopped, or asked for a pause until then."""
        if is_stopped:
            return cls(state="stopped")
        if not is_waited_for(waits_until, now):
            return cls(state="paused") if waits_until else cls()
        return cls(state="paused", waits_until=waits_until, is_asked_to_wait=True)

    def room(self, now: int, most: int) -> int:
        """Returns how many deliveries may be in flight; a target that was away gets one."""
        if self.state == "stopped" or now < self.waits_until:
            return 0
        return 1 if self.state == "paused" else most

    def resume(self) -> None:
        """Takes an operator's order to try a paused or stopped target at once."""
        self.waits_until = self._failures = 0
        if self.state == "stopped":
            self._become("taking", self._noted_at)

    def note(self, outcome: DeliveryOutcome, attempt: DeliveryAttempt, now: int, chance: float) -> HealthChange:
        """Returns what the outcome changes. `chance` (0 to 1) spreads pauses."""
        if self.state == "stopped" or attempt.began_at < self._noted_at:
            self._owes_pull |= outcome.kind != "delivered"
            return _NOTHING
        match outcome.kind:
            case "delivered":
                return self._note_success(attempt, now)
            case "retry":
                return self._note_refusal(outcome, attempt, now)
            case "pause":
                return self._note_pause(outcome, attempt, now, chance)
            case "gone":
                self._become("stopped", now)
                return HealthChange(
                    trouble=tr("answers {status}: it wants no more events", status=outcome.status), stops=True
                )
            case _:
                return _NOTHING

    def _note_success(self, attempt: DeliveryAttempt, now: int) -> HealthChange:
        self._failures = 0
        self._refused.clear()
        if attempt.is_repeated and self._awaits_proof:
            self._pull_wait, self._awaits_proof = 0, False
        is_time = now >= self._pulled_at + self._pull_wait * _MICRO or self._fresh_failures >= _FAILURES_OF_AN_OUTAGE
        self._fresh_failures = 0
        pulls = self._owes_pull and is_time
        if pulls:
            self._owes_pull, self._pulled_at, self._awaits_proof = False, now, True
        if self.state == "taking":
            return HealthChange(pulls=pulls)
        if not attempt.is_repeated:  # repeated attempts may fail again, each for itself
            if self.state == "paused":
                self._become("refusing", now)
            return HealthChange(pulls=pulls)
        recovery = tr("answers again") if self._was_away else tr("takes events again")
        self._become("taking", now)
        return HealthChange(recovery=recovery, pulls=pulls)

    def _note_refusal(self, outcome: DeliveryOutcome, attempt: DeliveryAttempt, now: int) -> HealthChange:
        if outcome.status is None:
            return HealthChange(refuses_event=True)  # nothing was sent
        if outcome.status in _OF_ONE_EVENT:
            self._refused.add(attempt.seq)
            if self.state == "taking" and len(self._refused) == 1:
                return HealthChange(refuses_event=True)
        self._note_failure(attempt)
        self._failures = self.waits_until = 0
        if self.state != "refusing":
            self._become("refusing", now)
        if 300 <= outcome.status < 400:
            return self._telling(tr("answers {status} to events (redirects are not followed)", status=outcome.status))
        return self._telling(tr("answers {status} to events", status=outcome.status))

    def _note_failure(self, attempt: DeliveryAttempt) -> None:
        self._owes_pull = True
        self._fresh_failures += not attempt.is_repeated
        if attempt.is_repeated and self._awaits_proof:
            self._pull_wait = min(max(2 * self._pull_wait, _FIRST_PULL_WAIT), _DELAYS[-1])
            self._awaits_proof = False

    def _note_pause(self, outcome: DeliveryOutcome, attempt: DeliveryAttempt, now: int, chance: float) -> HealthChange:
        self._note_failure(attempt)
        self._failures += 1
        asked = outcome.seconds
        if asked is None:
            seconds = pause(self._failures, chance)
        else:
            seconds = min(max(asked, _SHORTEST_PAUSE), LONGEST_RETRY_AFTER_SECONDS)
        self._become("paused", now)
        self.waits_until, self.is_asked_to_wait = now + int(seconds * _MICRO), asked is not None
        if outcome.status is None:
            self._was_away = True
            return self._telling(tr("cannot be reached ({problem})", problem=outcome.trouble))
        words = tr("answers {status} to events", status=outcome.status)
        return self._telling(words, "" if asked is None else _waiting_words(asked))

    def _become(self, state: TargetState, now: int) -> None:
        self.state, self._noted_at = state, now
        self.waits_until, self.is_asked_to_wait = 0, False
        if state == "taking":
            self._told.clear()
            self._was_away, self._pull_wait = False, 0

    def _telling(self, words: str, detail: str = "") -> HealthChange:
        """Returns the change with a trouble, which is reported once until the target takes events again."""
        if words in self._told:
            return _NOTHING
        self._told.add(words)
        return HealthChange(trouble=joined("", [words, detail]))


def _waiting_words(asked: float) -> str:
    if asked <= LONGEST_RETRY_AFTER_SECONDS:
        return tr(" and asks for a pause of {seconds} s", seconds=round(asked))
    return tr(
        " and asks for a pause of {seconds} s (the next attempt is after {most} s)",
        seconds=round(asked),
        most=round(LONGEST_RETRY_AFTER_SECONDS),
    )


@dataclass(frozen=True, slots=True)
class TargetStanding:
    """The state of a target: how many deliveries wait or run, and how many are dead letters.

    Moments are unix microseconds. The oldest delivery has waited since `oldest_at`; the state began at `changed_at`;
    `waits_until` is the end of a pause that the target asked for; `resumed_at` is the last order of an operator to try
    at once. Missing moments are 0.
    """

    name: str
    label: str
    state: TargetState
    changed_at: int
    trouble: str
    waiting: int
    dead: int
    oldest_at: int | None
    waits_until: int
    resumed_at: int


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """An event that waits for a target, or is a dead letter. `id` and `seq` are the event's; moments are unix µs."""

    id: str
    seq: int
    type: EventType
    received_at: int
    target: str
    state: str
    attempts: int
    born_at: int
    due_at: int
    trouble: str


@dataclass(frozen=True, slots=True)
class OutboxSelection:
    """Some entries: for these targets (by name), in these states, for these events (by number; empty: all events)."""

    targets: Sequence[str]
    states: Sequence[str] = (DUE, DEAD)
    events: Sequence[int] = ()


def is_of_notices(target: str) -> bool:
    """Returns whether this target (by name) receives messages about missed calls, and nothing else."""
    return target.startswith("notify ")


def waiting_text(one: TargetStanding) -> str:
    """Returns `6 missed calls wait` for a target of notices, `6 events wait, 1 dead letter` for another."""
    if not is_of_notices(one.name) or not one.waiting:
        return counts_text(one.waiting, one.dead)
    return ngettext("{n} missed call waits", "{n} missed calls wait", one.waiting)


def counts_text(waiting: int, dead: int) -> str:
    """Returns `6 events wait, 1 dead letter`, or `nothing waits`."""
    letters = [ngettext("{n} dead letter", "{n} dead letters", dead)] if dead else []
    waits = [ngettext("{n} event waits", "{n} events wait", waiting)] if waiting else []
    return joined(", ", waits + letters) if waits or letters else tr("nothing waits")
