"""Builds the command tree from the command table: whole for the manual, lazily for one command line."""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any, cast

import typer
from typer.main import get_command

from alovoice_cli.commands.command_classes import CommandApp, CommandGroup
from alovoice_cli.commands.command_table import NOUNS, Noun, Subcommand
from alovoice_cli.commands.global_options import add_global_options

PROGRAM = "alovoice"
_EPILOG = """\
Try it without a PBX: alovoice demo
With a PBX: alovoice login
"""


class LazyGroup(CommandGroup):
    """A group that builds a command when it is named; before that each is a line of help."""

    builders: dict[str, Callable[[], Any]]

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Builds the command that the words name, and finds it."""
        self.build(args[0])
        return super().resolve_command(ctx, args)

    def build(self, name: str) -> None:
        """Replaces the command's line of help by the command."""
        builder = self.builders.pop(name, None)
        if builder is not None:
            command, line = builder(), cast(Any, self.commands[name])
            command.rich_help_panel = line.rich_help_panel
            self.commands[name] = command


def build_tree() -> Any:
    """Returns the command tree as Typer's group."""
    app = CommandApp(cls=LazyGroup, name=PROGRAM, epilog=_EPILOG)
    app.callback()(_root)
    for noun in NOUNS:
        app.command(noun.name, help=noun.help, rich_help_panel=noun.panel)(_body_elsewhere)
    tree: Any = get_command(app)
    tree.builders = {noun.name: partial(_build_noun, noun) for noun in NOUNS}
    add_global_options(tree)
    return tree


def _build_noun(noun: Noun) -> Any:
    if not noun.verbs:
        app = import_module(noun.module).app
        name = noun.name if app.registered_callback else None  # a command of one word, or a group that does something
        return _built(app, noun.name, name=name)
    app = CommandApp(cls=noun.find(noun.group_class) if noun.group_class else LazyGroup)
    for verb in noun.verbs:
        app.command(verb.name, help=verb.help)(_body_elsewhere)
    group = _built(app, noun.name, name=noun.name, help=noun.help)
    group.builders = {verb.name: partial(_build_verb, noun, verb) for verb in noun.verbs}
    return group


def _build_verb(noun: Noun, verb: Subcommand) -> Any:
    found, path = noun.find(verb.place), f"{noun.name} {verb.name}"
    if isinstance(found, typer.Typer):
        return _built(found, path, name=verb.name, help=verb.help)
    names = vars(import_module(found.__module__))
    app = CommandApp()
    app.command(
        verb.name,
        cls=noun.find(verb.command_class) if verb.command_class else None,
        epilog=names.get(f"{verb.name.upper()}_EXAMPLES") or names["EXAMPLES"],
    )(found)
    return _built(app, path)


def _built(app: typer.Typer, path: str, **placed: Any) -> Any:
    """Returns the app's command or group of this path, the words behind `alovoice`, with the global options."""
    parent = CommandApp()
    parent.callback()(_root)
    parent.add_typer(app, **placed)
    tree: Any = get_command(parent)
    command = tree.commands[path.rpartition(" ")[2]]
    add_global_options(command, path)
    return command


def full_tree() -> Any:
    """Returns the whole command tree, for the manual and the completion scripts."""
    tree = build_tree()
    for noun in NOUNS:
        tree.build(noun.name)
        for verb in noun.verbs:
            tree.commands[noun.name].build(verb.name)
    return tree


def _root() -> None:
    """The command line of the AloVoice cloud PBX: campaigns, calls, lines, extensions, speech analyses."""


def _body_elsewhere() -> None:
    """Stands for a command that the words have not named."""
