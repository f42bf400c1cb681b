"""`alovoice help`: the help page of a command or a topic; with `--json` the command tree for machines."""

from typing import Annotated, Any

import typer

from alovoice_cli.commands.command_classes import CommandApp, print_page, print_topic, refuse_unknown_command
from alovoice_cli.commands.options import examples
from alovoice_cli.language import mark
from alovoice_cli.reference.topics import ENVIRONMENT, ENVIRONMENT_NOTE, EXIT_STATUS, EXIT_WARNING
from alovoice_cli.session import Session

app = CommandApp()
TOPICS = {
    "exit-codes": (mark("Exit codes"), [(str(code), text) for code, text in EXIT_STATUS], EXIT_WARNING),
    "environment": (mark("Environment variables"), ENVIRONMENT, ENVIRONMENT_NOTE),
}


@app.command("help", epilog=examples("alovoice help call out", "alovoice help exit-codes", "alovoice help --json"))
def show_help(
    ctx: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[COMMAND|TOPIC]", help="Command, such as call out; or exit-codes, environment."),
    ] = None,
) -> None:
    """Show the help page of a command or a topic.

    Topics: exit-codes, environment. --json prints the tree of all commands, or of the given one, for programs.
    """
    session: Session = ctx.obj
    asked = words or []
    if session.options.json:
        print_tree(session, asked)
    elif len(asked) == 1 and asked[0] in TOPICS:
        print_topic(session, *TOPICS[asked[0]])
    else:
        print_page(find_context(ctx, asked))


def find_context(ctx: Any, words: list[str]) -> Any:
    """Returns a context of the command that the words name. Raises UsageError if there is none."""
    found = ctx.find_root()
    for word in words:
        group = found.command
        if hasattr(group, "build"):
            group.build(word)
        command = group.get_command(found, word) if hasattr(group, "commands") else None
        if command is None:
            refuse_unknown_command(found, word)
        found = type(ctx)(command, info_name=word, parent=found)
    return found


def print_tree(session: Session, words: list[str]) -> None:
    """Prints the command tree as JSON, from the command that the words name."""
    from alovoice_cli.output.listing import Record  # noqa: PLC0415 - a page needs none of it
    from alovoice_cli.reference.machine_tree import as_json  # noqa: PLC0415 - it builds all commands

    session.show(Record(as_json(words), ours=True))
