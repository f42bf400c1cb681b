"""A checked campaign as the operator wants it; and `--split 500/day`: several campaigns, each on its own day."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import BinaryIO

from alovoice_cli.campaigns.files import ListFile, made_list
from alovoice_cli.campaigns.number_count import dialled_number
from alovoice_cli.campaigns.schedule import Window, parse_day, parse_minute, today_in
from alovoice_cli.errors import CheckFailedError, UsageError
from alovoice_cli.language import joined, ngettext, tr
from alovoice_cli.moments import parse_zone

DEFAULT_ZONE = "utc +5"
"""The API's own default (document, addAutorule, `timezone`)."""

ALL = "all"


def read_window(first: str, last: str, opens: str, closes: str, zone_text: str | None, now: datetime) -> Window:
    """Returns the window of the options; `now` is aware. Raises UsageError for unreadable words; see `check`."""
    zone = parse_zone(zone_text or DEFAULT_ZONE)
    today = today_in(zone, now)
    return Window(
        first=parse_day(first, today, "--from"),
        last=parse_day(last, today, "--to"),
        opens=parse_minute(opens, "--fromtime"),
        closes=parse_minute(closes, "--totime"),
        zone=zone,
    )


def line_words(given: str | None, usual: Sequence[str]) -> list[str]:
    """Returns the words for the lines: the given words, or the profile's `usual`. Raises UsageError for none."""
    if given is None and not usual:
        raise UsageError(tr("no lines to call from"), hint=tr("give --trunks 712037006,712037007 or --trunks all"))
    return [word.strip() for word in given.split(",")] if given is not None else list(usual)


def means_all_lines(words: Sequence[str]) -> bool:
    """Returns whether the words are `--trunks all`, which needs the PBX's lines."""
    return [word.lower() for word in words] == [ALL]


def choose_trunks(words: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """Returns the lines to dial from; for `all` the PBX's `known` lines. Raises UsageError for none, or non-digits."""
    if means_all_lines(words):
        if not known:
            raise CheckFailedError(tr("this PBX has no lines"), hint=tr("see `alovoice trunks`"))
        return tuple(known)
    for word in words:
        if not (word.isascii() and word.isdigit()):
            message = tr("--trunks {line!r} is not a line number", line=word)
            raise UsageError(message, hint=tr("see `alovoice trunks`; write several lines as A,B"))
    return tuple(dict.fromkeys(words))


@dataclass(frozen=True, slots=True)
class CampaignDraft:
    """A campaign ready to be sent. None leaves a value to the PBX's default."""

    name: str
    window: Window
    trunks: tuple[str, ...]
    maxline: int | None = None
    goodtime: int | None = None
    tryes: int | None = None
    paused: bool = False

    def to_wire(self) -> dict[str, str]:
        """Returns the text fields of `addAutorule` in the order of the vendor's sample, without the two files.

        `paused` is always sent: its default is not documented.
        """
        when = self.window.to_wire()
        zone = when.pop("timezone")
        fields = {"name": self.name, **when, "trunks": ",".join(self.trunks)}
        for name, value in (("maxline", self.maxline), ("goodtime", self.goodtime), ("tryes", self.tryes)):
            if value is not None:
                fields[name] = str(value)
        return {**fields, "paused": "1" if self.paused else "0", "timezone": zone}

    def summary(self, numbers: int, profile: str) -> str:
        """Returns one line for the person who is about to start the campaign."""
        parts = [
            tr("{name}: {window}", name=self.name, window=self.window.describe()),
            ngettext("{n} number", "{n} numbers", numbers),
            ngettext("{n} line", "{n} lines", len(self.trunks)),
            tr("PBX {profile}", profile=profile),
        ]
        return joined(", ", parts)


_SPLIT = re.compile(r"([0-9]{1,9})\s*/\s*(?:day|d)")


@dataclass(frozen=True, slots=True)
class SplitLayout:
    """How to read a list for splitting: phone `columns` from 0; `header`: the first row is a heading."""

    encoding: str
    delimiter: str
    columns: tuple[int, ...]
    header: bool


@dataclass(frozen=True, slots=True)
class CampaignPart:
    """One campaign to send: its draft, its list, and the different numbers that the PBX will dial."""

    draft: CampaignDraft
    people: ListFile
    numbers: Sequence[int]


def parse_split(text: str) -> int:
    """Returns the rows a day of `500/day`. Raises UsageError."""
    match = _SPLIT.fullmatch(text.strip().lower())
    if match is None or not int(match.group(1)):
        message = tr("--split {size!r} is not a number of recipients per day", size=text)
        raise UsageError(message, hint=tr("write it as --split 500/day"))
    return int(match.group(1))


def split(draft: CampaignDraft, people: BinaryIO, layout: SplitLayout, size: int) -> list[CampaignPart]:
    """Yields campaigns of `size` rows each, one a day, from the window's first day on.

    Each list is written again in UTF-8, with the heading and all columns. Raises CheckFailedError for too few days.
    """
    people.seek(0)
    text = io.TextIOWrapper(people, layout.encoding, newline="")
    rows = (row for row in csv.reader(text, delimiter=layout.delimiter) if any(cell.strip() for cell in row))
    lists = list(_cut(rows, layout, size))
    text.detach()  # the wrapper must not close the file
    window, days = draft.window, (draft.window.last - draft.window.first).days + 1
    if len(lists) > days:
        raise CheckFailedError(
            tr(
                "--split {size}/day makes {campaigns} campaigns of one day each, but --from and --to give {days} days",
                size=size,
                campaigns=len(lists),
                days=days,
            ),
            hint=tr(
                "give --to {day}, or more recipients per day",
                day=f"{window.first + timedelta(days=len(lists) - 1):%Y.%m.%d}",
            ),
        )
    parts = []
    for number, (part, dialled) in enumerate(lists):
        day = window.first + timedelta(days=number)
        name = f"{draft.name} {number + 1}/{len(lists)}"
        of_day = replace(draft, name=name, window=replace(window, first=day, last=day))
        parts.append(CampaignPart(of_day, part, dialled))
    return parts


def _cut(rows: Iterator[list[str]], layout: SplitLayout, size: int) -> Iterator[tuple[ListFile, Sequence[int]]]:
    """Yields the list of each part, and its numbers. All phone columns count: no document says which the PBX dials."""
    heading = [next(rows)] if layout.header else []
    while part := list(islice(rows, size)):
        cells = (row[column] for row in part for column in layout.columns if column < len(row))
        numbers = dict.fromkeys(filter(None, map(dialled_number, cells)))
        yield made_list([*heading, *part], layout.delimiter), tuple(numbers)
