"""`alovoice completion`: prints a shell's static completion script."""

from typing import Annotated, Literal

import typer

from alovoice_cli.commands.command_classes import CommandApp
from alovoice_cli.commands.options import examples
from alovoice_cli.errors import UsageError
from alovoice_cli.reference import read_script
from alovoice_cli.session import Session

app = CommandApp()


@app.command(
    "completion",
    epilog=examples(
        "alovoice completion bash > ~/.local/share/bash-completion/completions/alovoice",
        'alovoice completion zsh > "${fpath[1]}/_alovoice"',
        "alovoice completion fish > ~/.config/fish/completions/alovoice.fish",
    ),
)
def print_script(
    ctx: typer.Context,
    shell: Annotated[Literal["bash", "zsh", "fish"], typer.Argument(help="The shell that will read the script.")],
) -> None:
    """Print the completion script of a shell.

    TAB then completes commands and options without starting Python.
    """
    session: Session = ctx.obj
    if session.options.json:
        raise UsageError("a completion script is no JSON", hint="leave --json out")
    session.display.write(read_script(shell))
