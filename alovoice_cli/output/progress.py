"""A progress bar on a terminal's stderr."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from alovoice_cli.output.table import open_console


@contextmanager
def show_transfer(label: str, err: TextIO, *, color: bool) -> Iterator[Callable[[int, int | None], None]]:
    """Yields a function of the bytes so far and in all (None: not known); the bar is gone when the block ends."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    console = open_console(err, color=color)
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        task = progress.add_task(label, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
