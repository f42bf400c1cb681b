"""The classes of all commands and groups: they print our own help pages, and check the words of a command line."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup

from alovoice_cli.commands.used_options import check_used

if TYPE_CHECKING:
    from alovoice_cli.session import Session

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
    """A command with a help page and plain messages about wrong words."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Reads the words. Raises UsageError."""
        rest = _parse(self, super().parse_args, ctx, args)
        check_used(ctx.obj.options, ctx)
        return rest


class CommandGroup(TyperGroup):
    """A group of commands. Without a command it prints its help page."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Reads the words before the command. Raises UsageError."""
        return _parse(self, super().parse_args, ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Finds the command that the words name. Raises UsageError if there is none."""
        if self.get_command(ctx, args[0]) is None:
            refuse_unknown_command(ctx, args[0])
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Runs the command that the words name."""
        if not ctx._protected_args and not self.invoke_without_command:
            print_page(ctx)
            return 0
        if not ctx._protected_args:
            check_used(ctx.obj.options, ctx)
        return super().invoke(ctx)


def _parse(command: Any, parse: Callable[[Any, list[str]], list[str]], ctx: Any, args: list[str]) -> list[str]:
    """Parses the words of a command, after a look whether everything is given that must be."""
    words = list(args)
    try:
        missing = _find_missing(command, ctx, words)
        if not missing:
            return parse(ctx, args)
    except typer.TyperException as problem:
        from alovoice_cli.commands.usage_errors import words_error  # noqa: PLC0415 - most words are right

        raise words_error(command, ctx, words, problem) from None
    refuse_missing(ctx, missing)
    return []


def _find_missing(command: Any, ctx: Any, words: list[str]) -> list[Any]:
    """Returns the options and arguments that must be given and are not."""
    required = [param for param in command.params if param.required]
    if not required:
        return []
    given, _, _ = command.make_parser(ctx).parse_args(list(words))
    if given.get("help") or given.get("version"):
        return []
    return [param for param in required if param.value_is_missing(param.consume_value(ctx, given)[0])]


def refuse_missing(ctx: Any, params: Sequence[Any], otherwise: str = "") -> None:
    """Raises UsageError if there are missing options or arguments. `otherwise` says what can be given instead."""
    if params:
        from alovoice_cli.commands.usage_errors import missing_error  # noqa: PLC0415 - most words are right

        raise missing_error(ctx, params, otherwise)


def refuse_unknown_command(ctx: Any, word: str) -> NoReturn:
    """Raises UsageError for a word that is no command of the context's group."""
    from alovoice_cli.commands.usage_errors import unknown_command  # noqa: PLC0415 - most words are right

    raise unknown_command(ctx, word)


def print_page(ctx: Any) -> None:
    """Writes the help page of the context's command to the standard output."""
    from alovoice_cli.commands.help_page import write_page  # noqa: PLC0415 - most command lines ask for no page

    ctx.obj.stdout.write(write_page(ctx, bold=_has_bold(ctx.obj)))


def print_topic(session: "Session", title: str, rows: Sequence[tuple[str, str]], note: str) -> None:
    """Writes a table of what holds for every command to the standard output."""
    from alovoice_cli.commands.help_page import write_topic  # noqa: PLC0415 - as above

    session.stdout.write(write_topic(title, rows, note, bold=_has_bold(session)))


def _has_bold(session: "Session") -> bool:
    """Returns whether headings are bold: on a terminal, unless colors are off."""
    plain = bool(session.environ.get("NO_COLOR")) or session.environ.get("TERM") == "dumb"
    color = session.options.color
    return color == "always" or (color == "auto" and session.stdout.isatty() and not plain)
