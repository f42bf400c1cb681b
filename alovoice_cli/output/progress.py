"""Progress on a terminal: bars on stderr, and a table that is redrawn while its values change."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console, Group
from rich.constrain import Constrain
from rich.live import Live
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from alovoice_cli.output.listing import Column, Item
from alovoice_cli.output.table import items_table, open_console
from alovoice_cli.output.table_layout import fit_columns, no_room_for


@contextmanager
def show_transfer(label: str, err: TextIO, *, color: bool) -> Iterator[Callable[[int, int | None], None]]:
    """Yields a function of the bytes so far and the total (None: unknown); the bar disappears with the block's end."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    console = open_console(err, color=color)
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        task = progress.add_task(label, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@contextmanager
def show_count(label: str, total: int, err: TextIO, *, color: bool) -> Iterator[Callable[[], None]]:
    """Yields a function that counts one more; the bar, with rate and remaining time, ends with the block."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _RateColumn())
    console = open_console(err, color=color)
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        task = progress.add_task(label, total=total)
        yield lambda: progress.advance(task)


class _RateColumn(ProgressColumn):
    """Shows the rate in a second, or in a minute for slow transfers."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed or 0.0
        return Text(f"{speed:.1f}/s" if speed >= 1 else f"{speed * 60:.1f}/m")


@contextmanager
def show_live(
    columns: tuple[Column, ...], out: TextIO, *, headers: bool, color: bool, redraws: bool
) -> Iterator[Callable[[Sequence[Item]], None]]:
    """Yields a function that redraws the items; the last drawing stays when the block ends.

    A terminal that cannot move its cursor (`redraws` False) gets one table below the other.
    """
    if not redraws:
        console = open_console(out, color=color)
        yield lambda items: console.print(_live_table(items, columns, console.width, headers=headers))
        return
    # A terminal also without colours: the cursor moves all the same.
    console = Console(
        file=out,
        force_terminal=True,
        color_system="auto" if color else None,
        markup=False,
        highlight=False,
        emoji=False,
    )

    def draw(items: Sequence[Item]) -> None:
        # Room for the `^C` that a terminal echoes: behind a full line it would start a new line, which would stay.
        width = console.width - len("^C") - 1
        live.update(Constrain(_live_table(items, columns, width, headers=headers), width), refresh=True)

    with Live(console=console, auto_refresh=False, vertical_overflow="visible") as live:
        yield draw


def _live_table(items: Sequence[Item], columns: tuple[Column, ...], width: int, *, headers: bool) -> Group:
    """Returns the table in this width; below it stand the columns for which there is no room."""
    layout = fit_columns(items, columns, width, headers=headers)
    table = items_table(items, layout, headers=headers)
    return Group(table, *([Text(no_room_for(layout.left_out), style="dim")] if layout.left_out else []))
