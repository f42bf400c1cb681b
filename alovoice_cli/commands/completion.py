"""`alovoice completion`: prints a shell's static completion script."""

from typing import Annotated, Literal

import typer

from alovoice_cli.commands.command_classes import CommandApp
from alovoice_cli.commands.options import examples
from alovoice_cli.errors import UsageError
from alovoice_cli.language import tr
from alovoice_cli.reference import INSTALLATION, read_script
from alovoice_cli.session import Session

app = CommandApp()


@app.command(
    "completion",
    epilog=examples(*(line for lines in INSTALLATION.values() for line in lines)),
)
def print_script(
    ctx: typer.Context,
    shell: Annotated[Literal["bash", "zsh", "fish", "powershell"], typer.Argument(help="Shell that reads the script.")],
) -> None:
    """Print the completion script of a shell.

    TAB then completes commands and options without starting Python. The lines below install it in bash, in zsh, in fish
    and in PowerShell; it works in every shell that you open afterwards.
    """
    session: Session = ctx.obj
    if session.options.json:
        raise UsageError(tr("a completion script is not JSON"), hint=tr("leave --json out"))
    session.display.write(read_script(shell))
