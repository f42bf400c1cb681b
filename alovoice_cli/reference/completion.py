"""Writes the static completion scripts: TAB then starts no Python, asks no server, and reads config.toml at most."""

from alovoice_cli.reference.bash import write_bash
from alovoice_cli.reference.fish import write_fish
from alovoice_cli.reference.tree import Command
from alovoice_cli.reference.zsh import write_zsh

_WRITERS = {"bash": write_bash, "zsh": write_zsh, "fish": write_fish}

FILE_NAMES = {"bash": "{}.bash", "zsh": "_{}", "fish": "{}.fish"}
"""What each shell's script is called in a package; `{}` is the program's name."""


def write_completion(shell: str, tree: Command) -> str:
    """The script of `bash`, `zsh` or `fish` (KeyError for another) that completes the program of this tree."""
    return _WRITERS[shell](tree)
