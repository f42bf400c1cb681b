"""Options that several commands share, singly or as a group, and the form of the examples in their help."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar

import typer
from typer.main import get_callback, get_params_convertors_ctx_param_name_from_function

from alovoice_cli.commands.command_classes import PagedCommand
from alovoice_cli.language import mark
from alovoice_cli.output.listing import Column, Tone, tone_by

_T = TypeVar("_T")
_GROUP = "alovoice.option_group"


class OptionGroupCommand(PagedCommand):
    """A command with additional options: those of the function `build`, which are read into one value."""

    build: ClassVar[Callable[..., object]]
    without: ClassVar[tuple[str, ...]] = ()
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
    """The value that the command's `build` made of the options of its group."""
    value = ctx.meta[_GROUP]
    assert isinstance(value, kind)
    return value


ShowSecrets = Annotated[
    bool, typer.Option("--show-secrets", help="Show passwords and tokens whole, not masked.", show_default=False)
]

SharedStore = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="URL",
        help="The store that machines share, else the profile's: postgresql://….",
        show_default=False,
    ),
]

LIST_PANEL = "The list"


def _of_list(flag: str, metavar: str | None, help: str, **more: Any) -> Any:
    return typer.Option(flag, metavar=metavar, help=help, rich_help_panel=LIST_PANEL, **more)


ListEncoding = Annotated[str | None, _of_list("--encoding", "NAME", "The list's encoding, else found.")]
ListColumn = Annotated[
    str | None,
    _of_list(
        "--column",
        "NAME|N,…",
        "The column of the phones, else found. Of several: the first good number of each row.",
    ),
]
ListSheet = Annotated[str | None, _of_list("--sheet", "NAME", "The sheet of a workbook, else the first.")]
HeaderLine = Annotated[
    int | None, _of_list("--header-line", "N", "The line of the headings; lines above are left out.", min=1)
]
Exclude = Annotated[
    list[Path] | None,
    _of_list(
        "--exclude",
        "FILE",
        "Whom not to call: every number of a CSV or workbook, perhaps with a column `until`; repeatable.",
    ),
]
ExcludeUnreadOk = Annotated[
    bool,
    _of_list(
        "--exclude-unread-ok",
        None,
        "Go on where an entry of a do-not-call file cannot be read.",
        show_default=False,
    ),
]
ExcludeCalled = Annotated[
    str | None, _of_list("--exclude-called", "7d", "Leave out whom campaigns from here called lately.")
]
Rejected = Annotated[Path | None, _of_list("--rejected", "OUT.csv", "Write the rows left out, with reasons.")]


SEVERITY_TONES: Mapping[str, Tone] = {"error": "bad", "warning": "doubt", "note": "quiet"}
FINDINGS = (
    Column("severity", mark("Severity"), tone=tone_by("severity", SEVERITY_TONES)),
    Column("place", mark("Place")),
    Column(
        "finding", "What, and what to do", value=lambda item: f"{item['message']} ({item['hint']})".removesuffix(" ()")
    ),
    Column("code", mark("Code"), shown=False),
    Column("file", mark("File"), shown=False),
    Column("line", mark("Line"), shown=False, numeric=True),
    Column("column", mark("Column"), shown=False, numeric=True),
    Column("lines", mark("Lines"), shown=False),
    Column("message", mark("What"), shown=False),
    Column("hint", mark("What to do"), shown=False),
)
"""The columns of what a check found."""

_WIDEST = 76


def examples(*lines: str) -> str:
    """Returns the epilog of a command's help: command lines for pasting, continued before an option."""
    # The backspace is Click's mark for a paragraph whose lines are kept.
    return "\n".join(["\b", "Examples:", *(row for line in lines for row in _continued(f"$ {line}"))])


def _continued(line: str) -> list[str]:
    first, *options = line.split(" --")
    rows = [first]
    for option in options:
        if len(rows[-1]) + len(option) + 5 > _WIDEST and len(line) > _WIDEST:
            rows[-1] += " \\"
            rows.append(f"    --{option}")
        else:
            rows[-1] += f" --{option}"
    return rows
