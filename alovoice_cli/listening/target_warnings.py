"""What the operator is told of the outbox's targets: each trouble once, with the command that helps."""

import time
from collections.abc import Callable, Sequence

from alovoice_cli.events.outbox import (
    INTERRUPTED,
    DeliveryOutcome,
    HealthChange,
    TargetStanding,
    counts_text,
    events_text,
    is_of_notices,
    target_id,
    waiting_text,
)
from alovoice_cli.listening.targets import Target

_GIVE_UP_LINE_SECONDS = 60.0


class OutboxCommands:
    """The command lines that order something of the outbox. `store_words` are the words that name the same store."""

    def __init__(self, store_words: Sequence[str]) -> None:
        self._store_words = store_words

    def __call__(self, verb: str, *words: str) -> str:
        """The command line, in marks that set it off."""
        return f"`{' '.join(['alovoice events outbox', verb, *words, *self._store_words])}`"


class TargetWarnings:
    """Tells of one target. For any thread."""

    def __init__(self, target: Target, complain: Callable[[str], None], commands: OutboxCommands) -> None:
        self._target, self._complain, self._commands = target, complain, commands
        self._waited = 0
        self._given_up = 0
        self._given_up_told_at = float("-inf")
        self._given_up_why = ""

    def tell(self, change: HealthChange, waiting: int) -> None:
        """One line when the target begins to fail, one when it takes events again, with the most that waited.

        `waiting` are waiting now; it counts where the target begins or ends to fail, or the backlog is pulled forward.
        """
        label = self._target.label
        self._waited = max(self._waited, waiting)
        if change.stops:
            starts = self._commands("retry", "--target", target_id(self._target.name))
            self._complain(f"{label} {change.trouble}; {counts_text(0, waiting)}; {starts} sends them all the same")
        elif change.trouble:
            self._complain(f"{label} {change.trouble}; {counts_text(waiting, 0)}")
        if change.recovery:
            self._complain(f"{label} {change.recovery}: {events_text(self._waited)} waited for it")
            self._waited = 0

    def tell_refused(self, event_id: str, outcome: DeliveryOutcome) -> None:
        """The target does not take this one event."""
        label, again = self._target.label, "it is tried again for 72 hours"
        if outcome.status is None:
            self._complain(f"{label}: event {event_id} is not sent ({outcome.trouble}): {again}")
        else:
            self._complain(f"{label} answers {outcome.status} to event {event_id}: {again}")

    def tell_given_up(self, event_id: str, outcome: DeliveryOutcome) -> None:
        """An event became a dead letter: a line for each, but of events that nobody took for long one line a minute."""
        if outcome.kind == "dead":
            again = self._commands("retry", event_id, "--target", target_id(self._target.name))
            label, verb = self._target.label, "starts" if self._target.command else "sends"
            self._complain(f"{label}: event {event_id} is given up: {outcome.trouble}; {again} {verb} it again")
            return
        self._given_up += 1
        self._given_up_why = outcome.trouble
        self.tell_count()

    def tell_count(self, *, last: bool = False) -> None:
        """How many events were given up since the last line about them; nothing before a minute has passed."""
        is_time = last or time.monotonic() - self._given_up_told_at > _GIVE_UP_LINE_SECONDS
        if not self._given_up or not is_time:
            return
        count, self._given_up, self._given_up_told_at = self._given_up, 0, time.monotonic()
        again = self._commands("retry", "--target", target_id(self._target.name))
        what = f"{events_text(count)} given up after 72 hours ({self._given_up_why})"
        self._complain(f"{self._target.label}: {what}; {again} sends them again")


def interrupted_line(name: str, label: str, event_id: str, commands: OutboxCommands) -> str:
    """What is to be told of a program that ran when its listener died."""
    again = commands("retry", event_id, "--target", target_id(name))
    return f"{label}: event {event_id}: {INTERRUPTED}; {again} starts it again"


def start_lines(standing: Sequence[TargetStanding], own: Sequence[Target], commands: OutboxCommands) -> list[str]:
    """What is to be told when forwarding begins: targets that were stopped, and events of targets that are gone."""
    names = {target.name for target in own}
    orphans = [_orphan_line(one, commands) for one in standing if one.waiting and one.name not in names]
    return [_stopped_line(one, commands) for one in standing if one.state == "stopped" and one.name in names] + orphans


def _stopped_line(one: TargetStanding, commands: OutboxCommands) -> str:
    starts = commands("retry", "--target", target_id(one.name))
    return f"{one.label} gets no events, for it answered 410: {counts_text(0, one.dead)}; {starts} sends them again"


def _orphan_line(one: TargetStanding, commands: OutboxCommands) -> str:
    chosen = ("--target", target_id(one.name))
    drops = f"{commands('drop', *chosen)} drops them"
    if one.name.startswith("forward "):
        drops = f"{commands('retry', '--to', 'URL', *chosen)} hands them over, {drops}"
    waits = "waits" if one.waiting == 1 else "wait"
    what = waiting_text(one) if is_of_notices(one.name) else f"{events_text(one.waiting)} {waits}"
    return f"{what} for {one.label}, which is no target any more: {drops}"
