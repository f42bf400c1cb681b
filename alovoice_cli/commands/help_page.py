"""The help page of a command: its usage, its purpose, its own options in groups, and examples.

The options of every command are only on the first page. Plain text: no boxes, nothing is cut. The source texts are
English, and are translated here by paragraph, each as one line, as `catalogues.help_texts` collects them.
"""

import re
import shutil
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from alovoice_cli.commands.global_options import PANEL as GLOBAL_PANEL
from alovoice_cli.language import mark, tr

REQUIRED = mark("Required")
"""The beginning of the name of a group of obligatory options; this group comes first."""
PAGE_LINES = 45
"""The lines of a page that examples, except the first one, may fill."""
_NARROWEST, _WIDEST = 40, 100
_NAMES_WIDTH = 24
"""The widest column of names; the help of an option has 52 characters of 80."""
Groups = Sequence[tuple[str, Sequence[tuple[str, str]]]]
"""Titles, each with rows of names and their text."""
_TYPES = {"int": "N", "int range": "N", "float": "N", "float range": "N", "path": "FILE", "file": "FILE"}


def write_page(ctx: Any, *, bold: bool = False) -> str:
    """Returns the page of the context's command; `bold`: with headings for a terminal."""
    command, is_root = ctx.command, ctx.parent is None
    page = _Page(_width(), bold=bold)
    page.add_usage(ctx.command_path, _usage_words(command))
    page.add_prose(command.help or "")
    page.add_groups(_command_groups(command), apart=is_root)
    page.add_groups(_option_groups(command, is_root=is_root))
    notes, examples = split_epilog(command.epilog or "")
    page.add_notes(notes)
    if not is_root:
        page.add(tr("Global options: {command}", command=f"{ctx.find_root().info_name} --help"))
    page.add_examples(examples)
    return "\n".join(page.lines) + "\n"


def write_topic(title: str, rows: Sequence[tuple[str, str]], note: str, *, bold: bool = False) -> str:
    """Returns a page that is one table and a note."""
    page = _Page(_width(), bold=bold)
    page.add_groups([(title, [(names, tr(text)) for names, text in rows])])
    page.add_prose(note)
    return "\n".join(page.lines[:-1]) + "\n"


def _width() -> int:
    return max(_NARROWEST, min(shutil.get_terminal_size().columns, _WIDEST))


class _Page:
    """The lines of a page, wrapped at its width."""

    def __init__(self, width: int, *, bold: bool) -> None:
        self.lines: list[str] = []
        self._width = width
        self._bold = bold

    def add(self, *lines: str) -> None:
        self.lines += lines

    def add_usage(self, path: str, words: Iterable[str]) -> None:
        label = tr("Usage:")
        self.add(*self._wrap(" ".join((label, path, *words)), "", " " * (len(label) + 1)))

    def add_prose(self, text: str) -> None:
        for paragraph in text.split("\n\n"):
            line = " ".join(paragraph.split())
            self.add("", *self._wrap(tr(line), "  ", "  "))
        self.add("")

    def add_groups(self, groups: "Groups", *, apart: bool = False) -> None:
        """Adds groups of names with their texts, all texts in one column; `apart`: with an empty line between them."""
        lengths = [len(names) for _, rows in groups for names, _ in rows]
        column = max((length for length in lengths if length <= _NAMES_WIDTH), default=_NAMES_WIDTH)
        for place, (title, rows) in enumerate(groups):
            if apart and place:
                self.add("")
            heading = f"{tr(title)}:"
            self.add(f"\x1b[1m{heading}\x1b[0m" if self._bold else heading)
            for names, text in rows:
                self.add(*self._row(names, text, column))
        if apart:
            self.add("")

    def _row(self, names: str, text: str, column: int) -> list[str]:
        """Returns the lines of one option. Long names have their text behind them where it fits, else below."""
        if len(names) > column:
            line = f"  {names}  {text}"
            if len(line) <= self._width:
                return [line]
        behind = " " * (column + 4)
        first = f"  {names:<{column}}  "
        lines = self._wrap(text, behind, behind)
        if len(names) > column or not lines:
            return [first.rstrip(), *lines]
        return [first + lines[0].lstrip(), *lines[1:]]

    def add_notes(self, notes: Sequence[str]) -> None:
        """Adds paragraphs of one line each, wrapped."""
        for note in notes:
            self.add(*self._wrap(tr(note), "", "  "))

    def add_examples(self, examples: Sequence[str]) -> None:
        """Adds the first command line, and others while the page has room for them."""
        for place, example in enumerate(examples):
            lines = [f"  {line}" for line in example.splitlines()]
            if place == 0:
                self.add(tr("Examples:"), *lines)
            elif len(self.lines) + len(lines) <= PAGE_LINES:
                self.add(*lines)

    def _wrap(self, text: str, first: str, others: str) -> list[str]:
        return textwrap.wrap(
            text,
            self._width,
            initial_indent=first,
            subsequent_indent=others,
            break_long_words=False,
            break_on_hyphens=False,
        )


def split_epilog(epilog: str) -> tuple[list[str], list[str]]:
    """Returns the notes of an epilog, a line each, and the command lines behind its `$`."""
    notes, *examples = re.split(r"\n(?=\$ )", epilog.rstrip())
    return [note for note in notes.splitlines() if note and note != "Examples:"], examples


def _usage_words(command: Any) -> Iterator[str]:
    for param in command.params:
        if param.param_type_name == "argument" and not param.hidden:
            word = metavar_of(param) + ("..." if param.nargs == -1 else "")
            yield word if param.required else f"[{word}]"
    if hasattr(command, "commands"):
        yield "[COMMAND]" if command.invoke_without_command else "COMMAND"
    if any(param.param_type_name == "option" and not is_global(param) for param in command.params):
        yield "[OPTIONS]"


def _command_groups(command: Any) -> Groups:
    groups: dict[str, list[tuple[str, str]]] = {}
    for name, below in getattr(command, "commands", {}).items():
        if not below.hidden:
            title = below.rich_help_panel if isinstance(below.rich_help_panel, str) else mark("Commands")
            groups.setdefault(title, []).append((name, summary_of(below.help or "")))
    return list(groups.items())


def _option_groups(command: Any, *, is_root: bool) -> Groups:
    """Returns the groups of arguments and options by their titles, the required ones first."""
    groups: dict[str, list[Any]] = {}
    for param in command.params:
        if not param.hidden and is_global(param) == is_root:
            groups.setdefault(_title(param), []).append(param)
    ordered = sorted(groups.items(), key=lambda group: not group[0].startswith(REQUIRED))
    return [(title, _rows(params)) for title, params in ordered]


def _title(param: Any) -> str:
    panel = param.rich_help_panel if isinstance(param.rich_help_panel, str) else ""
    if param.required and not panel.startswith(REQUIRED):
        return REQUIRED
    return panel or (mark("Arguments") if param.param_type_name == "argument" else mark("Options"))


def _rows(params: Sequence[Any]) -> list[tuple[str, str]]:
    """Returns names and help of each; neighbours with the same help are one row: `--clean [OUT.csv]`."""
    rows: list[tuple[str, str]] = []
    for param in params:
        names, text = _names(param), _text(param)
        if rows and rows[-1][1] == text:
            before = rows.pop()[0]
            names = f"{before}, {names}" if param.param_type_name == "option" else f"{before} [{names}]"
        rows.append((names, text))
    return rows


def _names(param: Any) -> str:
    if param.param_type_name == "argument":
        return metavar_of(param)
    flags = sorted([*param.opts, *param.secondary_opts], key=lambda flag: flag.startswith("--"))
    return f"{', '.join(flags)} {metavar_of(param)}".rstrip()


def _text(param: Any) -> str:
    """Returns the help, with range and default in words."""
    line = " ".join((param.help or "").split())
    text = tr(line)
    facts = "; ".join(filter(None, (_range(param), _default(param))))
    if not facts:
        return text
    if text.endswith(")."):
        return f"{text[:-2]}; {facts})."
    return f"{text.removesuffix('.')} ({facts})."


def _range(param: Any) -> str:
    least, most = getattr(param.type, "min", None), getattr(param.type, "max", None)
    if least is not None and most is not None:
        return tr("{least} to {most}", least=least, most=most)
    if most is not None:
        return tr("at most {most}", most=most)
    return tr("at least {least}", least=least) if least is not None and least > 1 else ""


def _default(param: Any) -> str:
    value = param.default
    if not param.show_default or value in (None, "") or isinstance(value, (bool, list, tuple)) or callable(value):
        return ""
    if isinstance(value, float):
        return tr("default: {value}", value=f"{value:g}")
    return tr("default: {value}", value=getattr(value, "value", value))


def metavar_of(param: Any) -> str:
    """Returns the word that stands for the value: `FILE`; an empty text for a flag."""
    if getattr(param, "is_flag", False) or getattr(param, "count", False):
        return ""
    if param.metavar:
        word = str(param.metavar).removesuffix("...")
        return word[1:-1] if word.startswith("[") and word.endswith("]") else word
    choices = [str(getattr(choice, "value", choice)) for choice in getattr(param.type, "choices", ())]
    if choices:
        return "|".join(choices)
    return param.name.upper() if param.param_type_name == "argument" else _TYPES.get(param.type.name, "TEXT")


def is_global(param: Any) -> bool:
    """Returns whether the parameter is one of the global options."""
    return bool(param.rich_help_panel == GLOBAL_PANEL)


def summary_of(text: str) -> str:
    """Returns the first sentence of a help text, without its full stop."""
    line = " ".join(text.partition("\n\n")[0].split())
    return re.split(r"(?<=[.?!]) ", tr(line), maxsplit=1)[0].removesuffix(".")
