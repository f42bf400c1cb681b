"""`--wait[=DUR]`: an option whose value may be left out. Typer has none such, so the bare word gets its value here."""

from typing import Annotated, Any

import typer
from typer.core import TyperCommand

DEFAULT_WAIT = "10m"

Wait = Annotated[
    str | None,
    typer.Option(
        "--wait",
        metavar="[=DUR]",
        help=f"Ask until it is ready, at most so long: --wait=90s, --wait=1h; --wait alone is {DEFAULT_WAIT}.",
        show_default=False,
    ),
]
Interval = Annotated[
    float,
    typer.Option("--interval", metavar="SECONDS", min=0.1, help="The first pause; each following one is longer."),
]


class WaitingCommand(TyperCommand):
    """A command with `--wait[=DUR]`: as with getopt's optional values, only `=` joins a value to it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Reads the words; `--wait` alone stands for its default. Words behind `--` are call ids."""
        end = args.index("--") if "--" in args else len(args)
        named = [f"--wait={DEFAULT_WAIT}" if word == "--wait" else word for word in args[:end]]
        return super().parse_args(ctx, [*named, *args[end:]])
