"""`--split 500/day`: one list as several campaigns, a day each, so that no day calls more people than it should."""

import csv
import io
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice
from typing import BinaryIO, cast

from alovoice_cli.campaigns.draft import Draft
from alovoice_cli.campaigns.papers import reading_rows
from alovoice_cli.errors import UsageError

_SPLIT = re.compile(r"([0-9]{1,9})\s*/\s*(?:day|d)")


@dataclass(frozen=True, slots=True)
class SplitLayout:
    """How a list is to be read: `columns` of the phones from 0, `header` where its first row is a heading."""

    encoding: str
    delimiter: str
    columns: tuple[int, ...]
    header: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """One campaign to be sent: its draft, its open list, and the path that the list came from, if from one."""

    draft: Draft
    people: BinaryIO
    source: str


def parse_split(text: str) -> int:
    """How many rows a day: `500/day`. Raises UsageError."""
    match = _SPLIT.fullmatch(text.strip().lower())
    if match is None or not int(match.group(1)):
        raise UsageError(f"--split {text!r} is no number of people a day", hint="write it as --split 500/day")
    return int(match.group(1))


def split(draft: Draft, people: BinaryIO, layout: SplitLayout, size: int) -> list[Piece]:
    """The campaigns of `size` rows each, on one day each, from the window's first day on; all files are open.

    Each list is written anew, in UTF-8, with the heading and all columns. Raises UsageError where the days are too few.
    """
    with reading_rows(people, layout.encoding, layout.delimiter) as rows:
        heading = [next(rows)] if layout.header else []
        files = list(_cut(rows, heading, layout.delimiter, size))
    window, days = draft.window, (draft.window.last - draft.window.first).days + 1
    if len(files) > days:
        for file in files:
            file.close()
        raise UsageError(
            f"--split {size}/day makes {len(files)} campaigns of a day each, and --from to --to are {days} days",
            hint=f"give --to {window.first + timedelta(days=len(files) - 1):%Y.%m.%d}, or more people a day",
        )
    pieces = []
    for number, file in enumerate(files):
        day = window.first + timedelta(days=number)
        name = f"{draft.name} {number + 1}/{len(files)}"
        pieces.append(Piece(replace(draft, name=name, window=replace(window, first=day, last=day)), file, ""))
    return pieces


def _cut(rows: Iterator[list[str]], heading: Sequence[list[str]], delimiter: str, size: int) -> Iterator[BinaryIO]:
    while part := list(islice(rows, size)):
        file = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 - the sender closes it, as it does the list
        text = io.TextIOWrapper(file, "utf-8", newline="")
        csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows([*heading, *part])
        text.detach()
        file.seek(0)
        yield file
