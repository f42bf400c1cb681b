"""Builds the listener, runs it until a signal, and ends it so that nothing is lost."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from alovoice_cli.errors import AlovoiceError, ExitCode, UsageError
from alovoice_cli.events.answers import StartAnswer
from alovoice_cli.events.event import PBX_TYPES, Delivery, Event
from alovoice_cli.events.receiver import Door, Receiver
from alovoice_cli.listening.bridge import Bridge, queued_deliveries
from alovoice_cli.listening.dispatch import OutboxAccess
from alovoice_cli.listening.forwarding import Forwarder, Post, Relay, Signer
from alovoice_cli.listening.hooks import Hook
from alovoice_cli.listening.notify import notify, write_ready_file
from alovoice_cli.listening.outbox_holder import OutboxHolder
from alovoice_cli.listening.printer import Printer
from alovoice_cli.listening.probe import prove
from alovoice_cli.listening.routes import RouteAnswerer
from alovoice_cli.listening.target_warnings import OutboxCommands
from alovoice_cli.listening.targets import Target
from alovoice_cli.serving.limits import Limits
from alovoice_cli.serving.server import SocketServer
from alovoice_cli.stores.event_engine import sqlite_path
from alovoice_cli.stores.event_file import EventFile
from alovoice_cli.stores.event_rows import QueuedDelivery
from alovoice_cli.stores.event_writer import EventStoreCallbacks, EventWriter
from alovoice_cli.stores.outbox import Outbox
from alovoice_cli.stores.spool import Spool

LIMITS = Limits(body_bytes=1 << 20, request_deadline=timedelta(seconds=10), connections=256)
_PRINT_SECONDS = 3.0
# Each statement lets the interpreter's lock go: with Python's 5 ms the writer would wait that long to take it back
# from a busy loop, some times a commit.
_SWITCH_SECONDS = 0.0005


class Shown(Protocol):
    """What the listener's owner prints."""

    def ready(self, urls: Mapping[str, str], told: Mapping[str, object]) -> None:
        """The listener is proven to work: its URLs by type of event; `told` is what a script is told of it."""

    def event(self, event: Event) -> None:
        """An event is stored."""

    def complain(self, text: str) -> None:
        """Something that the operator should know."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a listener is to do. Times in seconds."""

    store_url: str
    door: Door
    host: str
    port: int
    routes: RouteAnswerer
    targets: Sequence[Target] = ()
    forward_timeout: float = 2.0
    signer: Signer | None = None
    tls: tuple[str, str] | None = None
    environ: Mapping[str, str] = field(default_factory=dict)
    ready_file: Path | None = None
    repeats: bool = False
    """Whether repeated deliveries are passed on too."""
    store_words: Sequence[str] = ()
    """The words by which another command finds the same store, such as `--store URL`."""


class Listener:
    """One listener. `run` binds, proves itself, and serves until it ends; it may be used once."""

    def __init__(
        self,
        plan: Plan,
        shown: Shown,
        post: Post,
        as_json: Callable[[Delivery], Mapping[str, object]],
        now: Callable[[], datetime],
    ) -> None:
        self._plan, self._shown, self._now = plan, shown, now
        self._problem: AlovoiceError | None = None
        self._bridge = Bridge()
        file = EventFile(plan.store_url, shown.complain, self._queued)
        callbacks = EventStoreCallbacks(
            self._bridge.settled, self._bridge.happened, shown.complain, lambda: self._stop(ExitCode.SERVER)
        )
        self._writer = EventWriter(file, Spool.beside(file.path), callbacks, now)
        self._printer = Printer(shown.event, shown.complain, lambda: self._stop(ExitCode.READER_GONE))
        self._forwarders = {target: Forwarder(target, post, now, plan.signer) for target in plan.targets if target.url}
        self._hooks = {target: Hook(target, plan.environ, as_json) for target in plan.targets if target.command}
        self._relay = self._asking()
        self._outbox: OutboxHolder | None = None
        self._server: SocketServer | None = None
        self._clock_offset_us = int(now().timestamp() * 1_000_000) - time.monotonic_ns() // 1000

    def run(self) -> int:
        """Serves until a signal, and returns the exit code.

        Raises UsageError where the store or the address is not to be had, CheckFailedError where the probe fails.
        """
        self._writer.start()
        sys.setswitchinterval(_SWITCH_SECONDS)
        try:
            receiver = Receiver(self._plan.door, _Duties(self._bridge, self._relay, self._plan.routes), self._now)
            self._bridge.attach(self._writer)
            self._printer.start()
            self._plan.routes.start()
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
        )

    def _asking(self) -> Relay | None:
        """The CRM that answers callstarts: the first that is named for them."""
        for target, forwarder in self._forwarders.items():
            if target.is_named and "callstart" in target.kinds:
                return Relay(forwarder, self._plan.forward_timeout)
        return None

    def _queued(self, event: Event) -> list[QueuedDelivery]:
        plan, asked = self._plan, self._relay.target if self._relay is not None else None
        return queued_deliveries(
            event, plan.targets, repeats=plan.repeats, asked=asked, ask_seconds=plan.forward_timeout
        )

    def _start_forwarding(self) -> None:
        plan, complain = self._plan, self._shown.complain
        outbox, commands = Outbox(plan.store_url), OutboxCommands(plan.store_words)
        access = OutboxAccess(outbox, self._writer.change, complain, self._clock, commands)
        self._outbox = OutboxHolder(sqlite_path(plan.store_url), {**self._forwarders, **self._hooks}, access)
        self._outbox.start()

    async def _prove(self) -> None:
        assert self._server is not None
        try:
            await prove(self._server.url, self._plan.door.path("probe"), self._plan.store_url)
        except AlovoiceError as problem:
            self._problem = problem
            self._stop(problem.exit_code)

    def _ready(self, url: str) -> None:
        if self._problem is not None:
            return
        urls = {str(kind): url + self._plan.door.path(kind) for kind in PBX_TYPES}
        told = {"ready": True, "urls": urls, "pid": os.getpid()}
        if self._plan.ready_file is not None:
            self._write_ready_file(self._plan.ready_file, json.dumps(told) + "\n")
        self._shown.ready(urls, told)
        notify(self._plan.environ, "READY=1")

    def _write_ready_file(self, path: Path, text: str) -> None:
        try:
            write_ready_file(path, text)
        except OSError as error:
            raise UsageError(
                f"--ready-file {path} cannot be written: {error.strerror or error}",
                hint="name a file in a directory that is there",
            ) from error

    def _hear(self, events: Sequence[Event]) -> None:
        self._printer.take(events)
        if self._outbox is not None:
            self._outbox.wake()

    def _clock(self) -> int:
        return self._clock_offset_us + time.monotonic_ns() // 1000

    def _stop(self, code: int) -> None:
        if self._server is not None:
            self._server.stop(code)

    def _end(self) -> None:
        """After the drain: deliveries under way end, everything heard is stored and printed."""
        notify(self._plan.environ, "STOPPING=1")
        if self._plan.ready_file is not None:
            self._plan.ready_file.unlink(missing_ok=True)
        if self._outbox is not None:
            self._outbox.stop()
        if self._relay is not None:
            self._relay.close()
        self._plan.routes.close()
        self._writer.close()
        if self._outbox is not None:
            self._outbox.release()
        self._printer.close(_PRINT_SECONDS)


class _Duties:
    """What the receiver needs done, by those who do it."""

    def __init__(self, bridge: Bridge, relay: Relay | None, routes: RouteAnswerer) -> None:
        self.store, self.store_soon = bridge.store, bridge.store_soon
        self.keep_answer, self.kept_answer = bridge.keep_answer, bridge.kept_answer
        self.route = routes.answer
        self.asked = relay.target.name if relay is not None else None
        self._relay = relay

    def ask(self, delivery: Delivery) -> "asyncio.Task[StartAnswer | None]":
        """The CRM's answer."""
        assert self._relay is not None
        return self._relay.ask(delivery)
