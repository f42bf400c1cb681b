"""The commands of the tree, and a rules file for the command lines that need one."""

from collections.abc import Iterator
from typing import Any

from alovoice_cli.commands.command_tree import full_tree

RULES = """fallback = { queue = "6000" }
[hours]
office = ["Mon-Fri 09:00-18:00"]
[[rule]]
name = "night"
when = { not = { hours = "office" } }
then = { hangup = true }
"""


def _leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    below = getattr(command, "commands", None)
    if below is None:
        yield " ".join(path), command
        return
    for name, inner in below.items():
        yield from _leaves(inner, (*path, name))


LEAVES = dict(_leaves(full_tree()))
