"""Builds the listener, runs it until a signal, and ends it without losing anything."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from alovoice_cli.errors import AlovoiceError, ExitCode
from alovoice_cli.events.answers import CrmAnswer
from alovoice_cli.events.event import CALL_TYPES, PBX_TYPES, Delivery, Event, EventType
from alovoice_cli.events.notices import NoticeWording
from alovoice_cli.events.receiver import Door, Receiver
from alovoice_cli.language import spaced, tr
from alovoice_cli.listening.admin import AdminPlan, AdminServer
from alovoice_cli.listening.bridge import Bridge, queued_deliveries
from alovoice_cli.listening.forwarding import Forwarder, ForwardOptions, Post, Relay
from alovoice_cli.listening.hooks import Hook
from alovoice_cli.listening.messengers import MessengerOptions, messenger_of
from alovoice_cli.listening.notifier import NotifyPlan
from alovoice_cli.listening.outbox_workers import OutboxForwarding
from alovoice_cli.listening.printer import Printer
from alovoice_cli.listening.probe import prove
from alovoice_cli.listening.routes import RouteAnswerer
from alovoice_cli.listening.store_side import forwarding_of, writer_of
from alovoice_cli.listening.systemd import Heartbeat
from alovoice_cli.listening.target_warnings import OutboxCommands
from alovoice_cli.listening.targets import EventReader, Target
from alovoice_cli.serving.limits import Limits
from alovoice_cli.serving.server import SocketServer
from alovoice_cli.stores.event_engine import store_name
from alovoice_cli.stores.event_file import QueuedFor
from alovoice_cli.stores.event_rows import QueuedDelivery
from alovoice_cli.stores.event_writer import EventStoreCallbacks
from alovoice_cli.stores.events import StoredAnswers
from alovoice_cli.stores.finished_calls import CallTarget, NoticeTarget
from alovoice_cli.stores.notices import Notices
from alovoice_cli.stores.outbox import Outbox

LIMITS = Limits(body_bytes=1 << 20, request_deadline=timedelta(seconds=10), connections=256)
_PRINT_SECONDS = 3.0
# Each statement releases the interpreter's lock. With Python's usual 5 ms the writer would wait that long to take it
# back from a busy loop, several times in each commit.
_SWITCH_SECONDS = 0.0005


class Shown(Protocol):
    """The output of the listener's owner."""

    def ready(self, urls: Mapping[str, str], told: Mapping[str, object]) -> None:
        """Called when the listener's test request has succeeded: its URLs by type of event, and `told` for a script."""

    def event(self, event: Event) -> None:
        """Called when an event is stored."""

    def complain(self, text: str) -> None:
        """Shows a message for the operator."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The tasks of a listener. Times are in seconds."""

    store_url: str
    spool_folder: Path
    door: Door
    host: str
    port: int
    routes: RouteAnswerer
    targets: Sequence[Target] = ()
    forward_timeout: float = 2.0
    forward: ForwardOptions = field(default_factory=ForwardOptions)
    tls: tuple[str, str] | None = None
    environ: Mapping[str, str] = field(default_factory=dict)
    ready_file: Path | None = None
    repeats: bool = False
    """Whether repeated deliveries are forwarded too."""
    admin: AdminPlan | None = None
    notify: NotifyPlan = field(default_factory=NotifyPlan)
    store_words: Sequence[str] = ()
    """The words with which another command names the same store, such as `--store URL`."""


class Listener:
    """One listener. `run` binds the port, tests the way to the store, and serves until it ends; it is used once."""

    def __init__(
        self,
        plan: Plan,
        shown: Shown,
        post: Post,
        as_json: EventReader,
        now: Callable[[], datetime],
    ) -> None:
        self._plan, self._shown, self._now = plan, shown, now
        self._problem: AlovoiceError | None = None
        self._bridge = Bridge()
        call_targets = [CallTarget(one.name, kind) for one in plan.targets for kind in CALL_TYPES if kind in one.kinds]
        notice_targets = [NoticeTarget(one.name, plan.notify.grace_seconds) for one in plan.notify.targets]
        bridge = self._bridge
        callbacks = EventStoreCallbacks(
            bridge.settled, bridge.happened, shown.complain, lambda: self._stop(ExitCode.SERVER), bridge.kept
        )
        queued = QueuedFor(self._queued, call_targets, notice_targets, self._queue_moment)
        self._writer = writer_of(plan.store_url, plan.spool_folder, queued, callbacks, now)
        self._printer = Printer(shown.event, shown.complain, lambda: self._stop(ExitCode.READER_GONE))
        self._forwarders = {
            target: Forwarder(target, post, now, plan.forward, as_json) for target in plan.targets if target.url
        }
        self._hooks = {target: Hook(target, plan.environ, as_json) for target in plan.targets if target.command}
        options = MessengerOptions(plan.notify.bot, plan.forward, plan.environ)
        self._messengers = {one: messenger_of(one, post, now, options) for one in plan.notify.targets}
        self._relay = self._asking()
        self._outbox: OutboxForwarding | None = None
        self._server: SocketServer | None = None
        self._heartbeat = Heartbeat(lambda: self._writer.trouble, plan.environ, plan.ready_file, shown.complain)
        self._beating: asyncio.Task[None] | None = None
        self._admin: AdminServer | None = None
        self._is_proven = False
        self._clock_offset_us = int(now().timestamp() * 1_000_000) - time.monotonic_ns() // 1000

    def run(self) -> int:
        """Serves until a signal, and returns the exit code.

        Raises UsageError if the store or the address is not available, CheckFailedError if the test request fails.
        """
        self._writer.start()
        sys.setswitchinterval(_SWITCH_SECONDS)
        try:
            duties = _Duties(self._bridge, self._relay, self._plan.routes, self._shown.complain)
            receiver = Receiver(self._plan.door, duties, self._now)
            self._bridge.attach(self._writer)
            self._printer.start()
            self._plan.routes.start()
            self._start_admin()
            self._server = self._bound(receiver)
            self._start_forwarding()
            self._bridge.watchers.append(self._hear)
            code = self._server.run(self._ready)
        finally:
            self._end()
        if self._problem is not None:
            raise self._problem
        return code

    def _bound(self, receiver: Receiver) -> SocketServer:
        plan = self._plan
        return SocketServer(
            receiver,
            host=plan.host,
            port=plan.port,
            allow_public=True,
            limits=LIMITS,
            complain=self._shown.complain,
            started=self._prove,
            tls=plan.tls,
            overfull=receiver.overfull,
            answered=self._note_answer if plan.admin is not None else None,
        )

    def _start_admin(self) -> None:
        plan = self._plan.admin
        if plan is not None:
            plan.metrics.follow("alovoice_ready", "1 while /ready answers 200.", lambda: not self._not_ready())
            plan.metrics.follow_outbox(Outbox(self._plan.store_url), self._clock)
            if self._plan.notify.targets:
                plan.metrics.follow_notices(Notices(self._plan.store_url), self._plan.notify.targets)
            store, writer = store_name(self._plan.store_url), self._writer
            plan.metrics.follow_store(store, lambda: writer.is_spooling)
            self._admin = AdminServer(
                plan,
                lambda: self._heartbeat.is_alive,
                self._not_ready,
                lambda: {"store": store, "spooling": writer.is_spooling},
                self._shown.complain,
            )
            self._admin.start()

    def _note_answer(self, scope: MutableMapping[str, Any], status: int) -> None:
        assert self._plan.admin is not None
        self._plan.admin.metrics.note_answer(self._plan.door.kind_of(scope["path"]), status)

    def _not_ready(self) -> str:
        """Returns why deliveries are not taken now, or ''; for any thread."""
        if not self._is_proven:
            return "the listener is starting"
        return "the listener is ending" if self._is_ending() else self._writer.trouble

    def _is_ending(self) -> bool:
        return self._server is not None and self._server.is_ending

    def _asking(self) -> Relay | None:
        """Returns the CRM that answers callstarts: the first one that names them."""
        for target, forwarder in self._forwarders.items():
            if target.is_named and "callstart" in target.kinds:
                count = self._plan.admin.metrics.note_relay if self._plan.admin is not None else lambda _: None
                seconds, answer_to = self._plan.forward_timeout, StoredAnswers(self._plan.store_url).answer_to
                return Relay(forwarder, seconds, self._shown.complain, count, self._writer.change, answer_to)
        return None

    def _queued(self, event: Event) -> list[QueuedDelivery]:
        plan, asked = self._plan, self._relay.target if self._relay is not None else None
        return queued_deliveries(
            event, plan.targets, repeats=plan.repeats, asked=asked, ask_seconds=plan.forward_timeout
        )

    def _start_forwarding(self) -> None:
        plan = self._plan
        self._outbox = forwarding_of(
            plan.store_url,
            ({**self._forwarders, **self._hooks}, self._messengers),
            self._writer,
            self._shown.complain,
            self._clock,
            OutboxCommands(plan.store_words),
            NoticeWording(plan.notify.zone, plan.notify.extension),
        )
        self._outbox.start()

    async def _prove(self) -> None:
        assert self._server is not None
        try:
            await prove(
                self._server.url, self._plan.door.path("probe"), self._plan.store_url, lambda: self._writer.is_spooling
            )
        except AlovoiceError as problem:
            self._problem = problem
            self._stop(problem.exit_code)

    def _ready(self, url: str) -> None:
        if self._problem is not None:
            return
        urls = {str(kind): url + self._plan.door.path(kind) for kind in PBX_TYPES}
        told: dict[str, object] = {"ready": True, "urls": urls, "pid": os.getpid()}
        told["store"] = store_name(self._plan.store_url)
        if self._plan.notify.targets:
            told["notify"] = [target.label for target in self._plan.notify.targets]
        if self._admin is not None:
            told["admin"] = self._admin.url
        self._heartbeat.begin(json.dumps(told) + "\n")
        self._is_proven = True
        self._shown.ready(urls, told)
        self._beating = asyncio.get_running_loop().create_task(self._heartbeat.run(self._is_ending))

    def _hear(self, events: Sequence[Event]) -> None:
        self._printer.take(events)
        if self._outbox is not None:
            self._outbox.wake()

    def _queue_moment(self, received_at: int) -> int:
        """When a delivery began to wait, by the even clock: the wall clock, which may be set, tells its age alone."""
        age = int(self._now().timestamp() * 1_000_000) - received_at
        return self._clock() - max(age, 0)

    def _clock(self) -> int:
        return self._clock_offset_us + time.monotonic_ns() // 1000

    def _stop(self, code: int) -> None:
        if self._server is not None:
            self._server.stop(code)

    def _end(self) -> None:
        """Ends after the drain: deliveries in flight end, and all events are stored and printed."""
        self._heartbeat.end()
        if self._outbox is not None:
            self._outbox.stop()
        if self._relay is not None:
            self._relay.close()
        self._plan.routes.close()
        self._writer.close()
        if self._outbox is not None:
            self._outbox.release()
        self._printer.close(_PRINT_SECONDS)
        if self._admin is not None:
            self._admin.close()


class _Duties:
    """The receiver's duties, each with the part of the listener that does it."""

    def __init__(
        self, bridge: Bridge, relay: Relay | None, routes: RouteAnswerer, complain: Callable[[str], None]
    ) -> None:
        self.store, self.store_soon = bridge.store, bridge.store_soon
        self.keep_answer, self.kept_answer = bridge.keep_answer, bridge.kept_answer
        self.route = routes.answer
        self.asked = relay.target.name if relay is not None else None
        self._relay, self._complain = relay, complain
        self._told_too_large: set[EventType] = set()

    def tell_too_large(self, kind: EventType, size: int | None) -> None:
        """Reports the first too large body of each type: such a sender sends them again and again."""
        if kind not in self._told_too_large:
            self._told_too_large.add(kind)
            self._complain(_too_large_text(kind, size))

    def ask(self, delivery: Delivery) -> "asyncio.Task[CrmAnswer]":
        """Returns the CRM's answer."""
        assert self._relay is not None
        return self._relay.ask(delivery)

    def asked_elsewhere(self, first_id: str) -> "asyncio.Task[CrmAnswer]":
        """Returns the CRM's answer to a delivery that another listener received."""
        assert self._relay is not None
        return self._relay.asked_elsewhere(first_id)


def _too_large_text(kind: EventType, size: int | None) -> str:
    what = (
        tr("a {type} of unknown size is larger than {limit} bytes", type=kind, limit=spaced(LIMITS.body_bytes))
        if size is None
        else tr(
            "a {type} of {size} bytes is larger than {limit} bytes",
            type=kind,
            size=spaced(size),
            limit=spaced(LIMITS.body_bytes),
        )
    )
    answer = tr("the fallback step") if kind == "route" else "413"
    return tr(
        "{what}: such requests are not stored; they are answered with {answer}. This is reported once.",
        what=what,
        answer=answer,
    )
