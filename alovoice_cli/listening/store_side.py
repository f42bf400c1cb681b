"""The side of a listener that faces its event store: a file of its own, or a server that it shares with others."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from alovoice_cli.events.event import Event
from alovoice_cli.events.notices import NoticeWording
from alovoice_cli.listening.dispatch import OutboxAccess, UnixClock
from alovoice_cli.listening.forwarding import Forwarder
from alovoice_cli.listening.hooks import Hook
from alovoice_cli.listening.messengers import Messenger
from alovoice_cli.listening.notifier import Notifier
from alovoice_cli.listening.outbox_holder import OutboxHolder
from alovoice_cli.listening.outbox_sharer import OutboxSharer
from alovoice_cli.listening.outbox_workers import OutboxWorkers
from alovoice_cli.listening.target_warnings import OutboxCommands, interrupted_line
from alovoice_cli.listening.targets import Target
from alovoice_cli.store_urls import is_server_url
from alovoice_cli.stores.event_file import EventFile
from alovoice_cli.stores.event_rows import QueuedDelivery, QueueMoment
from alovoice_cli.stores.event_sqlite import sqlite_path
from alovoice_cli.stores.event_writer import EventStoreCallbacks, EventWriter
from alovoice_cli.stores.finished_calls import CallTarget, NoticeTarget
from alovoice_cli.stores.notices import Notices
from alovoice_cli.stores.outbox import Outbox
from alovoice_cli.stores.spool import Spool


@dataclass(frozen=True, slots=True)
class QueuedFor:
    """What is to be queued for whom: `queued` says it of an event; of finished and missed calls these are told.

    `moment_of` gives the moments of the outbox.
    """

    queued: Callable[[Event], Sequence[QueuedDelivery]]
    call_targets: Sequence[CallTarget]
    notice_targets: Sequence[NoticeTarget]
    moment_of: QueueMoment


def writer_of(
    url: str, spool_folder: Path, queued: QueuedFor, callbacks: EventStoreCallbacks, now: Callable[[], datetime]
) -> EventWriter:
    """Returns the writer of the store, which is not at work yet. `spool_folder` has the spool of one on a server.

    Raises UsageError where the URL or the folder is of no use, or psycopg is not installed.
    """
    targets = (queued.queued, queued.call_targets, queued.notice_targets, queued.moment_of)
    if not is_server_url(url):
        file = EventFile(url, callbacks.complain, *targets)
        return EventWriter(file, Spool.beside(file.path), callbacks, now)
    from alovoice_cli.stores.event_server import EventServer  # noqa: PLC0415 - only for a store on a server

    server = EventServer(url, callbacks.complain, *targets)
    return EventWriter(server, Spool.of_server(spool_folder, url), callbacks, now)


def forwarding_of(
    url: str,
    senders: tuple[Mapping[Target, Forwarder | Hook], Mapping[Target, Messenger]],
    writer: EventWriter,
    complain: Callable[[str], None],
    clock: UnixClock,
    commands: OutboxCommands,
    wording: NoticeWording,
) -> OutboxHolder | OutboxSharer:
    """Returns what forwards from the store's outbox, and tells people of missed calls; it is not started yet."""
    couriers, messengers = senders

    def workers_of(access: OutboxAccess) -> OutboxWorkers:
        notices = Notices(url)
        notifiers = [Notifier(one, sender, notices, access, wording) for one, sender in messengers.items()]
        return OutboxWorkers(couriers, notifiers, access)

    if not is_server_url(url):
        access = OutboxAccess(Outbox(url), writer.change, complain, clock, commands)
        return OutboxHolder(sqlite_path(url), workers_of(access), access)
    from alovoice_cli.stores.server_outbox import ServerOutbox  # noqa: PLC0415 - only for a store on a server
    from alovoice_cli.stores.server_owner import FORWARDERS_LOCK, OUTBOX_CHANNEL, OwnerSession  # noqa: PLC0415 - same

    labels = {target.name: target.label for target in couriers}

    def tell_interrupted(name: str, ids: Sequence[str]) -> None:
        for event_id in ids:
            complain(interrupted_line(name, labels[name], event_id, commands))

    session = OwnerSession(url, OUTBOX_CHANNEL, FORWARDERS_LOCK)
    access = OutboxAccess(ServerOutbox(url, session, tell_interrupted), writer.change, complain, clock, commands)
    return OutboxSharer(session, workers_of(access), access, tells=bool(messengers))
