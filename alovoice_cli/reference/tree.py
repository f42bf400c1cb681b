"""The command tree as plain values for the manual and the completion scripts, independent of Typer.

Typer's objects are read by their attributes (they are Click's, which Typer has in a private package).
"""

import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

Kind = Literal["flag", "text", "choice", "file", "directory", "profile", "setting"]
"""The kinds of words, for the offers of TAB. A flag has no word; a setting is a key of `config set`."""
ValueType = Literal["boolean", "integer", "number", "choice", "file", "directory", "text"]
"""The type of a word's value."""

_EXAMPLE = re.compile(r"^[ \t]*\$ ((?:.*\\\n)*.+)$", re.MULTILINE)
_EXAMPLES_HEADING = re.compile(r"^[ \t]*examples?:[ \t]*$", re.IGNORECASE | re.MULTILINE)

_TYPES = {
    "int": "N",
    "int range": "N",
    "float": "N",
    "float range": "N",
    "file": "FILE",
    "path": "FILE",
    "directory": "DIR",
}
_VALUE_TYPES: dict[str, ValueType] = {
    "int": "integer",
    "integer": "integer",
    "float": "number",
    "bool": "boolean",
    "boolean": "boolean",
    "file": "file",
    "filename": "file",
    "path": "file",
    "directory": "directory",
    "choice": "choice",
}
_SETTING = "[PROFILE.]KEY"
_JSON_TYPES = (str, int, float, bool)


@dataclass(frozen=True, slots=True)
class TypedValue:
    """The value of a word: its type, a number's bounds, and its default."""

    type: ValueType = "text"
    minimum: float | None = None
    maximum: float | None = None
    default: object = None


@dataclass(frozen=True, slots=True)
class Option:
    """One option; `flags` are all its spellings, also those that switch it off."""

    flags: tuple[str, ...]
    kind: Kind
    metavar: str
    help: str
    choices: tuple[str, ...] = ()
    default: str = ""
    environment: str = ""
    repeatable: bool = False
    required: bool = False
    hidden: bool = False
    panel: str = ""
    value: TypedValue = TypedValue()

    @property
    def name(self) -> str:
        """Returns its first long spelling; the others may be aliases."""
        return next((flag for flag in self.flags if flag.startswith("--")), self.flags[0])

    @property
    def offers(self) -> tuple[str, ...]:
        """Returns the words that TAB offers: the choices."""
        return self.choices

    @property
    def takes_value(self) -> bool:
        """Returns whether the next word belongs to it."""
        return self.kind != "flag"


@dataclass(frozen=True, slots=True)
class Argument:
    """One positional word, or all following words if it is `repeatable`."""

    metavar: str
    kind: Kind
    help: str
    choices: tuple[str, ...] = ()
    required: bool = True
    repeatable: bool = False
    value: TypedValue = TypedValue()
    offers: tuple[str, ...] = ()
    """The words that TAB offers, although others are valid too."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command with its sub-commands, in the order of the help; `path` begins with the program's name."""

    path: tuple[str, ...]
    help: str
    epilog: str = ""
    examples: tuple[str, ...] = ()
    arguments: tuple[Argument, ...] = ()
    options: tuple[Option, ...] = ()
    subcommands: tuple["Command", ...] = ()
    hidden: bool = False

    @property
    def name(self) -> str:
        """Returns the last word of the path."""
        return self.path[-1]

    @property
    def summary(self) -> str:
        """Returns the help's first sentence, without its full stop."""
        first = " ".join(self.help.partition("\n\n")[0].split())
        return re.split(r"(?<=[.?!]) ", first, maxsplit=1)[0].removesuffix(".")

    @property
    def shown(self) -> tuple["Command", ...]:
        """Returns the sub-commands that are not hidden."""
        return tuple(command for command in self.subcommands if not command.hidden)

    def walk(self) -> Iterator["Command"]:
        """Yields this command and all below it that are not hidden, each before its sub-commands."""
        yield self
        for command in self.shown:
            yield from command.walk()


def read_tree(group: Any, program: str = "alovoice") -> Command:
    """Returns the tree of a Typer (or Click) group, as `typer.main.get_command(app)` returns it."""
    names = group.context_settings.get("help_option_names", ["--help"])
    return _command(group, (program,), tuple(names))


def global_options(tree: Command) -> tuple[Option, ...]:
    """Returns the options of the program itself; a command has those that it uses."""
    return tuple(option for option in tree.options if not option.hidden)


def common_options(tree: Command) -> tuple[Option, ...]:
    """Returns the options that every command has with one meaning, except commands with their own of that name."""
    first, *others = (command.options for command in tree.walk())
    return tuple(
        option for option in first if not option.hidden and all(_stands_in(option, options) for options in others)
    )


def _stands_in(option: Option, options: Sequence[Option]) -> bool:
    return option in options or any(option.name == other.name for other in options)


def own_options(command: Command, common: Sequence[Option]) -> tuple[Option, ...]:
    """Returns the command's options that are neither hidden nor common."""
    return tuple(option for option in command.options if not option.hidden and option not in common)


def _command(node: Any, path: tuple[str, ...], help_names: tuple[str, ...]) -> Command:
    options = [_option(param) for param in node.params if param.param_type_name == "option"]
    if node.add_help_option:
        options.append(Option(help_names, "flag", "", "Show this help.", value=TypedValue("boolean", default=False)))
    examples, epilog = _examples(node.epilog or "")
    return Command(
        path=path,
        help=_text(node.help or node.short_help or ""),
        epilog=epilog,
        examples=examples,
        arguments=tuple(_argument(param) for param in node.params if param.param_type_name == "argument"),
        options=tuple(options),
        subcommands=tuple(
            _command(below, (*path, name), help_names) for name, below in getattr(node, "commands", {}).items()
        ),
        hidden=bool(node.hidden),
    )


def _option(param: Any) -> Option:
    flags = (*param.opts, *param.secondary_opts)
    is_flag = bool(param.is_flag or param.count)
    metavar = "" if is_flag else _metavar(param, "|".join(_choices(param)) or _TYPES.get(param.type.name, "TEXT"))
    return Option(
        flags=tuple(sorted(flags, key=lambda flag: flag.startswith("--"))),
        kind="flag" if is_flag else "profile" if "--profile" in flags else _kind(param, metavar),
        metavar=metavar,
        help=_text(param.help or ""),
        choices=_choices(param),
        default="" if is_flag else _default(param),
        environment=param.envvar if isinstance(param.envvar, str) else "",
        repeatable=bool(param.multiple or param.count),
        required=bool(param.required),
        hidden=bool(param.hidden),
        panel=param.rich_help_panel if isinstance(param.rich_help_panel, str) else "",
        value=_value(param, "boolean" if param.is_flag else "integer" if param.count else None),
    )


def _argument(param: Any) -> Argument:
    metavar = _metavar(param, param.name.upper())
    kind = _kind(param, metavar)
    return Argument(
        metavar=metavar,
        kind=kind,
        help=_text(getattr(param, "help", "") or ""),
        choices=_choices(param),
        required=bool(param.required),
        repeatable=param.nargs == -1,
        value=_value(param),
        offers=_settings() if kind == "setting" else _choices(param),
    )


def _value(param: Any, flag: ValueType | None = None) -> TypedValue:
    kind = _kind(param, _metavar(param, ""))
    known = _VALUE_TYPES.get(param.type.name.removesuffix(" range"), "text")
    return TypedValue(
        type=flag or (kind if kind in ("choice", "file", "directory") else known),
        minimum=getattr(param.type, "min", None),
        maximum=getattr(param.type, "max", None),
        default=None if callable(param.default) else _json_default(param.default),
    )


def _settings() -> tuple[str, ...]:
    from alovoice_cli.config.edits import setting_names  # noqa: PLC0415 - a page of help needs no list of keys

    return setting_names()


def _json_default(value: object) -> object:
    if isinstance(value, (list, tuple)):
        return [_json_default(one) for one in value] or None
    if isinstance(value, Enum):
        return _json_default(value.value)
    return value if value is None or isinstance(value, _JSON_TYPES) else str(value)


def _kind(param: Any, metavar: str) -> Kind:
    word = metavar.partition("|")[0]
    if _choices(param):
        return "choice"
    if word in ("PROFILE", _SETTING):
        return "profile" if word == "PROFILE" else "setting"
    if param.type.name == "directory" or word in ("DIR", "DIRECTORY"):
        return "directory"
    return "file" if param.type.name in ("file", "path", "filename") or word == "FILE" else "text"


def _metavar(param: Any, otherwise: str) -> str:
    given = str(param.metavar or otherwise).removesuffix("...")
    return given[1:-1] if given.startswith("[") and given.endswith("]") else given


def _choices(param: Any) -> tuple[str, ...]:
    return tuple(_word(choice) for choice in getattr(param.type, "choices", ()))


def _default(param: Any) -> str:
    value = param.default
    if not param.show_default or value is None or value == [] or value == () or callable(value):
        return ""
    return ", ".join(map(_word, value)) if isinstance(value, (list, tuple)) else _word(value)


def _word(value: object) -> str:
    return str(value.value if isinstance(value, Enum) else value)


def _examples(epilog: str) -> tuple[tuple[str, ...], str]:
    """Returns the epilog's command lines (after `$`), and its other text."""
    text = _text(epilog)
    others = _EXAMPLES_HEADING.sub("", _EXAMPLE.sub("", text))
    return tuple(_EXAMPLE.findall(text)), re.sub(r"\n{3,}", "\n\n", others).strip()


def _text(text: str) -> str:
    """Returns the text without indentation, Click's marks (backspaces), and its hidden part after a form feed."""
    return inspect.cleandoc(text.partition("\f")[0]).replace("\b\n", "").strip()


_TABLE = r"^[[:space:]]*\[[[:space:]]*profiles[[:space:]]*\.[[:space:]]*"
_SED_SCRIPTS = (
    _TABLE.join(("s/", r"\([A-Za-z0-9_-]\{1,\}\)[[:space:]]*[].].*/\1/p")),
    _TABLE.join(("s/", r'"\([^"\\]*\)"[[:space:]]*[].].*/\1/p')),
)
"""Scripts for `sed -n`: they print NAME of each `[profiles.NAME]` and `[profiles."NAME"]`, also of deeper tables."""


ALWAYS_THERE = ("default", "sandbox")
"""The profiles that always exist."""


def fill_script(template: str, tree: Command, quote: Callable[[str], str], **parts: str) -> str:
    """Returns a completion script: the template with its parts, and with the profiles for every shell.

    `@MAC@` is where macOS keeps the files of ~/.config; it is read too, if it exists.
    """
    parts |= {
        "CONFIG_DIR": f"{tree.name.upper()}_CONFIG_DIR",
        "ALWAYS_THERE": " ".join(ALWAYS_THERE),
        "MAC": "$HOME/Library/Application Support",
        "SED": " ".join(f"-e {quote(script)}" for script in _SED_SCRIPTS),
        "NAME": tree.name,  # the last: the other parts may contain it
    }
    for name, part in parts.items():
        template = template.replace(f"@{name}@", part)
    return template
