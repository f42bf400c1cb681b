"""A progress bar on a terminal's stderr."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

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

from alovoice_cli.output.table import open_console


@contextmanager
def show_transfer(label: str, err: TextIO, *, color: bool) -> Iterator[Callable[[int, int | None], None]]:
    """Yields a function of the bytes so far and in all (None: not known); the bar is gone when the block ends."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    console = open_console(err, color=color)
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        task = progress.add_task(label, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@contextmanager
def show_count(label: str, total: int, err: TextIO, *, color: bool) -> Iterator[Callable[[], None]]:
    """Yields a function that counts one more; the bar, with rate and time left, is gone when the block ends."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _RateColumn())
    console = open_console(err, color=color)
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        task = progress.add_task(label, total=total)
        yield lambda: progress.advance(task)


class _RateColumn(ProgressColumn):
    """How many a second, or a minute where that is few."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed or 0.0
        return Text(f"{speed:.1f}/s" if speed >= 1 else f"{speed * 60:.1f}/m")
