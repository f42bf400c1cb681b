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
from alovoice_cli.findings import count
from alovoice_cli.moments import ClockTime, from_unix, unix_microseconds
from alovoice_cli.session import Session
from alovoice_cli.stores.event_import import EventImport, ImportCount

EXAMPLES = examples(
    "alovoice events export --with-uptime > history.jsonl",
    "alovoice events import history.jsonl",
    "alovoice events import april.jsonl --complete",
    "zcat 2025-*.jsonl.gz | alovoice events import - --dry-run",
)
_TOLD_EVERY = 500  # lines


class _ImportFile(NamedTuple):
    """A file that was read once and is good: what it holds, and when its first and last events were received."""

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
        raise UsageError("--since and --until say of which time the files are complete", hint="add --complete")
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
            when = f" ({last:%Y-%m-%d %H:%M})" if last is not None else ""
            session.warn(f"{one.name}: an event is of the future{when}: check its received_at")


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
    for line in _read(session, file, shown, f"checking {shown}"):
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
        yield from _read(session, one.file, one.name, f"importing {one.name}")
    yield from stated


def _stated(one: _ImportFile, period: Period, clock: ClockTime) -> ImportedUptime | None:
    """Returns the time of which the file has all events; None where it has none and no time is given."""
    begin = one.first if period.since is None else period.since
    end = one.last if period.until is None else period.until
    if begin is None or end is None:
        return None
    end = min(end, unix_microseconds(clock.now))
    if end < begin:
        raise UsageError("--complete: the time ends before it begins", hint="look at --since and --until")
    return ImportedUptime(derived_id(begin // 1000, f"complete {begin} {end}".encode()), begin, end)


def _report(session: Session, files: Sequence[_ImportFile], counted: ImportCount, *, is_covered: bool) -> None:
    uptimes = sum(one.uptimes for one in files)
    first = min((one.first for one in files if one.first is not None), default=None)
    last = max((one.last for one in files if one.last is not None), default=None)
    begin = "would import" if session.options.dry_run else "imported"
    again = f", {count(counted.repeated, 'repetition')} among them" if counted.repeated else ""
    known = f"; {count(counted.known, 'event')} known already" if counted.known else ""
    nothing = ": nothing was written" if session.options.dry_run else ""
    session.report(
        f"{begin} {count(counted.imported, 'event')}{again}{known}{nothing}",
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
        lines = count(counted.differing, "line has", "lines have")
        session.warn(
            f"{lines} the id of an event that says something else, and were left out: give these lines another id"
        )
    if first is not None and not (is_covered or uptimes):
        session.note(
            "reports do not take these for all events of their time; if they are, run it again with --complete"
        )
