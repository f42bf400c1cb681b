"""The options of many calls from one list, which several commands take."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from alovoice_cli.errors import UsageError
from alovoice_cli.session import Session

F = TypeVar("F", bound=Callable[..., Any])
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


def _reads(
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
) -> None:
    """Only a signature: what a command takes that asks for many things."""


def _sends(
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
) -> None:
    """Only a signature: what a command takes that sends many things."""


def _dials(
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
) -> None:
    """Only a signature: what a command takes that rings many people."""


def _resumes(
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
) -> None:
    """Only a signature: what a batch takes that goes on from its journal."""


_SIGNATURES: Mapping[str, Callable[..., None]] = {
    "reads": _reads,
    "sends": _sends,
    "dials": _dials,
    "resumes": _resumes,
}


def takes_batch(kind: str = "sends") -> Callable[[F], F]:
    """Gives a command these options in place of its `**words`, so that no command repeats them."""

    def give(function: F) -> F:
        own = inspect.signature(function)
        more = inspect.signature(_SIGNATURES[kind]).parameters.values()
        kept = [found for found in own.parameters.values() if found.kind is not inspect.Parameter.VAR_KEYWORD]
        plain = [found.replace(kind=inspect.Parameter.KEYWORD_ONLY) for found in more]
        function.__signature__ = own.replace(parameters=[*kept, *plain])  # type: ignore[attr-defined] # read by Typer
        hints = _SIGNATURES[kind].__annotations__
        function.__annotations__ |= {name: hint for name, hint in hints.items() if name != "return"}
        return function

    return give


def run(
    session: Session,
    command: str,
    words: Mapping[str, Any],
    defaults: Mapping[str, str | Sequence[str] | None],
    keep: Callable[[str, Any], None] | None = None,
) -> int:
    """Runs the batch that the words ask for and returns the exit code. `keep` takes each answer of one that reads."""
    # Here and not above: a single call needs none of it.
    from alovoice_cli.batching.preparation import run_batch
    from alovoice_cli.batching.wish import Wish

    if session.options.csv or session.options.columns is not None:
        word = "--csv" if session.options.csv else "--columns"
        raise UsageError(f"{word} does not go with --batch", hint="--report OUT.csv writes a CSV; stdout is JSON Lines")
    wish = Wish.of({**words, "source": words["batch"], "mapped": words["map"]})
    return run_batch(session, command, wish, defaults, keep)


def needed(value: str | None, option: str) -> str:
    """An option that only a batch may leave out. Raises UsageError."""
    if value is None:
        raise UsageError(f"Missing option '{option}'", hint="give it, or a list of rows with --batch FILE")
    return value


def refuse_batch_words(words: Mapping[str, Any], *single: str) -> None:
    """Raises UsageError for options that say nothing without `--batch`; `single` say something to one call too."""
    for name, value in words.items():
        if name not in ("jobs", "batch", *single) and value:
            raise UsageError(f"--{name.replace('_', '-')} goes with --batch", hint="give --batch FILE")


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
