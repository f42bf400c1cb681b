"""The options of batches, shared by several commands and read into one `BatchOptions`."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alovoice_cli.batch.options import BatchOptions
from alovoice_cli.commands.command_classes import refuse_missing
from alovoice_cli.commands.options import OptionGroupCommand, option_group
from alovoice_cli.errors import UsageError
from alovoice_cli.language import tr
from alovoice_cli.session import Session

if TYPE_CHECKING:
    from alovoice_cli.batch.table import ListTable

REQUIRED_PANEL = "Required, unless --batch has them"
CALL_PANEL = "Call"


_call: Any = partial(typer.Option, rich_help_panel=CALL_PANEL, show_default=False)
_list: Any = partial(typer.Option, rich_help_panel="List of a batch", show_default=False)
_pace: Any = partial(typer.Option, rich_help_panel="Pace of a batch", show_default=False)
_journal: Any = partial(typer.Option, rich_help_panel="Journal of a batch", show_default=False)


def _batch_options(
    *,
    batch: Annotated[
        str | None,
        _list("--batch", metavar="FILE|-", help="CSV, workbook or JSON Lines; columns are options."),
    ] = None,
    map: Annotated[
        list[str] | None,
        _list("--map", metavar="OPTION=COLUMN", help="Column that holds an option's value; repeatable."),
    ] = None,
    confirm: Annotated[
        int | None, _list("--confirm", metavar="N", min=0, help="Agree to exactly N recipients.")
    ] = None,
    list_encoding: Annotated[
        str | None, _list("--list-encoding", metavar="NAME", help="Encoding of the list (default: detected).")
    ] = None,
    sheet: Annotated[
        str | None, _list("--sheet", metavar="NAME", help="Sheet of the workbook (default: the first).")
    ] = None,
    header_line: Annotated[
        int | None,
        _list("--header-line", metavar="N", min=1, help="Line of the headings; lines above it are skipped."),
    ] = None,
    exclude: Annotated[
        list[Path] | None,
        _list("--exclude", metavar="FILE", help="Do-not-call file: CSV or workbook; repeatable."),
    ] = None,
    exclude_unread_ok: Annotated[
        bool, _list("--exclude-unread-ok", help="Ignore unreadable entries of do-not-call files.")
    ] = False,
    each_row: Annotated[bool, _list("--each-row", help="Call a number once for every row that has it.")] = False,
    allow_duplicate: Annotated[
        bool, _list("--allow-duplicate", help="Send rows again that were sent within 24 hours.")
    ] = False,
    jobs: Annotated[int, _pace("--jobs", metavar="N", min=1, max=64, help="Requests at once (default: 1).")] = 1,
    rate: Annotated[
        str | None, _pace("--rate", metavar="10/m", help="Maximum requests per second, minute or hour.")
    ] = None,
    window: Annotated[
        str | None,
        _pace("--window", metavar="10:00-19:00", help="Send only in these hours (time zone: profile's)."),
    ] = None,
    stop_after_failures: Annotated[
        int | None,
        _pace("--stop-after-failures", metavar="N", min=1, help="Stop after this many failed rows."),
    ] = None,
    report: Annotated[
        Path | None, _journal("--report", metavar="OUT.csv", help="Write the rows with their outcomes.")
    ] = None,
    journal: Annotated[
        str | None,
        _journal("--journal", metavar="NAME|PATH", help="Journal of what was sent (default: by the list)."),
    ] = None,
    shared: Annotated[
        bool,
        _journal("--shared", help="Share the rows with other computers (PostgreSQL)."),
    ] = False,
    store: Annotated[
        str | None,
        _journal("--store", metavar="URL", help="Store that computers share (default: the profile's)."),
    ] = None,
    restart: Annotated[bool, _journal("--restart", help="Send all rows again; asks first.")] = False,
    changed_ok: Annotated[bool, _journal("--changed-ok", help="Accept a changed list: its new rows are sent.")] = False,
    retry_refused: Annotated[bool, _journal("--retry-refused", help="Send refused rows again.")] = False,
    resend_unknown: Annotated[
        bool, _journal("--resend-unknown", help="Ask for each unknown row whether to send it again.")
    ] = False,
    accept_risk: Annotated[
        bool, _journal("--accept-risk", help="Accept that unknown or sent rows may ring twice.")
    ] = False,
    night_ok: Annotated[bool, _call("--night-ok", help="Allow calls in the profile's quiet hours.")] = False,
    override_limit: Annotated[
        list[str] | None,
        _pace("--override-limit", metavar="NAME", help="Ignore this limit of the profile; repeatable."),
    ] = None,
) -> BatchOptions:
    """The options of a batch; a command with fewer options leaves the others at their defaults."""
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
        shared=shared,
        store=store,
        restart=restart,
        changed_ok=changed_ok,
        retry_refused=retry_refused,
        resend_unknown=resend_unknown,
        accept_risk=accept_risk,
        night_ok=night_ok,
        override_limit=override_limit or (),
    )


class DiallingCommand(OptionGroupCommand):
    """A command that may ring many people."""

    build = staticmethod(_batch_options)


_OF_LISTS = frozenset({"batch", "map", "list_encoding", "sheet", "header_line"})
_OF_PEOPLE = frozenset({"exclude", "exclude_unread_ok", "each_row", "allow_duplicate", "night_ok"})
_OF_MACHINES = frozenset({"shared", "store"})
_OF_JOURNALS = frozenset({"journal", "restart", "changed_ok"})


class SendingCommand(DiallingCommand):
    """A command that may send many requests and rings nobody."""

    without = _OF_PEOPLE | _OF_MACHINES


class ReadingCommand(DiallingCommand):
    """A command that may make many requests, all of which are safe to repeat."""

    without = (
        _OF_PEOPLE
        | _OF_JOURNALS
        | _OF_MACHINES
        | {"confirm", "window", "retry_refused", "resend_unknown", "accept_risk", "override_limit"}
    )


class ResumingCommand(DiallingCommand):
    """The command that continues a batch: its list and its options are in the journal."""

    without = _OF_LISTS | _OF_JOURNALS | {"each_row", "allow_duplicate"}


def batch_options(ctx: typer.Context) -> BatchOptions:
    """The options of a batch that were given to this command; the run uses their store."""
    options = option_group(ctx, BatchOptions)
    ctx.obj.use_store(options.store)
    return options


def run(
    session: Session,
    command: str,
    options: BatchOptions,
    defaults: Mapping[str, str | Sequence[str] | None],
    keep: Callable[[str, Any], None] | None = None,
    table: "ListTable | None" = None,
) -> int:
    """Runs the batch and returns the exit code. `keep` receives each answer of a command that reads.

    `table` are the rows of a command that finds them itself.
    """
    from alovoice_cli.batch.start import run_batch  # noqa: PLC0415 - a single call needs none of it

    if session.options.csv or session.options.columns is not None:
        word = "--csv" if session.options.csv else "--columns"
        raise UsageError(
            tr("{option} cannot be used with a batch", option=word),
            hint=tr("--report OUT.csv writes a CSV file; stdout is JSON Lines"),
        )
    return run_batch(session, command, options, defaults, keep, table)


def need_all(ctx: typer.Context, **given: str | None) -> list[str]:
    """Returns the options that only a batch may leave out. Raises UsageError that names all that are missing."""
    lacking = [name for name, value in given.items() if value is None]
    if lacking:
        params = [param for param in ctx.command.params if param.name in lacking]
        refuse_missing(ctx, params, tr("give them, or a list of rows with --batch FILE"))
    return [value for value in given.values() if value is not None]


def refuse_batch_options(options: BatchOptions, *single: str) -> None:
    """Raises UsageError for options without meaning without `--batch`; `single` options also apply to one call."""
    for name, value in options._asdict().items():
        if name not in ("jobs", *single) and value:
            word = "map" if name == "mapped" else name.replace("_", "-")
            raise UsageError(tr("{option} needs --batch", option=f"--{word}"), hint=tr("give --batch FILE"))


def needed_ids(ctx: typer.Context, values: list[str] | None, *, since: bool = False) -> list[str]:
    """Returns the call ids, for which only a batch, or with `since` a period, may stand. Raises UsageError."""
    if not values:
        params = [param for param in ctx.command.params if param.param_type_name == "argument"]
        otherwise = tr("give it, or a list of rows with --batch FILE")
        if since:
            otherwise = tr("give it, or --since WHEN, or a list of rows with --batch FILE")
        refuse_missing(ctx, params, otherwise)
    return values or []


def refuse_both(values: object, name: str, other: str = "--batch") -> None:
    """Raises UsageError for arguments together with a list of them."""
    if values:
        raise UsageError(
            tr("{first} and {second} cannot be used together", first=name, second=other), hint=tr("choose one of them")
        )


def refuse_with_batch(**given: object) -> None:
    """Raises UsageError for options without use in a batch."""
    for name, value in given.items():
        if value:
            option = f"--{name.replace('_', '-')}"
            raise UsageError(tr("{option} cannot be used with --batch", option=option), hint=tr("leave it out"))
