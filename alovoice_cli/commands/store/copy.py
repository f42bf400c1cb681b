"""`alovoice store copy`: copies a history to a server."""

from collections.abc import Mapping
from itertools import chain
from typing import TYPE_CHECKING, Annotated

import typer

from alovoice_cli.commands.global_options import shows_list
from alovoice_cli.commands.options import examples
from alovoice_cli.errors import UsageError
from alovoice_cli.language import ngettext, tr
from alovoice_cli.output.listing import Column, Listing
from alovoice_cli.session import Session
from alovoice_cli.store_urls import is_server_url, masked_url

if TYPE_CHECKING:
    from alovoice_cli.config.settings import Settings
    from alovoice_cli.stores.copied_rows import CopyCount
    from alovoice_cli.stores.profile_copy import ProfileCopy
    from alovoice_cli.stores.store_copy import EventCopy

EXAMPLES = examples(
    "alovoice store copy events.db postgresql://alovoice@db.example.com/pbx",
    "alovoice store copy events.db postgresql://alovoice@db.example.com/pbx --dry-run",
)
COLUMNS = (
    Column("what", "What"),
    Column("copied", "Copied", numeric=True),
    Column("updated", "Updated", numeric=True),
    Column("known", "Known", numeric=True),
    Column("left", "Left", numeric=True),
)
_NAMES = {
    "delivery": "events",
    "call": "calls",
    "uptime": "uptimes",
    "outbox_target": "targets",
    "outbox": "outbox",
    "notice_message": "messages",
    "notice": "notices",
    "notice_chat": "chats",
    "receipt": "receipts",
    "batch": "batches",
    "campaign": "campaigns",
    "journal": "journals",
}
_OF_EVENTS = tuple(_NAMES)[:8]


@shows_list(COLUMNS)
def copy_store(
    ctx: typer.Context,
    source: Annotated[
        str,
        typer.Argument(metavar="SOURCE", help="Source: a file, sqlite:///…, or postgresql://….", show_default=False),
    ],
    target: Annotated[str, typer.Argument(metavar="TARGET", help="Target: postgresql://….", show_default=False)],
) -> None:
    """Copy an event store to a PostgreSQL server.

    Copied are events, calls, what waits to be forwarded or told, and when listeners ran. Run it again to continue:
    each row is copied once. A listener may write to either store; what the listener of the source is working on is
    left for another run. The source is not changed.

    The receipts, campaigns, lists and journals of batches of the profile's own store are copied too. A journal is
    moved: a journal in two places could call people twice. The old one stays in the directory `earlier`.
    """
    from alovoice_cli.stores.copied_rows import CopyCount  # noqa: PLC0415 - `--help` needs no store
    from alovoice_cli.stores.profile_copy import PROFILE_TABLES, ProfileCopy  # noqa: PLC0415 - same
    from alovoice_cli.stores.store_copy import TABLES, EventCopy  # noqa: PLC0415 - same

    session: Session = ctx.obj
    origin, destination = (session.event_store_url(url) for url in (source, target))
    _check_direction(origin, destination)
    events = EventCopy(origin, destination)
    profile, tables = None, list(TABLES)
    if _is_own_store(session.settings, origin):
        tables += PROFILE_TABLES
        profile = ProfileCopy(session.paths.state, destination, session.settings.profile, session.now)
    if session.options.dry_run:
        counted: Mapping[str, CopyCount] = {"delivery": events.rehearse()}
    else:
        counted = dict.fromkeys(tables, CopyCount()) | _copied(session, events, profile)
    numbers = {_NAMES[table]: one._asdict() for table, one in counted.items()}
    about = {"source": origin, "target": masked_url(destination), "dry_run": session.options.dry_run}
    whole = {**about, "at_rest": events.is_at_rest, "waiting": events.waiting, **numbers}
    rows = [{"what": name, **one} for name, one in numbers.items()]
    session.show(Listing(rows, COLUMNS, whole=whole, ours=True))
    if session.options.dry_run:
        session.note(tr("nothing was copied"))
        return
    _tell(session, events, counted)
    if profile is None:
        session.note(tr("this is not the profile's own store: the receipts, campaigns and batches were not copied"))
    for remark in profile.remarks if profile is not None else ():
        session.warn(remark)


def _check_direction(origin: str, destination: str) -> None:
    """Raises UsageError unless a file is copied to a server."""
    if is_server_url(origin):
        raise UsageError(
            tr("a history is copied from a file to a server, not from a server"),
            hint=tr("to a file: `alovoice events export --with-uptime` and `events import`; to a server: pg_dump"),
        )
    if not is_server_url(destination):
        from alovoice_cli.stores.event_sqlite import sqlite_path  # noqa: PLC0415 - as said

        is_same = sqlite_path(origin).resolve() == sqlite_path(destination).resolve()
        raise UsageError(
            tr("source and target are the same store")
            if is_same
            else tr("a history is copied to a server, not to a file"),
            hint=tr("give a target such as postgresql://user@host/database; `.backup` of sqlite3 copies a file"),
        )


def _is_own_store(settings: "Settings", origin: str) -> bool:
    """Returns whether it is the file of the profile: that of its `store`, or the one that it has without."""
    from alovoice_cli.stores.event_sqlite import sqlite_path  # noqa: PLC0415 - as said

    own = [url for url in (settings.event_store_url(), settings.own_file_url) if not is_server_url(url)]
    return any(sqlite_path(url).resolve() == sqlite_path(origin).resolve() for url in own)


def _copied(session: Session, events: "EventCopy", profile: "ProfileCopy | None") -> dict[str, "CopyCount"]:
    """Returns what was copied, by table; with progress on a terminal."""
    counted: dict[str, CopyCount] = {}
    with session.display.counting(tr("copying"), events.total()) as step:
        for done in chain(events.run(), profile.run() if profile is not None else ()):
            known = counted.get(done.table)
            counted[done.table] = done.counted if known is None else known.plus(done.counted)
            for _ in range(sum(done.counted) if done.table in _OF_EVENTS else 0):
                step()
    return counted


def _tell(session: Session, events: "EventCopy", counted: Mapping[str, "CopyCount"]) -> None:
    left = sum(one.left for table, one in counted.items() if table in _OF_EVENTS)
    if not events.is_at_rest:
        session.note(
            tr(
                "a listener forwards events from the source: what waits there was not copied;"
                " stop the listener and run this again"
            )
        )
    elif left:
        session.note(
            ngettext(
                "{n} row was not copied, because a listener is working on it: run this again",
                "{n} rows were not copied, because a listener is working on them: run this again",
                left,
            )
        )
    if events.is_at_rest and events.waiting:
        session.note(
            ngettext(
                "{n} delivery now waits in both stores: do not start a listener with targets on the source again",
                "{n} deliveries now wait in both stores: do not start a listener with targets on the source again",
                events.waiting,
            )
        )
