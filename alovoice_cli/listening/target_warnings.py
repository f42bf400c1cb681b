"""Messages to the operator about the outbox's targets: each trouble once, with the command that helps."""

import time
from collections.abc import Callable, Sequence

from alovoice_cli.events.outbox import (
    INTERRUPTED,
    DeliveryOutcome,
    HealthChange,
    TargetStanding,
    counts_text,
    is_of_notices,
    target_id,
)
from alovoice_cli.language import mark, ngettext, tr
from alovoice_cli.listening.targets import Target

_GIVE_UP_LINE_SECONDS = 60.0


class OutboxCommands:
    """The command lines for orders to the outbox. `store_words` are the words that name the same store."""

    def __init__(self, store_words: Sequence[str]) -> None:
        self._store_words = store_words

    def __call__(self, verb: str, *words: str) -> str:
        """Returns the command line in backquotes."""
        return f"`{' '.join(['alovoice events outbox', verb, *words, *self._store_words])}`"


class TargetWarnings:
    """The messages about one target. For any thread."""

    def __init__(self, target: Target, complain: Callable[[str], None], commands: OutboxCommands) -> None:
        self._target, self._complain, self._commands = target, complain, commands
        self._waited = 0
        self._given_up = 0
        self._given_up_told_at = float("-inf")
        self._given_up_why = ""

    def tell(self, change: HealthChange, waiting: int) -> None:
        """Reports when the target begins to fail, and when it takes events again, with the most waiting events.

        `waiting` is the number of waiting events, counted when the target begins or ends to fail, or all are due.
        """
        label = self._target.label
        self._waited = max(self._waited, waiting)
        if change.stops:
            starts = self._commands("retry", "--target", target_id(self._target.name))
            self._complain(
                tr(
                    "{target} {problem}; {counts}; {command} sends them anyway",
                    target=label,
                    problem=change.trouble,
                    counts=counts_text(0, waiting),
                    command=starts,
                )
            )
        elif change.trouble:
            self._complain(
                tr("{target} {problem}; {counts}", target=label, problem=change.trouble, counts=counts_text(waiting, 0))
            )
        if change.recovery:
            self._complain(
                ngettext(
                    "{target} {recovery}: {n} event was waiting for it",
                    "{target} {recovery}: {n} events were waiting for it",
                    self._waited,
                    target=label,
                    recovery=change.recovery,
                )
            )
            self._waited = 0

    def tell_refused(self, event_id: str, outcome: DeliveryOutcome) -> None:
        """Reports that the target refuses this event."""
        if outcome.status is None:
            text = tr(
                "{target}: event {id} was not sent ({problem}): the listener tries again for 72 hours",
                target=self._target.label,
                id=event_id,
                problem=outcome.trouble,
            )
        else:
            text = tr(
                "{target} answers {status} to event {id}: the listener tries again for 72 hours",
                target=self._target.label,
                id=event_id,
                status=outcome.status,
            )
        self._complain(text)

    def tell_given_up(self, event_id: str, outcome: DeliveryOutcome) -> None:
        """Reports a dead letter: a line for each event, but one line a minute for events that waited too long."""
        if outcome.kind == "dead":
            again = self._commands("retry", event_id, "--target", target_id(self._target.name))
            text = (
                mark("{target}: event {id} is given up: {problem}; {command} runs the program again")
                if self._target.command
                else mark("{target}: event {id} is given up: {problem}; {command} sends it again")
            )
            self._complain(tr(text, target=self._target.label, id=event_id, problem=outcome.trouble, command=again))
            return
        self._given_up += 1
        self._given_up_why = outcome.trouble
        self.tell_count()

    def tell_count(self, *, last: bool = False) -> None:
        """Reports how many events were given up since the last report, once a minute."""
        is_time = last or time.monotonic() - self._given_up_told_at > _GIVE_UP_LINE_SECONDS
        if not self._given_up or not is_time:
            return
        count, self._given_up, self._given_up_told_at = self._given_up, 0, time.monotonic()
        again = self._commands("retry", "--target", target_id(self._target.name))
        self._complain(
            ngettext(
                "{target}: {n} event is given up after 72 hours ({problem}); {command} sends it again",
                "{target}: {n} events are given up after 72 hours ({problem}); {command} sends them again",
                count,
                target=self._target.label,
                problem=self._given_up_why,
                command=again,
            )
        )


def interrupted_line(name: str, label: str, event_id: str, commands: OutboxCommands) -> str:
    """Returns the message about a program that was running when its listener died."""
    again = commands("retry", event_id, "--target", target_id(name))
    return tr(
        "{target}: event {id}: {problem}; {command} runs the program again",
        target=label,
        id=event_id,
        problem=INTERRUPTED,
        command=again,
    )


def start_lines(standing: Sequence[TargetStanding], own: Sequence[Target], commands: OutboxCommands) -> list[str]:
    """Returns the messages at the start of forwarding: stopped targets, and events of removed targets."""
    names = {target.name for target in own}
    orphans = [_orphan_line(one, commands) for one in standing if one.waiting and one.name not in names]
    return [_stopped_line(one, commands) for one in standing if one.state == "stopped" and one.name in names] + orphans


def _stopped_line(one: TargetStanding, commands: OutboxCommands) -> str:
    starts = commands("retry", "--target", target_id(one.name))
    return tr(
        "{target} gets no events because it answered 410: {counts}; {command} sends them again",
        target=one.label,
        counts=counts_text(0, one.dead),
        command=starts,
    )


def _orphan_line(one: TargetStanding, commands: OutboxCommands) -> str:
    chosen = ("--target", target_id(one.name))
    what = (
        ngettext(
            "{n} missed call waits for {target}, which is no longer a target",
            "{n} missed calls wait for {target}, which is no longer a target",
            one.waiting,
            target=one.label,
        )
        if is_of_notices(one.name)
        else ngettext(
            "{n} event waits for {target}, which is no longer a target",
            "{n} events wait for {target}, which is no longer a target",
            one.waiting,
            target=one.label,
        )
    )
    drop = commands("drop", *chosen)
    if not one.name.startswith("forward "):
        return tr("{what}: {command} removes them", what=what, command=drop)
    move = commands("retry", "--to", "URL", *chosen)
    return tr("{what}: {move} sends them to another target, {command} removes them", what=what, move=move, command=drop)
