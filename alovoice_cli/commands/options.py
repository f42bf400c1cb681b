"""Options that several commands share, singly or as a group, and the form of the examples in their help."""

import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar

import typer
from typer.main import get_callback, get_params_convertors_ctx_param_name_from_function

from alovoice_cli.commands.command_classes import PagedCommand
from alovoice_cli.output.listing import Column, Tone, state_word, tone_by

_T = TypeVar("_T")
_GROUP = "alovoice.option_group"


class OptionGroupCommand(PagedCommand):
    """A command with additional options: the parameters of the function `build`, which makes one value of them."""

    build: ClassVar[Callable[..., object]]
    without: ClassVar[Collection[str]] = ()
    """The options of `build` that this command lacks: they keep their defaults."""

    def __init__(self, *words: Any, **more: Any) -> None:
        super().__init__(*words, **more)
        params, convertors, context_name = get_params_convertors_ctx_param_name_from_function(self.build)
        self._build = get_callback(
            callback=self.build,
            params=params,
            convertors=convertors,
            context_param_name=context_name,
            pretty_exceptions_short=True,
        )
        added = [param for param in params if param.name not in self.without]
        self._names = [str(param.name) for param in added]
        self.params += added

    def invoke(self, ctx: Any) -> Any:
        """Runs the command; its function asks for the value by `option_group`."""
        assert self._build is not None
        ctx.meta[_GROUP] = self._build(**{name: ctx.params.pop(name) for name in self._names})
        return super().invoke(ctx)


def option_group(ctx: typer.Context, kind: type[_T]) -> _T:
    """Returns the value that the command's `build` made of the options of its group."""
    value = ctx.meta[_GROUP]
    assert isinstance(value, kind)
    return value


ShowSecrets = Annotated[
    bool, typer.Option("--show-secrets", help="Show passwords and tokens unmasked.", show_default=False)
]

SharedStore = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="URL",
        help="Store that computers share: postgresql://… (default: the profile's).",
        show_default=False,
    ),
]

LIST_PANEL = "List"


def _of_list(flag: str, metavar: str | None, help: str, **more: Any) -> Any:
    return typer.Option(flag, metavar=metavar, help=help, rich_help_panel=LIST_PANEL, **more)


ListEncoding = Annotated[str | None, _of_list("--encoding", "NAME", "Encoding of the list (default: detected).")]
ListColumn = Annotated[
    str | None,
    _of_list(
        "--column",
        "NAME|N,…",
        "Columns to search for a number (default: detected).",
    ),
]
ListSheet = Annotated[str | None, _of_list("--sheet", "NAME", "Sheet of the workbook (default: the first).")]
HeaderLine = Annotated[
    int | None, _of_list("--header-line", "N", "Line of the headings; lines above it are skipped.", min=1)
]
Exclude = Annotated[
    list[Path] | None,
    _of_list(
        "--exclude",
        "FILE",
        "Do-not-call file: CSV or workbook; repeatable.",
    ),
]
ExcludeUnreadOk = Annotated[
    bool,
    _of_list(
        "--exclude-unread-ok",
        None,
        "Ignore unreadable entries of do-not-call files.",
        show_default=False,
    ),
]
ExcludeCalled = Annotated[
    str | None, _of_list("--exclude-called", "7d", "Skip numbers called by campaigns of this computer.")
]
Rejected = Annotated[Path | None, _of_list("--rejected", "OUT.csv", "Write the rows that are left out, with reasons.")]


SEVERITY_TONES: Mapping[str, Tone] = {"error": "bad", "warning": "doubt", "note": "quiet"}
FINDINGS = (
    Column("severity", "Severity", words=state_word, tone=tone_by("severity", SEVERITY_TONES)),
    Column("place", "Place"),
    Column(
        "finding", "What, and what to do", value=lambda item: f"{item['message']} ({item['hint']})".removesuffix(" ()")
    ),
    Column("code", "Code", shown=False),
    Column("file", "File", shown=False),
    Column("line", "Line", shown=False, numeric=True),
    Column("column", "Column", shown=False, numeric=True),
    Column("lines", "Lines", shown=False),
    Column("message", "What", shown=False),
    Column("hint", "What to do", shown=False),
)
"""The columns of findings."""

_WIDEST = 76


def examples(*lines: str, note: str = "") -> str:
    """Returns the epilog of a command's help: command lines for pasting, continued before an option or a pipe.

    The lines of the `note` stand before them.
    """
    notes = [*note.splitlines(), ""] if note else []
    return "\n".join([*notes, "Examples:", *(row for line in lines for row in _continued(f"$ {line}"))])


def _continued(line: str) -> list[str]:
    first, *parts = re.split(r" (?=--|-[fF] |[|>] )(?=(?:[^']*'[^']*')*[^']*$)", line)  # not inside of quotes
    rows = [first]
    for part in parts:
        if len(rows[-1]) + len(part) + 3 > _WIDEST and len(line) > _WIDEST:
            rows[-1] += " \\"
            rows.append(f"    {part}")
        else:
            rows[-1] += f" {part}"
    return rows
