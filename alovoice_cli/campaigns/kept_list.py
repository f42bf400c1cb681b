"""A campaign's list as the ledger keeps it: its bytes, how they were read, and who must not be called.

A report names every row of the list with its own columns, long after the file has changed or gone.
"""

import csv
import json
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple, cast

from alovoice_cli.campaigns.campaign_record import KeptList
from alovoice_cli.campaigns.files import MadeFile, open_regular, sha256_of
from alovoice_cli.campaigns.number_count import NumberCount
from alovoice_cli.campaigns.recipients import Recipients, read_recipients
from alovoice_cli.campaigns.sheet import Sheet
from alovoice_cli.errors import CheckFailedError, UsageError
from alovoice_cli.language import spaced, tr
from alovoice_cli.phones import key_of_number, spelled

RowVerdict = Literal["good", "invalid", "excluded", "duplicate"]

LONGEST_KEPT = 256 << 20
"""The bytes of the longest list that is kept. A million rows of 40 letters have 40 MB, and take a fifth of that."""
_BLOCK = 1 << 20
_LARGEST = 10**15  # a phone number has at most 15 digits
_UNREADABLE = (ValueError, LookupError, TypeError, RecursionError, csv.Error, zlib.error)


@dataclass(frozen=True, slots=True)
class ListReading:
    """How the rows of a list were read. Columns count from 0; a `header_line` of 0 means that there is none."""

    encoding: str
    delimiter: str
    columns: tuple[int, ...]
    width: int
    header_line: int = 0
    above: int = 0
    """How many lines of the file as given stand above the first line that is kept."""
    excluded: tuple[int, ...] = ()
    """The whole numbers of the list that were not to be called on the day of the campaign."""


def keep(file: BinaryIO, reading: ListReading) -> KeptList | None:
    """Returns the open, seekable CSV with its reading; None where it is longer than LONGEST_KEPT."""
    # Level 1: a million rows take 0.3 s, and only a fifth more room than with the usual level, which takes three times
    # as long before anything is sent.
    packer, packed, size = zlib.compressobj(1), list[bytes](), 0
    file.seek(0)
    while block := file.read(_BLOCK):
        size += len(block)
        if size > LONGEST_KEPT:
            break
        packed.append(packer.compress(block))
    file.seek(0)
    if size > LONGEST_KEPT:
        return None
    return KeptList(b"".join([*packed, packer.flush()]), json.dumps(asdict(reading)))


def keep_recipients(whom: Recipients, excluded: Collection[int] | None = None) -> KeptList | None:
    """Returns a list with its rows as they were read; `excluded` replaces the list's own excluded numbers."""
    layout, gone = whom.layout, whom.left_out if excluded is None else excluded
    columns, width = layout.columns, layout.width
    header, above = layout.header_line, whom.sheet.above
    reading = ListReading(whom.sheet.encoding, layout.delimiter, columns, width, header, above, tuple(sorted(gone)))
    return keep(whom.sheet.file, reading)


def keep_numbers(numbers: Iterable[str]) -> KeptList:
    """Returns a list of these whole numbers, one a row, for a campaign whose own list is not known."""
    content = "".join(f"{spelled(int(number))}\n" for number in numbers).encode()
    return KeptList(zlib.compress(content, 1), json.dumps(asdict(ListReading("utf-8", ",", (0,), 1))))


class ListRow(NamedTuple):
    """A row of the list: its line, its cells, the cell of the phone, and the number that was read (0 for none)."""

    line: int
    cells: Sequence[str]
    cell: str
    number: int
    verdict: RowVerdict

    @property
    def key(self) -> str:
        """Returns the number as events have it."""
        return key_of_number(self.number)


class CampaignList:
    """The rows of a kept list. Raises UsageError for one that cannot be read.

    The rows are read again each time: a long list is never in memory with all its cells.
    """

    def __init__(self, kept: KeptList) -> None:
        try:
            self.reading = reading = _reading_from(kept.reading)
            file = cast(BinaryIO, MadeFile())
            file.write(zlib.decompress(kept.packed))
            self._sheet = Sheet(file, tr("the list"), reading.encoding, above=reading.above)
            self._tally = NumberCount(reading.columns, reading.width)
            with self._sheet.reading(reading.delimiter) as reader:
                self._tally.read(reader, reading.above, reading.header_line)
        except _UNREADABLE as error:
            message = tr("the stored list of this campaign is damaged")
            raise UsageError(message, hint=tr("give it with --recipients FILE"), detail=str(error)) from error
        self.excluded = frozenset(reading.excluded)
        self._repeats = frozenset(self._tally.repeats)

    @property
    def headings(self) -> list[str]:
        """Returns the row of the headings; empty where there is none."""
        with self._sheet.reading(self.reading.delimiter) as reader:
            rows = [row for row, _ in zip(reader, range(self._tally.heading_rows), strict=False)]
        return rows[-1] if rows else []

    def keys(self) -> Iterator[str]:
        """Yields the numbers that were to be called, each once, as events have them."""
        for number, verdict in self._judged():
            if verdict == "good":
                yield key_of_number(number)

    def count_verdicts(self) -> Counter[RowVerdict]:
        """Returns the number of rows of each verdict."""
        return Counter(verdict for _, verdict in self._judged())

    def rows(self) -> Iterator[ListRow]:
        """Yields the rows behind the headings, blank ones included: these are invalid."""
        column = self.reading.columns[0]
        with self._sheet.reading(self.reading.delimiter) as reader:
            for _ in range(self._tally.heading_rows):
                next(reader)
            for row, (number, verdict) in zip(reader, self._judged(), strict=True):
                cell = row[column] if column < len(row) else ""
                yield ListRow(self.reading.above + reader.line_num, row, cell, number, verdict)

    def _judged(self) -> Iterator[tuple[int, RowVerdict]]:
        """Yields number and verdict of each row. As in `numbers check`, an excluded number is not a duplicate."""
        first = self._tally.heading_rows
        for place, number in enumerate(self._tally.row_numbers[first:], first):
            verdict: RowVerdict = "good"
            if not number:
                verdict = "invalid"
            elif number in self.excluded:
                verdict = "excluded"
            elif place in self._repeats:
                verdict = "duplicate"
            yield number, verdict


def _reading_from(text: str) -> ListReading:
    """Raises one of _UNREADABLE for what `keep` did not write."""
    told = json.loads(text)
    reading = ListReading(**{**told, **{name: tuple(told[name]) for name in ("columns", "excluded")}})
    numbers = (*reading.columns, reading.width, reading.header_line, reading.above, *reading.excluded)
    if not reading.columns or not all(isinstance(number, int) and 0 <= number < _LARGEST for number in numbers):
        raise ValueError("not the reading of a list")
    csv.reader((), delimiter=reading.delimiter)
    "".encode(reading.encoding)
    return reading


class MatchedList(NamedTuple):
    """A file that holds the list of a campaign; `is_same_file`: its bytes are those that were sent."""

    kept: KeptList
    is_same_file: bool


def match_list(path: Path, column: str | None, called: Collection[str], sha256: str) -> MatchedList:
    """Reads the list of a campaign from a file, for a campaign whose own list was not kept.

    `called` are the whole numbers that the campaign was to call, empty where unknown: other numbers of the file count
    as excluded. Raises UsageError or CheckFailedError for a file that cannot be read, or that lacks one of them.
    """
    with open_regular(path) as file:
        is_same_file = bool(sha256) and sha256_of(file) == sha256
        whom = read_recipients(file, str(path), column=column)
        # Of a list that was sent as it is, also a number in a cell that is no number as a whole was to be called.
        numbers, wanted = {*whom.tally.numbers(), *whom.tally.numbers_of_unread()} - {0}, set(map(int, called))
        if missing := wanted - numbers:
            raise CheckFailedError(
                tr(
                    "{path} is not the list of this campaign: {missing} of the campaign's {all} numbers are not in it",
                    path=path,
                    missing=spaced(len(missing)),
                    all=spaced(len(wanted)),
                ),
                hint=tr("give the file that the campaign was created with"),
            )
        kept = keep_recipients(whom, numbers - wanted if wanted else ())
    if kept is None:
        raise UsageError(tr("{path} is longer than {size} MB", path=path, size=LONGEST_KEPT >> 20))
    return MatchedList(kept, is_same_file)
