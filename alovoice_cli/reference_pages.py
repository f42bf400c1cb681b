"""Writes `completions/` and `man/` from the command tree: `python -m alovoice_cli.reference_pages`."""

import sys
from pathlib import Path

from alovoice_cli import __version__
from alovoice_cli.commands.command_tree import full_tree
from alovoice_cli.reference import FILE_NAMES
from alovoice_cli.reference.bash import write_bash
from alovoice_cli.reference.fish import write_fish
from alovoice_cli.reference.manpage import write_manual
from alovoice_cli.reference.powershell import write_powershell
from alovoice_cli.reference.tree import Command, read_tree
from alovoice_cli.reference.zsh import write_zsh

WRITERS = {"bash": write_bash, "zsh": write_zsh, "fish": write_fish, "powershell": write_powershell}
"""The writer of each shell's completion script, from the command tree."""


def write_reference(tree: Command, version: str, directory: Path) -> None:
    """Writes the scripts and pages of this tree into the two folders, and removes pages of deleted commands."""
    scripts, pages = directory / "completions", directory / "man"
    for folder in (scripts, pages):
        folder.mkdir(parents=True, exist_ok=True)
    for old in pages.glob("*.1"):
        old.unlink()
    for shell, name in FILE_NAMES.items():
        _write(scripts / name, WRITERS[shell](tree))
    for name, page in write_manual(tree, version).items():
        _write(pages / name, page)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write_reference(read_tree(full_tree()), __version__, Path(*sys.argv[1:2]))
