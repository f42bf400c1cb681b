"""The command tree for machines, as `alovoice help --json` prints it and `alovoice skill` tells it."""

from collections.abc import Sequence
from difflib import get_close_matches

from alovoice_cli import __version__
from alovoice_cli.commands.command_effects import COMMAND_EFFECTS, EFFECT_MEANINGS, UNKNOWN_OUTCOMES
from alovoice_cli.commands.command_tree import full_tree
from alovoice_cli.errors import AlovoiceError, ExitCode, UsageError
from alovoice_cli.reference.topics import EXIT_STATUS
from alovoice_cli.reference.tree import Argument, Command, Option, global_options, own_options, read_tree

_ENDINGS = {
    ExitCode.DONE: "done",
    ExitCode.INTERRUPTED: "interrupted",
    ExitCode.READER_GONE: "reader_gone",
    ExitCode.TERMINATED: "terminated",
}
"""The kinds of endings that are no error of their own."""


def as_json(words: Sequence[str] = ()) -> dict[str, object]:
    """Returns the tree below the command that the words name (none: the whole tree), with what holds for all of it.

    `command` is the command with its `commands`; a command without commands has an `effect`, and says with
    `may_end_unknown` whether it may end with exit code 6. Raises UsageError for words that name no command.
    """
    tree = read_tree(full_tree())
    common = global_options(tree)
    return {
        "program": tree.name,
        "version": __version__,
        "command": _command(find_command(tree, words), common),
        "global_options": [_option(option) for option in common],
        "exit_codes": exit_codes(),
        "effects": dict(EFFECT_MEANINGS),
    }


def find_command(tree: Command, words: Sequence[str]) -> Command:
    """Returns the command that the words name, below the tree's root. Raises UsageError where there is none."""
    command = tree
    for word in words:
        below = {one.name: one for one in command.shown}
        if word not in below:
            near = get_close_matches(word, below, n=1)
            offered = f"did you mean {near[0]}?" if near else f"see `{' '.join(command.path)} --help`"
            raise UsageError(f"{' '.join(command.path)} has no command {word!r}", hint=offered)
        command = below[word]
    return command


def exit_codes() -> list[dict[str, object]]:
    """Returns each exit code with its kind, its meaning, and whether the same line may be run again blindly."""
    kinds: dict[int, str] = {int(code): kind for code, kind in _ENDINGS.items()}
    for error in AlovoiceError.__subclasses__():
        kinds.setdefault(int(error.exit_code), error.kind)
    return [
        {"code": code, "kind": kinds[code], "meaning": text, "retry_safe": code != ExitCode.UNKNOWN_OUTCOME}
        for code, text in EXIT_STATUS
    ]


def _command(command: Command, common: Sequence[Option]) -> dict[str, object]:
    fields: dict[str, object] = {
        "name": command.name,
        "path": " ".join(command.path),
        "summary": command.summary,
        "help": command.help,
        "arguments": [_argument(argument) for argument in command.arguments],
        "options": [_option(option) for option in own_options(command, common)],
        "global_options": [option.name for option in common if option in command.options],
        "examples": list(command.examples),
    }
    words = " ".join(command.path[1:])
    if words in COMMAND_EFFECTS or not command.shown:
        fields |= {"effect": COMMAND_EFFECTS[words], "may_end_unknown": words in UNKNOWN_OUTCOMES}
    return {**fields, "commands": [_command(below, common) for below in command.shown]}


def _option(option: Option) -> dict[str, object]:
    return {
        "name": option.name,
        "flags": list(option.flags),
        **_word(option),
        "environment": option.environment or None,
    }


def _argument(argument: Argument) -> dict[str, object]:
    return {"name": argument.metavar, **_word(argument)}


def _word(word: Option | Argument) -> dict[str, object]:
    value = word.value
    return {
        "type": value.type,
        "metavar": word.metavar or None,
        "choices": list(word.choices),
        "minimum": value.minimum,
        "maximum": value.maximum,
        "default": value.default,
        "required": word.required,
        "repeatable": word.repeatable,
        "help": word.help,
    }
