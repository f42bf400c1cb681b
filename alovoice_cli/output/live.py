"""A table on a terminal that is drawn over while what it shows changes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.constrain import Constrain
from rich.live import Live

from alovoice_cli.output.columns import Column
from alovoice_cli.output.listing import Listing
from alovoice_cli.output.table import listing_table, open_console


@contextmanager
def show_live(
    columns: tuple[Column, ...], out: TextIO, *, headers: bool, color: bool, redraws: bool
) -> Iterator[Callable[[Listing], None]]:
    """Yields a function that draws the listing in place of the one before; the last one stays when the block ends.

    A terminal that cannot move its cursor (`redraws` False) gets one table below the other.
    """
    if not redraws:
        console = open_console(out, color=color)
        yield lambda listing: console.print(listing_table(listing, columns, headers=headers))
        return
    # Told to be a terminal also where colours are off: the cursor moves all the same.
    console = Console(
        file=out,
        force_terminal=True,
        color_system="auto" if color else None,
        markup=False,
        highlight=False,
        emoji=False,
    )

    def draw(listing: Listing) -> None:
        table = listing_table(listing, columns, headers=headers)
        # Room for the `^C` that a terminal echoes: behind a full line it would begin a new one, which stays.
        live.update(Constrain(table, console.width - len("^C") - 1), refresh=True)

    with Live(console=console, auto_refresh=False, vertical_overflow="visible") as live:
        yield draw
