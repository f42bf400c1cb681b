"""The listener's side of its event store: its own file, or a server that it shares with other listeners."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from alovoice_cli.events.notices import NoticeWording
from alovoice_cli.listening.dispatch import OutboxAccess, UnixClock
from alovoice_cli.listening.forwarding import Forwarder
from alovoice_cli.listening.hooks import Hook
from alovoice_cli.listening.messengers import Messenger
from alovoice_cli.listening.notifier import Notifier
from alovoice_cli.listening.outbox_holder import OutboxHolder
from alovoice_cli.listening.outbox_sharer import OutboxSharer
from alovoice_cli.listening.outbox_workers import OutboxForwarding, OutboxWorkers
from alovoice_cli.listening.target_warnings import OutboxCommands, interrupted_line
from alovoice_cli.listening.targets import Target
from alovoice_cli.store_urls import is_server_url
from alovoice_cli.stores.event_file import EventFile, QueuedFor
from alovoice_cli.stores.event_sqlite import sqlite_path
from alovoice_cli.stores.event_writer import EventStoreCallbacks, EventWriter
from alovoice_cli.stores.notices import Notices
from alovoice_cli.stores.outbox import Outbox
from alovoice_cli.stores.spool import Spool


def writer_of(
    url: str, spool_folder: Path, queued: QueuedFor, callbacks: EventStoreCallbacks, now: Callable[[], datetime]
) -> EventWriter:
    """Returns the writer of the store, not started yet. `spool_folder` has the spool of a store on a server.

    Raises UsageError if the URL or the folder cannot be used, or psycopg is not installed.
    """
    if not is_server_url(url):
        file = EventFile(url, callbacks.complain, queued)
        return EventWriter(file, Spool.beside(file.path), callbacks, now)
    from alovoice_cli.stores.event_server import EventServer  # noqa: PLC0415 - only for a store on a server

    server = EventServer(url, callbacks.complain, queued)
    return EventWriter(server, Spool.of_server(spool_folder, url), callbacks, now)


def forwarding_of(
    url: str,
    senders: tuple[Mapping[Target, Forwarder | Hook], Mapping[Target, Messenger]],
    writer: EventWriter,
    complain: Callable[[str], None],
    clock: UnixClock,
    commands: OutboxCommands,
    wording: NoticeWording,
) -> OutboxForwarding:
    """Returns the part that forwards from the store's outbox and reports missed calls; it is not started yet."""
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
