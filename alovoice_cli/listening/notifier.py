"""Reports missed calls to one chat, program or URL: a thread that sends the store's notices, one message at a time.

A message is durable before it is sent, and its delivered text is durable before the next one. So a message that a
killed listener may have sent is sent once more, and none is lost. A failed message is tried again with growing pauses,
for 72 hours.
"""

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo

from alovoice_cli.events.notices import (
    MOST_A_MINUTE,
    REPEATED_WITHIN_SECONDS,
    JudgedNotice,
    NoticeMessage,
    NoticeWording,
    is_time_for_a_message,
    message_text,
    next_message,
)
from alovoice_cli.events.outbox import (
    LONGEST_RETRY_AFTER_SECONDS,
    DeliveryOutcome,
    TargetState,
    is_waited_for,
    next_delay,
    pause,
)
from alovoice_cli.language import ngettext, tr
from alovoice_cli.listening.dispatch import OutboxAccess, outbox_troubles
from alovoice_cli.listening.messengers import MessageOutcome, Messenger, TelegramBot
from alovoice_cli.listening.targets import Target
from alovoice_cli.stores.event_file import Change
from alovoice_cli.stores.notices import (
    Notices,
    StoredMessage,
    begun_message,
    dropped_message,
    dropped_old,
    failed_message,
    joined_message,
    moved_chat,
    settled_notices,
    told_message,
    tried_message,
)
from alovoice_cli.stores.outbox import noted_state

_LOOK_SECONDS = 1.0
_DURABLE_SECONDS = 0.2
_LAST_SECONDS = 3.0
_SHORTEST_PAUSE_SECONDS = 1.0
_MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class NotifyPlan:
    """The targets for missed calls, their grace in seconds, the bot, and the form of times and extensions."""

    targets: Sequence[Target] = ()
    grace_seconds: int = 90
    bot: TelegramBot | None = None
    zone: tzinfo = UTC
    extension: Callable[[str], str] = str


class Notifier:
    """The thread of one target. `wake` tells it that calls may have changed."""

    def __init__(
        self, target: Target, messenger: Messenger, notices: Notices, access: OutboxAccess, wording: NoticeWording
    ) -> None:
        self.target, self.messenger = target, messenger
        self._notices, self._access, self._wording = notices, access, wording
        self._state: TargetState = "taking"
        self._failures = 0
        self._waits_until = 0
        self._resumed_at = 0
        self._told: set[str] = set()
        self._sent_at: list[int] = []  # attempts of this process; the store has those of an earlier one
        self._chat = ""
        self._left_chats: set[str] = set()  # since the last delivered message
        self._has_news = True
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="notifier", daemon=True)

    def start(self) -> None:
        """Starts, with the notices of an earlier run."""
        self._thread.start()

    def wake(self) -> None:
        """Tells the thread that there are changes: it looks within a second."""
        self._has_news = True

    def halt(self) -> None:
        """Sends no more messages."""
        self._ending.set()

    def stop(self) -> None:
        """Waits a while for the message in flight; unsent notices stay in the store."""
        self.halt()
        if self._thread.is_alive():
            self._thread.join(_LAST_SECONDS)

    def _run(self) -> None:
        trouble = ""
        is_begun = False
        while not self._ending.is_set():
            try:
                if not self._access.outbox.tells_people:
                    is_begun = False
                elif is_begun:
                    self._look()
                    trouble = ""
                else:
                    self._begin()
                    is_begun = True
                    continue
            except Exception as fault:  # whatever the fault is, the notices are safe in the store: it is reported once
                is_known = isinstance(fault, outbox_troubles())
                said = str(fault) if is_known else f"{type(fault).__name__}: {fault}"
                if said != trouble:
                    trouble = said
                    self._access.complain(
                        tr(
                            "{target}: missed calls are not reported now ({problem})",
                            target=self.target.label,
                            problem=said,
                        )
                    )
            self._ending.wait(_LOOK_SECONDS)

    def _begin(self) -> None:
        """Reads the state of an earlier run, and drops notices that are too old to report."""
        name, now = self.target.name, self._access.clock()
        self._chat = self._notices.chat(name)
        self._resumed_at = self._access.outbox.resumed_at(name)
        standing = next((one for one in self._access.outbox.standing() if one.name == name), None)
        if standing is not None:
            is_waiting = is_waited_for(standing.waits_until, now)
            self._state, self._waits_until = standing.state, standing.waits_until if is_waiting else 0
        self._sent_at = self._notices.sent_at(name, now)
        self._drop_old(now)

    def _drop_old(self, now: int) -> None:
        """Drops notices that could not be reported for 72 hours."""
        if count := self._notices.old(self.target.name, now):
            self._durable(dropped_old(self.target.name, now))
            self._access.complain(
                ngettext(
                    "{target}: {n} missed call is older than 72 hours and will not be reported",
                    "{target}: {n} missed calls are older than 72 hours and will not be reported",
                    count,
                    target=self.target.label,
                )
            )

    def _look(self) -> None:
        if self._state != "taking":
            resumed_at = self._access.outbox.resumed_at(self.target.name)
            if resumed_at != self._resumed_at:  # `events outbox retry` ordered an attempt at once
                self._resumed_at, self._waits_until, self._failures = resumed_at, 0, 0
        while not self._ending.is_set() and self._sends_one():
            pass

    def _sends_one(self) -> bool:
        """Sends or edits a message that is due; returns False if there is none."""
        now = self._access.clock()
        self._sent_at = self._sent_at[-MOST_A_MINUTE:]
        if now < self._waits_until or not is_time_for_a_message(self._sent_at, now, is_full=True):
            return False
        message = self._notices.unsent(self.target.name) or self._new_message(now) or self._changed_message(now)
        return message is not None and self._send(message, now)

    def _new_message(self, now: int) -> StoredMessage | None:
        """Makes a message of the notices whose grace is over and whose callers nobody talked to."""
        name = self.target.name
        due = self._notices.due(name, now)
        settled = [one.notice.seq for one in due if one.is_settled]
        if settled and not self._durable(settled_notices(name, settled)):
            return None
        pending = self._not_joined([one for one in due if not one.is_settled and not one.is_talking], now)
        chosen = next_message(pending, self._sent_at, now, self._wording)
        numbers = [one.notice.seq for one in chosen]
        is_full = len(chosen) < len(pending)
        if not is_time_for_a_message(self._sent_at, now, is_full=is_full):
            return None
        if not numbers or not self._durable(begun_message(name, numbers, now)):
            return None
        return self._notices.unsent(name)

    def _not_joined(self, pending: Sequence[JudgedNotice], now: int) -> list[JudgedNotice]:
        """Returns the notices without those of callers in a recent message: that message will be edited."""
        name, since = self.target.name, now - REPEATED_WITHIN_SECONDS * _MICRO
        joined: set[int] = set()
        for message, notices in self._notices.messages_of_callers(name, pending, since).items():
            numbers = [one.notice.seq for one in notices]
            if self._durable(joined_message(name, numbers, message)):
                joined.update(numbers)
                self._has_news = True
        return [one for one in pending if one.notice.seq not in joined]

    def _changed_message(self, now: int) -> StoredMessage | None:
        """Returns the first outdated message."""
        if not self._has_news or not is_time_for_a_message(self._sent_at, now):
            return None
        self._has_news = False
        for message in self._notices.changed(self.target.name, now):
            judged = self._notices.of_message(self.target.name, message.id, now)
            if message_text(judged, message.made_at, self._wording) != message.text:
                self._has_news = True  # there may be more
                return message
            if any(one.notice.state == "telling" or one.is_settled for one in judged):
                self._access.change(told_message(self.target.name, message, judged))
        return None

    def _send(self, message: StoredMessage, now: int) -> bool:
        name = self.target.name
        judged = self._notices.of_message(name, message.id, now)
        if not judged:  # the events were pruned
            return self._durable(dropped_message(name, message.id))
        text = message_text(judged, message.made_at, self._wording)
        if not self._durable(tried_message(name, message.id, now)):
            return False
        self._sent_at.append(self._access.clock())
        try:
            outcome = self.messenger.send(NoticeMessage(message.id, text, judged, message.remote_id), self._chat)
        except Exception as fault:
            outcome = MessageOutcome(DeliveryOutcome("retry", f"{type(fault).__name__}: {fault}"))
        self._sent_at[-1] = self._access.clock()  # a slow server may count the message as late as this
        if outcome.moved_to:
            return self._move(outcome)
        if not outcome.is_delivered and self._ending.is_set():
            return False  # maybe only because of the chat
        if not outcome.is_delivered:
            self._access.change(failed_message(name, message.id))
            self._note_failure(outcome.delivery)
            return False
        self._note_success()
        told = replace(message, text=text, remote_id=message.remote_id or outcome.remote_id)
        return self._durable(told_message(name, told, judged))

    def _move(self, outcome: MessageOutcome) -> bool:
        """Stores the chat's new id and continues there; a chat that moves in circles is a failure."""
        self._left_chats |= {self._chat, self.target.chat}
        if outcome.moved_to in self._left_chats:
            self._note_failure(DeliveryOutcome("retry", outcome.delivery.trouble, outcome.delivery.status))
            return False
        self._chat = outcome.moved_to
        self._access.complain(
            tr(
                "the id of chat {target} has changed: messages now go to telegram:{chat}; use this id with --notify",
                target=self.target.label,
                chat=self._chat,
            )
        )
        return self._durable(moved_chat(self.target.name, self._chat))

    def _durable(self, change: Change) -> bool:
        """Makes the change; returns whether it is durable.

        Returns False if the listener ends before the store takes it.
        """
        is_made, answered, is_allowed = threading.Event(), threading.Event(), threading.Event()

        def made(done: bool) -> None:
            if done and is_allowed.is_set():
                is_made.set()
            answered.set()

        def tell(may: bool) -> None:
            if may:
                is_allowed.set()
            else:
                is_allowed.clear()

        self._access.change(self._access.outbox.fenced(change, tell), made)
        while not answered.wait(_DURABLE_SECONDS):
            if self._ending.is_set():
                return False
        return is_made.is_set()

    # --- the state of the target

    def _note_success(self) -> None:
        self._failures = self._waits_until = 0
        self._left_chats.clear()
        if self._state != "taking":
            self._told.clear()
            self._access.complain(tr("{target} accepts messages again", target=self.target.label))
            self._note_state("taking", DeliveryOutcome("delivered"))

    def _note_failure(self, outcome: DeliveryOutcome) -> None:
        self._failures += 1
        self._drop_old(self._access.clock())
        chance = random.random()  # noqa: S311 - spreads retries only
        if outcome.seconds is not None:
            seconds = min(max(outcome.seconds, _SHORTEST_PAUSE_SECONDS), LONGEST_RETRY_AFTER_SECONDS)
        elif outcome.kind == "pause":
            seconds = pause(self._failures, chance)
        else:
            seconds = next_delay(self._failures, chance)
        self._waits_until = self._access.clock() + int(seconds * _MICRO)
        self._note_state("paused" if outcome.kind == "pause" else "refusing", outcome)
        kind = str(outcome.status or outcome.trouble)
        if kind not in self._told:  # each kind once, until the target takes messages again
            self._told.add(kind)
            self._access.complain(self._failure_text(outcome))

    def _failure_text(self, outcome: DeliveryOutcome) -> str:
        if outcome.seconds is None:
            return tr(
                "{target} does not accept messages ({problem}): the listener tries again for 72 hours",
                target=self.target.label,
                problem=outcome.trouble,
            )
        return tr(
            "{target} does not accept messages ({problem}) and asks for a pause of {seconds} s: the listener tries"
            " again for 72 hours",
            target=self.target.label,
            problem=outcome.trouble,
            seconds=round(outcome.seconds),
        )

    def _note_state(self, state: TargetState, outcome: DeliveryOutcome) -> None:
        self._state = state
        until = self._waits_until if outcome.seconds is not None else 0
        name, label, now = self.target.name, self.target.label, self._access.clock()
        self._access.change(noted_state(name, label, state, outcome.trouble, until, now))
