"""`alovoice events import`: a history that other listeners received, or other programs wrote."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated, BinaryIO, NamedTuple, cast

import typer

from alovoice_cli.campaigns.files import MadeFile, open_regular
from alovoice_cli.commands.events.selection import Store, clock_of
from alovoice_cli.commands.options import examples
from alovoice_cli.errors import UsageError
from alovoice_cli.events.answers import derived_id
from alovoice_cli.events.event_table import iso
from alovoice_cli.events.filters import FilterWords, Period, read_period
from alovoice_cli.events.import_lines import ImportedUptime, ImportLine, read_lines
from alovoice_cli.language import joined, ngettext, tr
from alovoice_cli.moments import ClockTime, from_unix, unix_microseconds
from alovoice_cli.session import Session
from alovoice_cli.stores.event_import import EventImport, ImportCount

EXAMPLES = examples(
    "alovoice events export --with-uptime > history.jsonl",
    "alovoice events import history.jsonl",
    "alovoice events import april.jsonl --complete",
    "zcat 2025-*.jsonl.gz | alovoice events import - --dry-run",
)
_TOLD_EVERY = 500  # rows


class _ImportFile(NamedTuple):
    """A file that was read once and has no error: its contents, and when its first and last events were received."""

    file: BinaryIO
    name: str
    events: int
    uptimes: int
    first: int | None
    last: int | None


def import_events(
    ctx: typer.Context,
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="JSON lines of `events export`; - for stdin.")],
    complete: Annotated[
        bool,
        typer.Option(
            "--complete",
            help="Declare that each file has all events of its period.",
            show_default=False,
        ),
    ] = False,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="WHEN", help="Start of the period that is complete, with --complete."),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="WHEN", help="End of the period that is complete, with --complete.")
    ] = None,
    store: Store = None,
) -> None:
    """Add events from another history.

    Imported events keep their time and are marked as imported; they are not forwarded and start nothing. Each line
    is one that `events export` prints, or {"type", "received_at", "body", "answer_id"}; answer_id is the id with
    which a callstart was answered. Lines that are already stored are skipped. If one line is bad, nothing is
    imported.
    """
    session: Session = ctx.obj
    clock = clock_of(session)
    if (since is not None or until is not None) and not complete:
        raise UsageError(
            tr("--since and --until are the period for which the files are complete"), hint=tr("add --complete")
        )
    period = read_period(FilterWords(since, until), clock)
    target = EventImport(session.event_store_url(store))
    with ExitStack() as opened:
        sources = [opened.enter_context(closing(_open(session, name))) for name in files]
        found = [_check(session, file, name) for file, name in zip(sources, files, strict=True)]
        _warn_of_future(session, found, clock)
        stated = [_stated(one, period, clock) for one in found] if complete else []
        lines = _lines(session, found, [one for one in stated if one is not None])
        counted = _run(target, lines, rehearse=session.options.dry_run)
    _report(session, found, counted, is_covered=complete)


def _warn_of_future(session: Session, files: Sequence[_ImportFile], clock: ClockTime) -> None:
    """Names files with an event of the future: a clock or zone was wrong, and an import cannot be taken back."""
    for one in files:
        if one.last is not None and one.last > unix_microseconds(clock.now):
            last = from_unix(one.last // 1_000_000, clock.zone)
            session.warn(_future_text(one.name, "" if last is None else f"{last:%Y-%m-%d %H:%M}"))


def _future_text(file: str, moment: str) -> str:
    if not moment:
        return tr("{file}: the time of an event is in the future: check its received_at", file=file)
    return tr(
        "{file}: the time of an event is in the future ({moment}): check its received_at", file=file, moment=moment
    )


def _run(target: EventImport, lines: Iterator[ImportLine], *, rehearse: bool) -> ImportCount:
    """Imports the lines, or counts only what the store has of them."""
    if rehearse:
        return target.rehearse(lines)
    counted = ImportCount()
    for part in target.run(lines):
        counted = counted.plus(part)
    return counted


def _check(session: Session, file: BinaryIO, name: str) -> _ImportFile:
    """Reads a file to its end. Raises CheckFailedError for bad lines, before anything is written."""
    shown = "stdin" if name == "-" else name
    events = uptimes = 0
    moments: list[int] = []
    for line in _read(session, file, shown, tr("checking {file}", file=shown)):
        if isinstance(line, ImportedUptime):
            uptimes += 1
        else:
            events += 1
            at = line.delivery.received_at
            moments = [min(at, *moments), max(at, *moments)] if moments else [at, at]
    first, last = moments or (None, None)
    return _ImportFile(file, shown, events, uptimes, first, last)


def _open(session: Session, name: str) -> BinaryIO:
    """Returns a file that can be read twice: a pipe is copied."""
    if name != "-" and not Path(name).is_fifo():
        return open_regular(Path(name))
    held = cast(BinaryIO, MadeFile())
    source = session.stdin.buffer if name == "-" else Path(name).open("rb")  # noqa: SIM115 - closed below
    try:
        shutil.copyfileobj(source, held)
    finally:
        if name != "-":
            source.close()
    return held


def _read(session: Session, file: BinaryIO, name: str, label: str) -> Iterator[ImportLine]:
    """Yields the lines of a file from its start, with progress on a terminal."""
    size = file.seek(0, 2)
    file.seek(0)
    with session.display.transfer(label) as moved:
        for number, line in enumerate(read_lines(file, name)):
            if number % _TOLD_EVERY == 0:
                moved(file.tell(), size)
            yield line


def _lines(session: Session, files: Sequence[_ImportFile], stated: Sequence[ImportedUptime]) -> Iterator[ImportLine]:
    """Yields the lines of all files, and then what the operator states of them."""
    for one in files:
        yield from _read(session, one.file, one.name, tr("importing {file}", file=one.name))
    yield from stated


def _stated(one: _ImportFile, period: Period, clock: ClockTime) -> ImportedUptime | None:
    """Returns the time of which the file has all events; None if it has no events and no time is given."""
    begin = one.first if period.since is None else period.since
    end = one.last if period.until is None else period.until
    if begin is None or end is None:
        return None
    end = min(end, unix_microseconds(clock.now))
    if end < begin:
        raise UsageError(tr("--complete: the period ends before it begins"), hint=tr("check --since and --until"))
    return ImportedUptime(derived_id(begin // 1000, f"complete {begin} {end}".encode()), begin, end)


def _report(session: Session, files: Sequence[_ImportFile], counted: ImportCount, *, is_covered: bool) -> None:
    uptimes = sum(one.uptimes for one in files)
    first = min((one.first for one in files if one.first is not None), default=None)
    last = max((one.last for one in files if one.last is not None), default=None)
    session.report(
        _counted_text(counted, rehearse=session.options.dry_run),
        events=sum(one.events for one in files),
        imported=counted.imported,
        repeated=counted.repeated,
        known=counted.known,
        differing=counted.differing,
        uptimes=uptimes,
        first=None if first is None else iso(first),
        last=None if last is None else iso(last),
        complete=is_covered,
        dry_run=session.options.dry_run,
    )
    if counted.differing:
        session.warn(
            ngettext(
                "{n} row has the id of a stored event with other data and was skipped: give this row another id",
                "{n} rows have the ids of stored events with other data and were skipped: give these rows other ids",
                counted.differing,
            )
        )
    if first is not None and not (is_covered or uptimes):
        session.note(
            tr("the files do not say whether they hold all events of their period; if they do, import with --complete")
        )


def _counted_text(counted: ImportCount, *, rehearse: bool) -> str:
    """Returns what was imported, and what was known already, in one sentence."""
    if rehearse:
        parts = [ngettext("{n} event would be imported", "{n} events would be imported", counted.imported)]
    else:
        parts = [ngettext("{n} event was imported", "{n} events were imported", counted.imported)]
    if counted.repeated:
        parts.append(
            ngettext("{n} of them is a repeated delivery", "{n} of them are repeated deliveries", counted.repeated)
        )
    if counted.known:
        parts.append(ngettext("{n} event is already stored", "{n} events are already stored", counted.known))
    if rehearse:
        parts.append(tr("nothing was written"))
    return joined("; ", parts)
