"""Option types that several commands share, and the form of the examples in their help."""

from typing import Annotated

import typer

ShowSecrets = Annotated[
    bool, typer.Option("--show-secrets", help="Show passwords and tokens whole, not masked.", show_default=False)
]


def examples(*lines: str) -> str:
    """The epilog of a command's help: one command line a paragraph, which both help formats leave alone."""
    return "Examples:\n\n" + "\n\n".join(f"$ {line}" for line in lines)
