"""The options of batches, shared by several commands and read into one `BatchOptions`."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from alovoice_cli.batch.options import BatchOptions
from alovoice_cli.commands.options import OptionGroupCommand, option_group
from alovoice_cli.errors import UsageError
from alovoice_cli.session import Session

if TYPE_CHECKING:
    from alovoice_cli.batch.table import ListTable

_PANEL = "Many from a list"


def _option(*names: str, **more: Any) -> Any:
    return typer.Option(*names, rich_help_panel=_PANEL, show_default=False, **more)


Confirm = Annotated[
    int | None,
    _option("--confirm", metavar="N", min=0, help="The number of people you mean; another stops it."),
]


def _batch_options(
    *,
    batch: Annotated[
        str | None,
        _option(
            "--batch", metavar="FILE|-", help="A CSV, workbook or JSON Lines; its columns are the options, - is stdin."
        ),
    ] = None,
    map: Annotated[
        list[str] | None,
        _option("--map", metavar="OPTION=COLUMN", help="Which column an option stands in; repeatable."),
    ] = None,
    confirm: Confirm = None,
    list_encoding: Annotated[
        str | None, _option("--list-encoding", metavar="NAME", help="The list's encoding, else found.")
    ] = None,
    sheet: Annotated[
        str | None, _option("--sheet", metavar="NAME", help="The sheet of a workbook, else the first.")
    ] = None,
    header_line: Annotated[
        int | None,
        _option("--header-line", metavar="N", min=1, help="The line of the headings; lines above are left out."),
    ] = None,
    exclude: Annotated[
        list[Path] | None,
        _option("--exclude", metavar="FILE", help="A do-not-call file: its people are not rung; repeatable."),
    ] = None,
    exclude_unread_ok: Annotated[
        bool, _option("--exclude-unread-ok", help="Let entries of a do-not-call file pass that cannot be read.")
    ] = False,
    each_row: Annotated[
        bool, _option("--each-row", help="Every row is meant: ring a person once for each row.")
    ] = False,
    allow_duplicate: Annotated[
        bool, _option("--allow-duplicate", help="Send rows that were sent within 24 hours once more.")
    ] = False,
    jobs: Annotated[int, _option("--jobs", metavar="N", min=1, max=64, help="How many at once; 1 if left out.")] = 1,
    rate: Annotated[
        str | None, _option("--rate", metavar="10/m", help="At most so many a second, minute or hour.")
    ] = None,
    window: Annotated[
        str | None, _option("--window", metavar="10:00-19:00", help="Sleep outside these hours, by the profile's zone.")
    ] = None,
    stop_after_failures: Annotated[
        int | None,
        _option("--stop-after-failures", metavar="N", min=1, help="Begin no row after so many have failed."),
    ] = None,
    report: Annotated[
        Path | None, _option("--report", metavar="OUT.csv", help="Your columns, with each row's outcome.")
    ] = None,
    journal: Annotated[
        str | None, _option("--journal", metavar="NAME|PATH", help="Where it is kept what was sent; else by the list.")
    ] = None,
    shared: Annotated[
        bool,
        _option("--shared", help="Other machines send rows of this batch too; needs a store on a server."),
    ] = False,
    store: Annotated[
        str | None,
        _option("--store", metavar="URL", help="The store that machines share, else the profile's: postgresql://…."),
    ] = None,
    restart: Annotated[bool, _option("--restart", help="Send all rows anew; asks.")] = False,
    changed_ok: Annotated[bool, _option("--changed-ok", help="The list has changed: take its new rows.")] = False,
    retry_refused: Annotated[bool, _option("--retry-refused", help="Send again what the PBX refused.")] = False,
    resend_unknown: Annotated[
        bool, _option("--resend-unknown", help="Ask for each unknown row whether to send it again.")
    ] = False,
    accept_risk: Annotated[
        bool, _option("--accept-risk", help="Rows that are unknown or were sent before may ring twice.")
    ] = False,
    night_ok: Annotated[bool, _option("--night-ok", help="Call in the profile's quiet hours too.")] = False,
    override_limit: Annotated[
        list[str] | None,
        _option("--override-limit", metavar="NAME", help="Let a limit of the profile pass; repeatable."),
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
    left_out: ClassVar[frozenset[str]] = frozenset()
    """Options that the command does not have."""

    def __init__(self, *words: Any, **more: Any) -> None:
        super().__init__(*words, **more)
        self._names = [name for name in self._names if name not in self.left_out]
        self.params = [param for param in self.params if param.name not in self.left_out]


_OF_LISTS = frozenset({"batch", "map", "list_encoding", "sheet", "header_line"})
_OF_PEOPLE = frozenset({"exclude", "exclude_unread_ok", "each_row", "allow_duplicate", "night_ok"})
_OF_MACHINES = frozenset({"shared", "store"})
_OF_JOURNALS = frozenset({"journal", "restart", "changed_ok"})


class SendingCommand(DiallingCommand):
    """A command that may send many requests and rings nobody."""

    left_out = _OF_PEOPLE | _OF_MACHINES


class ReadingCommand(DiallingCommand):
    """A command that may make many requests, all of which are safe to repeat."""

    left_out = (
        _OF_PEOPLE
        | _OF_JOURNALS
        | _OF_MACHINES
        | {"confirm", "window", "retry_refused", "resend_unknown", "accept_risk", "override_limit"}
    )


class ResumingCommand(DiallingCommand):
    """The command that continues a batch: its list and its options are in the journal."""

    left_out = _OF_LISTS | _OF_JOURNALS | {"each_row", "allow_duplicate"}


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
        raise UsageError(f"{word} does not go with a batch", hint="--report OUT.csv writes a CSV; stdout is JSON Lines")
    return run_batch(session, command, options, defaults, keep, table)


def needed(value: str | None, option: str) -> str:
    """Returns an option that only a batch may leave out. Raises UsageError."""
    if value is None:
        raise UsageError(f"Missing option '{option}'", hint="give it, or a list of rows with --batch FILE")
    return value


def refuse_batch_options(options: BatchOptions, *single: str) -> None:
    """Raises UsageError for options without meaning without `--batch`; `single` options also apply to one call."""
    for name, value in options._asdict().items():
        if name not in ("jobs", *single) and value:
            word = "map" if name == "mapped" else name.replace("_", "-")
            raise UsageError(f"--{word} goes with --batch", hint="give --batch FILE")


def needed_ids(values: list[str] | None, name: str, *, others: str = "") -> list[str]:
    """Returns arguments that only a batch, or the `others`, may stand for. Raises UsageError."""
    if not values:
        raise UsageError(f"Missing argument '{name}'", hint=f"give it, {others}or a list of rows with --batch FILE")
    return values


def refuse_both(values: object, name: str, other: str = "--batch") -> None:
    """Raises UsageError for arguments together with a list of them."""
    if values:
        raise UsageError(f"{name} and {other} exclude each other", hint="give one of them")


def refuse_with_batch(**given: object) -> None:
    """Raises UsageError for options without use in a batch."""
    for name, value in given.items():
        if value:
            raise UsageError(f"--{name.replace('_', '-')} does not go with --batch", hint="leave it out")
