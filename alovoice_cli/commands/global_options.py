"""The global options, with one meaning on both sides of the verb: declared once, added to every command.

The session joins both sides; a list command declares its columns (`shows_list`), so that `--csv` and `--columns` are
checked before the command does anything.
"""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, cast

import typer
from typer.main import get_params_convertors_ctx_param_name_from_function

from alovoice_cli import __version__
from alovoice_cli.commands.command_classes import print_page
from alovoice_cli.errors import UsageError
from alovoice_cli.language import LANGUAGES, Language
from alovoice_cli.output.options import GlobalOptions

if TYPE_CHECKING:
    from alovoice_cli.output.listing import Column

F = TypeVar("F", bound=Callable[..., object])
PANEL = "Global options"
_WRITES_CSV = {"clean", "rejected", "report", "unreached"}
"""Options by which a command writes a CSV file."""


def _option(*flags: str, help: str, metavar: str | None = None) -> Any:
    return typer.Option(*flags, help=help, metavar=metavar, rich_help_panel=PANEL, show_default=False)


def _global_options(
    profile: Annotated[str | None, _option("--profile", "-p", metavar="PROFILE", help="The PBX to use.")] = None,
    json: Annotated[bool, _option("--json", help="Print JSON: the server's own fields, whole.")] = False,
    csv: Annotated[bool, _option("--csv", help="Print CSV (lists).")] = False,
    columns: Annotated[str | None, _option("--columns", metavar="A,B", help="Only these columns (lists).")] = None,
    no_headers: Annotated[bool, _option("--no-headers", help="No header line.")] = False,
    excel: Annotated[
        bool, _option("--excel", help="Write CSV as Excel wants it: its mark, semicolons, local times.")
    ] = False,
    quiet: Annotated[bool, _option("--quiet", "-q", help="No remarks and no progress.")] = False,
    verbose: Annotated[bool, _option("--verbose", "-v", help="Each request and answer on stderr, masked.")] = False,
    color: Annotated[
        Literal["auto", "always", "never"] | None, _option("--color", metavar="WHEN", help="auto, always or never.")
    ] = None,
    timeout: Annotated[
        float | None, _option("--timeout", metavar="SECONDS", help="For the whole conversation; 30 by default.")
    ] = None,
    base_url: Annotated[
        str | None, _option("--base-url", metavar="URL", help="The server, else the profile's.")
    ] = None,
    lang: Annotated[
        Language | None,
        _option("--lang", metavar="|".join(LANGUAGES), help="Language of texts and help pages (default: en)."),
    ] = None,
    yes: Annotated[bool, _option("--yes", "-y", help="Ask no questions.")] = False,
    dry_run: Annotated[
        bool, _option("--dry-run", help="Print the request that would change something, and its curl; send nothing.")
    ] = False,
    no_permission_check: Annotated[
        bool, _option("--no-permission-check", help="Trust a config.toml that others may change.")
    ] = False,
    version: Annotated[bool, _option("--version", "-V", help="Print the version.")] = False,
    help: Annotated[bool, _option("--help", "-h", help="Print the help page of the command.")] = False,
) -> None:
    """Only a signature: Typer reads the options off it."""


def shows_list(columns: "tuple[Column, ...]") -> Callable[[F], F]:
    """Marks a command function as one that shows a list of these columns."""

    def mark(function: F) -> F:
        function.columns = columns  # type: ignore[attr-defined] # a plain mark; Typer's wrapper carries it along
        return function

    return mark


def check_excel(options: GlobalOptions, command: Any) -> None:
    """Raises UsageError for `--excel` without any CSV output, before the command does anything."""
    if options.excel and not options.csv and not _WRITES_CSV & {param.name for param in command.params}:
        raise UsageError(
            "--excel goes with --csv, or with an option that writes a CSV", hint="add --csv, or leave it out"
        )


def check_listing(options: GlobalOptions, columns: "tuple[Column, ...] | None") -> None:
    """Raises UsageError for an unsuitable `--csv` or `--columns`, before the command does anything."""
    if columns is None and (options.csv or options.columns is not None):
        word = "--csv" if options.csv else "--columns"
        raise UsageError(f"{word} is for lists: this command shows no list", hint="use --json instead")
    if columns is not None and options.columns is not None:
        from alovoice_cli.output.listing import choose_columns  # noqa: PLC0415 - help shows no list

        choose_columns(columns, options.columns)


def _fold(ctx: typer.Context, param: Any, value: object) -> object:
    session = ctx.obj
    if session is not None and value is not None and value is not False:
        if param.name == "version":
            session.display.write(f"alovoice {__version__}\n")
            raise typer.Exit
        if param.name == "help":
            print_page(ctx)
            raise typer.Exit
        session.set_options(session.options.with_option(param.name, value))
    if session is not None and not hasattr(ctx.command, "commands"):
        check_listing(session.options, getattr(ctx.command.callback, "columns", None))
        if not value and not param.is_eager:  # options that were not given come last, except eager ones
            check_excel(session.options, ctx.command)
    return value


@cache
def _options() -> list[Any]:
    """Returns the global options as Typer's parameters: the same objects for every command, they have no state."""
    options, _, _ = get_params_convertors_ctx_param_name_from_function(_global_options)
    for option in options:
        option.expose_value = False
        option.callback = cast(Any, _fold)  # Click's own class of the context is private
        option.is_eager = option.name in ("version", "help")  # before the check for missing arguments
    return options


def add_global_options(command: Any) -> None:
    """Adds the global options to this command and to all below it, but not where it has its own."""
    own = {flag for param in command.params for flag in param.opts}
    command.params = [*command.params, *(option for option in _options() if not own & set(option.opts))]
    command.add_help_option = False
    for below in getattr(command, "commands", {}).values():
        add_global_options(below)
