"""`alovoice call`: one call, or many; here the option `--wait` of the verbs that follow calls to their end."""

import re
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from alovoice_cli.commands.command_classes import PagedCommand

USUAL = "90s"
_BARE = "--wait"
_MEANT_AS_SPAN = r"[0-9]{1,6}[A-Za-z]{1,7}"  # also `90sec`, so that the error message can explain it

Wait = Annotated[
    str | None,
    typer.Option(
        "--wait",
        rich_help_panel="Call",
        metavar="SPAN",
        help="Follow the call to its end: 90s, 5m; alone: 90s.",
    ),
]


class CallWaitingCommand(PagedCommand):
    """A command with a `--wait` without a value: Typer has no optional values."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Reads the words, a bare `--wait` as `--wait=90s`."""
        return super().parse_args(ctx, spell_out(args))


def spell_out(words: Sequence[str]) -> list[str]:
    """Returns the words with a value for each `--wait` without a span of time."""
    end = words.index("--") if "--" in words else len(words)
    spelt = []
    for place, word in enumerate(words[:end], start=1):
        has_value = place < end and re.fullmatch(_MEANT_AS_SPAN, words[place]) is not None
        spelt.append(word if word != _BARE or has_value else f"{_BARE}={USUAL}")
    return [*spelt, *words[end:]]
