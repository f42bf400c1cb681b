"""The global options, with one meaning on both sides of the verb: declared once, added to every command.

The session joins both sides. A list command declares its columns (`shows_list`), so that `--columns` is checked before
the command starts.
"""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, cast

import typer
from typer.main import get_params_convertors_ctx_param_name_from_function

from alovoice_cli import __version__
from alovoice_cli.commands.command_classes import print_page
from alovoice_cli.commands.used_options import CHOOSABLE, used_by
from alovoice_cli.language import Language

if TYPE_CHECKING:
    from alovoice_cli.output.listing import Column

F = TypeVar("F", bound=Callable[..., object])
PANEL = "Global options"


def _option(*flags: str, help: str, metavar: str | None = None) -> Any:
    return typer.Option(*flags, help=help, metavar=metavar, rich_help_panel=PANEL, show_default=False)


def _global_options(
    profile: Annotated[
        str | None, _option("--profile", "-p", metavar="PROFILE", help="Profile of the PBX to use.")
    ] = None,
    json: Annotated[bool, _option("--json", help="Print JSON with all fields of the server.")] = False,
    csv: Annotated[bool, _option("--csv", help="Print lists as CSV.")] = False,
    columns: Annotated[
        str | None, _option("--columns", metavar="A,B", help="Show only these columns of a list.")
    ] = None,
    no_headers: Annotated[bool, _option("--no-headers", help="Leave out the line of headings.")] = False,
    excel: Annotated[bool, _option("--excel", help="Write CSV for Excel: semicolons, local times.")] = False,
    quiet: Annotated[bool, _option("--quiet", "-q", help="Hide notes and progress.")] = False,
    verbose: Annotated[
        bool, _option("--verbose", "-v", help="Print every request and response; secrets are masked.")
    ] = False,
    color: Annotated[
        Literal["auto", "always", "never"] | None,
        _option("--color", metavar="WHEN", help="Use colors: auto, always or never."),
    ] = None,
    timeout: Annotated[
        float | None, _option("--timeout", metavar="SECONDS", help="Time limit for the whole command (default: 30).")
    ] = None,
    base_url: Annotated[
        str | None, _option("--base-url", metavar="URL", help="URL of the PBX (default: the profile's).")
    ] = None,
    lang: Annotated[
        Language | None,
        _option("--lang", metavar="LANG", help="Language of texts and help pages: en, ru or uz (default: en)."),
    ] = None,
    yes: Annotated[bool, _option("--yes", "-y", help="Do not ask for confirmation.")] = False,
    dry_run: Annotated[bool, _option("--dry-run", help="Print what would be sent or changed; do nothing.")] = False,
    no_permission_check: Annotated[
        bool, _option("--no-permission-check", help="Accept a config.toml that other users can change.")
    ] = False,
    version: Annotated[bool, _option("--version", "-V", help="Print the version.")] = False,
    help: Annotated[bool, _option("--help", "-h", help="Print the help page of a command.")] = False,
) -> None:
    """Only a signature, from which Typer reads the options."""


def shows_list(columns: "tuple[Column, ...]") -> Callable[[F], F]:
    """Marks a command function as one that shows a list of these columns."""

    def mark(function: F) -> F:
        function.columns = columns  # type: ignore[attr-defined] # a plain mark; Typer's wrapper carries it along
        return function

    return mark


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


def add_global_options(command: Any, words: str = "") -> None:
    """Adds to this command, and to all below it, the global options that it uses. `words` name it behind `alovoice`.

    An option of the command's own of the same name stays.
    """
    unused = CHOOSABLE - used_by(words) if not hasattr(command, "commands") else frozenset()
    own = {flag for param in command.params for flag in param.opts}
    added = [option for option in _options() if option.name not in unused and not own & set(option.opts)]
    command.params = [*command.params, *added]
    command.add_help_option = False
    for name, below in getattr(command, "commands", {}).items():
        add_global_options(below, f"{words} {name}".strip())
