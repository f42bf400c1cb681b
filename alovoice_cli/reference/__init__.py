"""Where the completion scripts lie. Imports little: `alovoice completion` prints one before anything else is loaded."""

from pathlib import Path

import alovoice_cli

FILE_NAMES = {"bash": "alovoice.bash", "zsh": "_alovoice", "fish": "alovoice.fish"}
"""What each shell's script is called in the folder `completions`."""


def read_script(shell: str) -> str:
    """The shell's script, from the installed package or the checkout that an editable install runs from.

    Raises OSError where it is missing.
    """
    package = Path(alovoice_cli.__file__).parent
    installed = package / "completions" / FILE_NAMES[shell]
    path = installed if installed.exists() else package.parent / "completions" / FILE_NAMES[shell]
    return path.read_text("utf-8")
