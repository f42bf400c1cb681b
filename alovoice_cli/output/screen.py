"""A screen of lines on a terminal: printed once, or drawn over while its lines change."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from alovoice_cli.masking import disarm
from alovoice_cli.output.table import open_console

Pieces = Sequence[tuple[str, str]]
"""A line as pieces of text, each with its style: `bold`, `dim`, `good`, `bad`, or '' for none."""

_STYLES = {"bold": "bold", "dim": "dim", "good": "green", "bad": "bold red"}


def write_screen(lines: Sequence[Pieces], out: TextIO, *, color: bool, wrapped: bool = False) -> None:
    """Writes the lines; a line that is wider than the terminal is cut and never broken, or `wrapped` at its words."""
    console = open_console(out, color=color)
    console.print(_drawn(lines, console, wrapped=wrapped))


class LiveScreen:
    """Lines on the whole terminal. Draws again only if the lines or the terminal's size have changed."""

    def __init__(self, console: Console, live: Live) -> None:
        self._console, self._live = console, live
        self._shown: object = None

    @property
    def height(self) -> int:
        """Returns the lines of the terminal, as it is now."""
        return self._console.size.height

    @property
    def width(self) -> int:
        """Returns the columns of the terminal, as it is now."""
        return self._console.size.width

    def draw(self, lines: Sequence[Pieces]) -> None:
        """Shows these lines."""
        shown = (tuple(lines), self._console.size)
        if shown != self._shown:
            self._shown = shown
            self._live.update(_drawn(lines, self._console), refresh=True)


@contextmanager
def show_screen(out: TextIO, *, color: bool) -> Iterator[LiveScreen]:
    """Yields a screen of its own on the terminal; what stood on the terminal before returns at the end."""
    # A terminal also without colours: the cursor moves all the same.
    console = Console(
        file=out,
        force_terminal=True,
        color_system="auto" if color else None,
        markup=False,
        highlight=False,
        emoji=False,
    )
    with Live(console=console, auto_refresh=False, screen=True) as live:
        yield LiveScreen(console, live)


def _drawn(lines: Sequence[Pieces], console: Console, *, wrapped: bool = False) -> Group:
    # For an encoding without an ellipsis, three dots in its place would be too wide.
    cut: Literal["ellipsis", "crop"] = "crop" if console.options.ascii_only else "ellipsis"
    return Group(
        *(
            Text.assemble(
                *((disarm(text), _STYLES.get(style, "")) for text, style in line),
                no_wrap=not wrapped,
                overflow="fold" if wrapped else cut,
            )
            for line in lines
        )
    )
