"""The options of many calls from one list, which several commands take and read into one `BatchOptions`."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from alovoice_cli.batch.options import BatchOptions
from alovoice_cli.commands.options import OptionGroupCommand, option_group
from alovoice_cli.errors import UsageError
from alovoice_cli.session import Session

_PANEL = "Many from a list"


def _option(*names: str, **more: Any) -> Any:
    return typer.Option(*names, rich_help_panel=_PANEL, show_default=False, **more)


Batch = Annotated[
    str | None,
    _option(
        "--batch", metavar="FILE|-", help="A CSV, workbook or JSON Lines; its columns are the options, - is stdin."
    ),
]
Map = Annotated[
    list[str] | None, _option("--map", metavar="OPTION=COLUMN", help="Which column an option stands in; repeatable.")
]
TableEncoding = Annotated[
    str | None, _option("--list-encoding", metavar="NAME", help="The list's encoding, else found.")
]
TableSheet = Annotated[str | None, _option("--sheet", metavar="NAME", help="The sheet of a workbook, else the first.")]
TableHeaderLine = Annotated[
    int | None,
    _option("--header-line", metavar="N", min=1, help="The line of the headings; lines above are left out."),
]
Jobs = Annotated[int, _option("--jobs", metavar="N", min=1, max=64, help="How many at once; 1 if left out.")]
Rate = Annotated[str | None, _option("--rate", metavar="10/m", help="At most so many a second, minute or hour.")]
WindowOption = Annotated[
    str | None, _option("--window", metavar="10:00-19:00", help="Sleep outside these hours, by the profile's zone.")
]
StopAfter = Annotated[
    int | None, _option("--stop-after-failures", metavar="N", min=1, help="Begin no row after so many have failed.")
]
Report = Annotated[Path | None, _option("--report", metavar="OUT.csv", help="Your columns, with each row's outcome.")]
Confirm = Annotated[
    int | None, _option("--confirm", metavar="N", min=0, help="The number of people you mean; another stops it.")
]
JournalOption = Annotated[
    str | None, _option("--journal", metavar="NAME|PATH", help="Where it is kept what was sent; else by the list.")
]
Restart = Annotated[bool, _option("--restart", help="Send all rows anew; asks.")]
ChangedOk = Annotated[bool, _option("--changed-ok", help="The list has changed: take its new rows.")]
RetryRefused = Annotated[bool, _option("--retry-refused", help="Send again what the PBX refused.")]
ResendUnknown = Annotated[bool, _option("--resend-unknown", help="Ask for each unknown row whether to send it again.")]
AcceptRisk = Annotated[bool, _option("--accept-risk", help="Rows that are unknown or were sent before may ring twice.")]
EachRow = Annotated[bool, _option("--each-row", help="Every row is meant: ring a person once for each row.")]
AllowDuplicate = Annotated[
    bool, _option("--allow-duplicate", help="Send rows that were sent within 24 hours once more.")
]
ExcludeFiles = Annotated[
    list[Path] | None,
    _option("--exclude", metavar="FILE", help="A do-not-call file: its people are not rung; repeatable."),
]
ExcludeUnreadOk = Annotated[
    bool, _option("--exclude-unread-ok", help="Let entries of a do-not-call file pass that cannot be read.")
]
NightOk = Annotated[bool, _option("--night-ok", help="Call in the profile's quiet hours too.")]
OverrideLimit = Annotated[
    list[str] | None, _option("--override-limit", metavar="NAME", help="Let a limit of the profile pass; repeatable.")
]


def _reading(
    *,
    batch: Batch = None,
    map: Map = None,
    list_encoding: TableEncoding = None,
    sheet: TableSheet = None,
    header_line: TableHeaderLine = None,
    jobs: Jobs = 1,
    rate: Rate = None,
    stop_after_failures: StopAfter = None,
    report: Report = None,
) -> BatchOptions:
    """Options of a command that asks for many things."""
    return BatchOptions(
        source=batch,
        mapped=map or (),
        list_encoding=list_encoding,
        sheet=sheet,
        header_line=header_line,
        jobs=jobs,
        rate=rate,
        stop_after_failures=stop_after_failures,
        report=report,
    )


def _sending(
    *,
    batch: Batch = None,
    map: Map = None,
    confirm: Confirm = None,
    list_encoding: TableEncoding = None,
    sheet: TableSheet = None,
    header_line: TableHeaderLine = None,
    jobs: Jobs = 1,
    rate: Rate = None,
    window: WindowOption = None,
    stop_after_failures: StopAfter = None,
    report: Report = None,
    journal: JournalOption = None,
    restart: Restart = False,
    changed_ok: ChangedOk = False,
    retry_refused: RetryRefused = False,
    resend_unknown: ResendUnknown = False,
    accept_risk: AcceptRisk = False,
    override_limit: OverrideLimit = None,
) -> BatchOptions:
    """Options of a command that sends many things."""
    return BatchOptions(
        source=batch,
        mapped=map or (),
        confirm=confirm,
        list_encoding=list_encoding,
        sheet=sheet,
        header_line=header_line,
        jobs=jobs,
        rate=rate,
        window=window,
        stop_after_failures=stop_after_failures,
        report=report,
        journal=journal,
        restart=restart,
        changed_ok=changed_ok,
        retry_refused=retry_refused,
        resend_unknown=resend_unknown,
        accept_risk=accept_risk,
        override_limit=override_limit or (),
    )


def _dialling(
    *,
    batch: Batch = None,
    map: Map = None,
    confirm: Confirm = None,
    list_encoding: TableEncoding = None,
    sheet: TableSheet = None,
    header_line: TableHeaderLine = None,
    exclude: ExcludeFiles = None,
    exclude_unread_ok: ExcludeUnreadOk = False,
    each_row: EachRow = False,
    allow_duplicate: AllowDuplicate = False,
    jobs: Jobs = 1,
    rate: Rate = None,
    window: WindowOption = None,
    stop_after_failures: StopAfter = None,
    report: Report = None,
    journal: JournalOption = None,
    restart: Restart = False,
    changed_ok: ChangedOk = False,
    retry_refused: RetryRefused = False,
    resend_unknown: ResendUnknown = False,
    accept_risk: AcceptRisk = False,
    night_ok: NightOk = False,
    override_limit: OverrideLimit = None,
) -> BatchOptions:
    """Options of a command that rings many people."""
    return BatchOptions(
        source=batch,
        mapped=map or (),
        confirm=confirm,
        list_encoding=list_encoding,
        sheet=sheet,
        header_line=header_line,
        exclude=exclude or (),
        exclude_unread_ok=exclude_unread_ok,
        each_row=each_row,
        allow_duplicate=allow_duplicate,
        jobs=jobs,
        rate=rate,
        window=window,
        stop_after_failures=stop_after_failures,
        report=report,
        journal=journal,
        restart=restart,
        changed_ok=changed_ok,
        retry_refused=retry_refused,
        resend_unknown=resend_unknown,
        accept_risk=accept_risk,
        night_ok=night_ok,
        override_limit=override_limit or (),
    )


def _resuming(
    *,
    confirm: Confirm = None,
    exclude: ExcludeFiles = None,
    exclude_unread_ok: ExcludeUnreadOk = False,
    jobs: Jobs = 1,
    rate: Rate = None,
    window: WindowOption = None,
    stop_after_failures: StopAfter = None,
    report: Report = None,
    retry_refused: RetryRefused = False,
    resend_unknown: ResendUnknown = False,
    accept_risk: AcceptRisk = False,
    night_ok: NightOk = False,
    override_limit: OverrideLimit = None,
) -> BatchOptions:
    """Options of a batch that goes on from its journal."""
    return BatchOptions(
        confirm=confirm,
        exclude=exclude or (),
        exclude_unread_ok=exclude_unread_ok,
        jobs=jobs,
        rate=rate,
        window=window,
        stop_after_failures=stop_after_failures,
        report=report,
        retry_refused=retry_refused,
        resend_unknown=resend_unknown,
        accept_risk=accept_risk,
        night_ok=night_ok,
        override_limit=override_limit or (),
    )


class ReadingCommand(OptionGroupCommand):
    """A command that may ask for many things."""

    build = staticmethod(_reading)


class SendingCommand(OptionGroupCommand):
    """A command that may send many things."""

    build = staticmethod(_sending)


class DiallingCommand(OptionGroupCommand):
    """A command that may ring many people."""

    build = staticmethod(_dialling)


class ResumingCommand(OptionGroupCommand):
    """The command that goes on with a batch."""

    build = staticmethod(_resuming)


def batch_options(ctx: typer.Context) -> BatchOptions:
    """The options of a batch that were given to this command."""
    return option_group(ctx, BatchOptions)


def run(
    session: Session,
    command: str,
    options: BatchOptions,
    defaults: Mapping[str, str | Sequence[str] | None],
    keep: Callable[[str, Any], None] | None = None,
) -> int:
    """Runs the batch and returns the exit code. `keep` takes each answer of a command that reads."""
    from alovoice_cli.batch.start import run_batch  # noqa: PLC0415 - a single call needs none of it

    if session.options.csv or session.options.columns is not None:
        word = "--csv" if session.options.csv else "--columns"
        raise UsageError(f"{word} does not go with --batch", hint="--report OUT.csv writes a CSV; stdout is JSON Lines")
    return run_batch(session, command, options, defaults, keep)


def needed(value: str | None, option: str) -> str:
    """An option that only a batch may leave out. Raises UsageError."""
    if value is None:
        raise UsageError(f"Missing option '{option}'", hint="give it, or a list of rows with --batch FILE")
    return value


def refuse_batch_options(options: BatchOptions, *single: str) -> None:
    """Raises UsageError for options that say nothing without `--batch`; `single` say something to one call too."""
    for name, value in options._asdict().items():
        if name not in ("jobs", *single) and value:
            word = "map" if name == "mapped" else name.replace("_", "-")
            raise UsageError(f"--{word} goes with --batch", hint="give --batch FILE")


def needed_ids(values: list[str] | None, name: str) -> list[str]:
    """Arguments that only a batch may leave out. Raises UsageError."""
    if not values:
        raise UsageError(f"Missing argument '{name}'", hint="give it, or a list of rows with --batch FILE")
    return values


def refuse_both(values: object, name: str) -> None:
    """Raises UsageError for arguments beside a list of them."""
    if values:
        raise UsageError(f"{name} and --batch exclude each other", hint="give one of them")


def refuse_with_batch(**given: object) -> None:
    """Raises UsageError for options that a batch has no use for."""
    for name, value in given.items():
        if value:
            raise UsageError(f"--{name.replace('_', '-')} does not go with --batch", hint="leave it out")
