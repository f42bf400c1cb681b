"""`alovoice completion`: prints a shell's static completion script."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import typer

import alovoice_cli
from alovoice_cli.commands.options import examples
from alovoice_cli.errors import UsageError
from alovoice_cli.session import Session

FILE_NAMES: Mapping[str, str] = {"bash": "alovoice.bash", "zsh": "_alovoice", "fish": "alovoice.fish"}
"""What each shell's script is called in the folder `completions`."""

app = typer.Typer()


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
    """Print the completion script of a shell. TAB then completes without starting Python."""
    session: Session = ctx.obj
    if session.options.json:
        raise UsageError("a completion script is no JSON", hint="leave --json out")
    session.display.write(script_path(shell).read_text("utf-8"))


def script_path(shell: str) -> Path:
    """The script's file: in the installed package, or in the checkout that an editable install runs from."""
    package = Path(alovoice_cli.__file__).parent
    installed = package / "completions" / FILE_NAMES[shell]
    return installed if installed.exists() else package.parent / "completions" / FILE_NAMES[shell]
