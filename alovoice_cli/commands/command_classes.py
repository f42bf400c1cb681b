"""The classes of all commands and groups: they print our own help pages, and check the words of a command line."""

from collections.abc import Callable
from typing import Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup

from alovoice_cli.errors import UsageError

F = TypeVar("F", bound=Callable[..., Any])


class CommandApp(typer.Typer):
    """A Typer app whose commands and groups are of the classes below."""

    def __init__(self, *, cls: "type[CommandGroup] | None" = None, **more: Any) -> None:
        super().__init__(cls=cls or CommandGroup, add_completion=False, rich_markup_mode=None, **more)

    def command(
        self, name: str | None = None, *, cls: type[TyperCommand] | None = None, **more: Any
    ) -> Callable[[F], F]:
        """Registers a command, as Typer does."""
        return super().command(name, cls=cls or PagedCommand, **more)


class PagedCommand(TyperCommand):
    """A command that has a help page, and names all missing words at once."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Reads the words. Raises UsageError for missing ones."""
        check_required(self, ctx, args)
        return super().parse_args(ctx, args)


class CommandGroup(TyperGroup):
    """A group of commands. Without a command it prints its help page."""

    def invoke(self, ctx: Any) -> Any:
        """Runs the command that the words name."""
        if not ctx._protected_args and not self.invoke_without_command:
            print_page(ctx)
            return 0
        return super().invoke(ctx)


def check_required(command: Any, ctx: Any, args: list[str]) -> None:
    """Raises UsageError that names every required option and argument that the words lack."""
    required = [param for param in command.params if param.required]
    if not required:
        return
    given, _, _ = command.make_parser(ctx).parse_args(list(args))
    if given.get("help") or given.get("version"):
        return
    refuse_missing(
        ctx, [name_of(param) for param in required if param.value_is_missing(param.consume_value(ctx, given)[0])]
    )


def name_of(param: Any) -> str:
    """Returns what a person types for a parameter: `--record FILE`, or `ID`."""
    from alovoice_cli.commands.help_page import metavar_of  # noqa: PLC0415 - only an error needs it

    metavar = metavar_of(param)
    if param.param_type_name == "argument":
        return metavar
    return f"{param.opts[0]} {metavar}".rstrip()


def refuse_missing(ctx: Any, names: list[str], otherwise: str = "") -> None:
    """Raises UsageError if names of missing words are given. `otherwise` says what can be given instead."""
    if names:
        hint = f"see `{ctx.command_path} --help`"
        raise UsageError(f"missing: {', '.join(names)}", hint=f"{otherwise}; {hint}".removeprefix("; "))


def print_page(ctx: Any) -> None:
    """Writes the help page of the context's command to the standard output."""
    from alovoice_cli.commands.help_page import write_page  # noqa: PLC0415 - most command lines ask for no page

    session = ctx.obj
    color = session.options.color
    plain = bool(session.environ.get("NO_COLOR")) or session.environ.get("TERM") == "dumb"
    bold = color == "always" or (color == "auto" and session.stdout.isatty() and not plain)
    session.stdout.write(write_page(ctx, bold=bold))
