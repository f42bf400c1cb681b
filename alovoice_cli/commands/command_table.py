"""The table of contents: which noun is which module, and the line that `alovoice --help` says of it.

A noun's module is imported only when its name is among the words (84 commands built at once cost about 30 ms more
than one group); the others stand in the help as an entry without a body. Two tests keep table and modules in step.
"""

from collections.abc import Collection
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.main import get_command

from alovoice_cli.commands.global_options import add_global_options

PROGRAM = "alovoice"
_EPILOG = "Try it without a PBX: alovoice demo\n\nOn a real one: alovoice login"


@dataclass(frozen=True, slots=True)
class Noun:
    """One word after `alovoice`. With `verbs` it is a group of commands, else a command itself."""

    name: str
    help: str
    panel: str
    verbs: bool = False

    @property
    def module(self) -> str:
        return f"alovoice_cli.commands.{self.name}"


_WORK, _ACCOUNT, _TOOLS = "PBX", "Account", "Tools"

NOUNS = (
    Noun("autorule", "Auto-dial campaigns: check, create, list, watch.", _WORK, verbs=True),
    Noun("numbers", "Lists of phone numbers: read, cleaned, explained.", _WORK, verbs=True),
    Noun("trunks", "The PBX's lines.", _WORK),
    Noun("peers", "The PBX's extensions.", _WORK),
    Noun("call", "Place one call, or many; read the receipts.", _WORK, verbs=True),
    Noun("events", "What the PBX told the listener: the history of calls.", _WORK, verbs=True),
    Noun("route", "Routing rules: check them, try them, measure them.", _WORK, verbs=True),
    Noun("ai", "Speech analysis of recorded calls: fetched, searched, scored, reported.", _WORK, verbs=True),
    Noun("listen", "Receive what the PBX sends: calls, results, route questions.", _WORK, verbs=True),
    Noun("api", "Any request to the API, with the token in its place.", _WORK),
    Noun("login", "Store a PBX's token under a profile, after checking it.", _ACCOUNT),
    Noun("logout", "Forget a profile's token.", _ACCOUNT),
    Noun("status", "What is in force: profile, server, token; does it work?", _ACCOUNT),
    Noun("config", "Profiles and their settings.", _ACCOUNT, verbs=True),
    Noun("sandbox", "A simulated PBX with the same API.", _TOOLS, verbs=True),
    Noun("demo", "A tour of the main job on the sandbox.", _TOOLS),
    Noun("completion", "The completion script of bash, zsh or fish.", _TOOLS),
)


def _attach(app: typer.Typer, words: Collection[str]) -> None:
    """Adds every noun to the app: those among the words with their commands, the others as a line of help."""
    for noun in NOUNS:
        if noun.name not in words:
            app.command(noun.name, help=noun.help, rich_help_panel=noun.panel)(_body_elsewhere)
        elif noun.verbs:
            group = import_module(noun.module).app
            if group.registered_callback:  # it does something by itself, and says what
                app.add_typer(group, name=noun.name, rich_help_panel=noun.panel)
            else:
                app.add_typer(group, name=noun.name, help=noun.help, rich_help_panel=noun.panel)
        else:
            app.add_typer(import_module(noun.module).app)


def build_tree(words: Collection[str], *, decorated: bool) -> Any:
    """The command tree that these words need, as Typer's group. `decorated`: help drawn by rich, for a terminal."""
    app = typer.Typer(
        name=PROGRAM,
        add_completion=False,
        rich_markup_mode="rich" if decorated else None,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        epilog=_EPILOG,
    )
    app.callback()(_root)
    _attach(app, words)
    tree: Any = get_command(app)
    tree.commands = {noun.name: tree.commands[noun.name] for noun in NOUNS}
    add_global_options(tree)
    if decorated:
        _keep_lines(tree)
    return tree


def _keep_lines(command: Any) -> None:
    """rich runs the lines of a paragraph together: each line of the examples becomes a paragraph of its own."""
    if command.epilog:
        command.epilog = "\n\n".join(line for line in command.epilog.splitlines() if line.strip("\b"))
    for below in getattr(command, "commands", {}).values():
        _keep_lines(below)


def full_tree() -> Any:
    """The whole command tree, for the manual and the completion scripts."""
    return build_tree([noun.name for noun in NOUNS], decorated=False)


def _root() -> None:
    """The command line of the AloVoice cloud PBX: campaigns, calls, lines, extensions, speech analyses."""


def _body_elsewhere() -> None:
    """Stands for a command whose name was not among the words, and which therefore can't be run."""
