"""Option types that several commands share, and the form of the examples in their help."""

from typing import Annotated

import typer

ShowSecrets = Annotated[
    bool, typer.Option("--show-secrets", help="Show passwords and tokens whole, not masked.", show_default=False)
]


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
