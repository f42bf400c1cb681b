"""Options that several commands share, one by one or as a group, and the form of the examples in their help."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar

import typer
from typer.core import TyperCommand
from typer.main import get_callback, get_params_convertors_ctx_param_name_from_function

from alovoice_cli.output.columns import Column

_T = TypeVar("_T")
_GROUP = "alovoice.option_group"


class OptionGroupCommand(TyperCommand):
    """A command that takes, beside its own options, those of the function `build`, and reads them into one value."""

    build: ClassVar[Callable[..., object]]

    def __init__(self, *words: Any, **more: Any) -> None:
        super().__init__(*words, **more)
        params, convertors, _ = get_params_convertors_ctx_param_name_from_function(self.build)
        self._build = get_callback(
            callback=self.build, params=params, convertors=convertors, pretty_exceptions_short=True
        )
        self._names = [str(param.name) for param in params]
        self.params += params

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

LIST_PANEL = "The list"
ListEncoding = Annotated[
    str | None,
    typer.Option("--encoding", metavar="NAME", help="The list's encoding, else found.", rich_help_panel=LIST_PANEL),
]
ListColumn = Annotated[
    str | None,
    typer.Option(
        "--column",
        metavar="NAME|N,…",
        help="The column of the phones, else found. Of several: the first good number of each row.",
        rich_help_panel=LIST_PANEL,
    ),
]
ListSheet = Annotated[
    str | None,
    typer.Option(
        "--sheet", metavar="NAME", help="The sheet of a workbook, else the first.", rich_help_panel=LIST_PANEL
    ),
]
HeaderLine = Annotated[
    int | None,
    typer.Option(
        "--header-line",
        metavar="N",
        min=1,
        help="The line of the headings; lines above are left out.",
        rich_help_panel=LIST_PANEL,
    ),
]
Exclude = Annotated[
    list[Path] | None,
    typer.Option(
        "--exclude",
        metavar="FILE",
        help="Whom not to call: every number of a CSV or workbook, perhaps with a column `until`; repeatable.",
        rich_help_panel=LIST_PANEL,
    ),
]
ExcludeUnreadOk = Annotated[
    bool,
    typer.Option(
        "--exclude-unread-ok",
        help="Go on where an entry of a do-not-call file cannot be read.",
        show_default=False,
        rich_help_panel=LIST_PANEL,
    ),
]
ExcludeCalled = Annotated[
    str | None,
    typer.Option(
        "--exclude-called",
        metavar="7d",
        help="Leave out whom campaigns from here called lately.",
        rich_help_panel=LIST_PANEL,
    ),
]
Rejected = Annotated[
    Path | None,
    typer.Option(
        "--rejected", metavar="OUT.csv", help="Write the rows left out, with reasons.", rich_help_panel=LIST_PANEL
    ),
]


FINDINGS = (
    Column("severity", "Severity"),
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
"""The columns of what a check found."""

_WIDEST = 76


def examples(*lines: str) -> str:
    """The epilog of a command's help: command lines that survive being pasted, continued before an option."""
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
