"""Where the completion scripts lie. Imports little: `alovoice completion` prints one before anything else is loaded."""

from pathlib import Path

import alovoice_cli

FILE_NAMES = {"bash": "alovoice.bash", "zsh": "_alovoice", "fish": "alovoice.fish", "powershell": "alovoice.ps1"}
"""The file name of each shell's script in the folder `completions`."""

INSTALLATION = {
    "bash": (
        "mkdir -p ~/.local/share/alovoice",
        "alovoice completion bash > ~/.local/share/alovoice/completion.bash",
        "echo '. ~/.local/share/alovoice/completion.bash' >> ~/.bashrc",
    ),
    "zsh": (
        "mkdir -p ~/.zfunc",
        "alovoice completion zsh > ~/.zfunc/_alovoice",
        "echo 'fpath=(~/.zfunc $fpath); autoload -Uz compinit; compinit' >> ~/.zshrc",
    ),
    "fish": (
        "mkdir -p ~/.config/fish/completions",
        "alovoice completion fish > ~/.config/fish/completions/alovoice.fish",
    ),
    "powershell": (
        "New-Item -Force -ItemType Directory (Split-Path $PROFILE) | Out-Null",
        "Add-Content $PROFILE 'alovoice completion powershell | Out-String | Invoke-Expression'",
    ),
}
"""The lines that install each shell's script in a fresh account, to type in that shell."""


def read_script(shell: str) -> str:
    """Returns the shell's script, from the installed package or the checkout of an editable install.

    Raises OSError if it is missing.
    """
    package = Path(alovoice_cli.__file__).parent
    installed = package / "completions" / FILE_NAMES[shell]
    path = installed if installed.exists() else package.parent / "completions" / FILE_NAMES[shell]
    return path.read_text("utf-8")
