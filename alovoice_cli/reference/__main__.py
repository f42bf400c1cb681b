"""Writes `completions/` and `man/` anew from the command tree: `python -m alovoice_cli.reference [DIRECTORY]`."""

import sys
from pathlib import Path

from alovoice_cli import __version__
from alovoice_cli.commands.contents import full_tree
from alovoice_cli.reference.completion import FILE_NAMES, write_completion
from alovoice_cli.reference.manpage import write_manual
from alovoice_cli.reference.tree import Command, read_tree


def write_reference(tree: Command, version: str, directory: Path) -> None:
    """Puts the scripts and pages of this tree into the two folders, and removes pages of commands that are gone."""
    scripts, pages = directory / "completions", directory / "man"
    for folder in (scripts, pages):
        folder.mkdir(parents=True, exist_ok=True)
    for old in pages.glob("*.1"):
        old.unlink()
    for shell, name in FILE_NAMES.items():
        _write(scripts / name.format(tree.name), write_completion(shell, tree))
    for name, page in write_manual(tree, version).items():
        _write(pages / name, page)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write_reference(read_tree(full_tree()), __version__, Path(*sys.argv[1:2]))
