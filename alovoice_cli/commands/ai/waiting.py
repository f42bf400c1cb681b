"""`--wait[=DUR]`: an option whose value may be left out. Typer has none such, so the bare word gets its value here."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
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


class AiWaitingCommand(TyperCommand):
    """A command with `--wait[=DUR]`: as with getopt's optional values, only `=` joins a value to it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Reads the words; `--wait` alone stands for its default. Words behind `--` are call ids."""
        end = args.index("--") if "--" in args else len(args)
        named = [f"--wait={DEFAULT_WAIT}" if word == "--wait" else word for word in args[:end]]
        return super().parse_args(ctx, [*named, *args[end:]])


GROWTH = 1.5
LONGEST_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class PollPace:
    """How to wait, in seconds: `budget` in all, `first` before the second question, then 1.5 times longer each time."""

    budget: float
    first: float

    def pauses(self, clock: Callable[[], float]) -> Iterator[float]:
        """The pauses between questions; they end when the budget is used up, the last one cut to fit."""
        deadline, pause = clock() + self.budget, self.first
        while (left := deadline - clock()) > 0:
            yield min(pause, left)
            pause = min(pause * GROWTH, max(LONGEST_SECONDS, self.first))
