"""Counts the numbers of a list at the pace of Python's csv module.

Rows are taken by the hundreds. Where all cells of a batch have one length and hold digits only, the batch is judged as
a whole by its heads: all of a number but its last four digits, which no rule looks at. What differs in length, or is
spelled with spaces and brackets, is set apart; what is then still unknown is read cell by cell.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import compress, count, islice
from operator import itemgetter
from typing import Any, Final

from alovoice_cli.campaigns import numbering
from alovoice_cli.campaigns.numbering import COUNTRY, NATIONAL_LENGTH, Verdict

_BATCH: Final = 512
"""Rows: fewer than the 700 objects at which the garbage collector would look through them, at half the time of all."""
_NATIONAL: Final = COUNTRY * 10**NATIONAL_LENGTH
_WITH_PLUS: Final = NATIONAL_LENGTH + 4
_OFFSETS: Final = {NATIONAL_LENGTH: _NATIONAL, NATIONAL_LENGTH + 3: 0, _WITH_PLUS: 0}
"""What is to be added to the digits of a cell of this length: 9 national ones, 12 with 998, 13 with its plus."""
_SURPRISING: Final = tuple(numbering.LIKE_A_COUNTRY)
_SHOWN_CHARACTERS: Final = 60
_FEW: Final = 4  # digits at the end that no rule looks at
_TEN_THOUSAND: Final = 10**_FEW


class Tally:
    """The rows of one list by what their phone cell holds. A row's line is the one on which it ends."""

    def __init__(self, column: int, width: int, header_line: int = 0) -> None:
        self._column, self._width, self._header_line = column, width, header_line
        self._numbers: array[int] = array("Q")
        self._lines: array[int] = array("L")
        self._seen: set[int] = set()
        self._again: set[int] = set()
        self._heads: set[str] = set()
        self._kinds: dict[str, set[int]] = {}
        self.empty: array[int] = array("L")
        self.troubles: dict[str, array[int]] = {}
        self.remarks: dict[str, array[int]] = {}
        self._samples: dict[str, tuple[int, str]] = {}

    def read(self, reader: Any) -> None:
        """Takes all the rows of a csv reader."""
        before = reader.line_num
        while rows := list(islice(reader, _BATCH)):
            after = reader.line_num
            lines = range(before + 1, after + 1) if after - before == len(rows) else _lines_of(rows, before)
            self._take(rows, lines)
            before = after
            del rows  # else the next batch would be made beside it
        for where in (self.troubles, self.remarks):
            for code, at in where.items():
                where[code] = array("L", sorted(at))

    def _take(self, rows: list[list[str]], lines: Sequence[int]) -> None:
        if set(map(len, rows)) != {self._width}:
            whole = [len(row) == self._width for row in rows]
            self._take_apart(rows, lines, whole)
            rows, lines = list(compress(rows, whole)), list(compress(lines, whole))
        cells = list(map(itemgetter(self._column), rows))
        if self._add_plain(cells, lines):
            return
        # In one go: a call for each cell would cost three times as much. A cell may hold a line end of its own.
        compact = numbering.compact_of("\0".join(cells)).split("\0")
        size = Counter(map(len, compact)).most_common(1)[0][0] if compact else 0
        alike = [len(cell) == size for cell in compact]
        self._take_apart(rows, lines, alike)
        plain, at = list(compress(compact, alike)), list(compress(lines, alike))
        if not self._add_plain(plain, at):
            self._take_apart(list(compress(rows, alike)), at, [False] * len(at))

    def _take_apart(self, rows: list[list[str]], lines: Sequence[int], done: list[bool]) -> None:
        for row, line, is_done in zip(rows, lines, done, strict=True):
            if not is_done:
                self._add_odd(row, line)

    def _add_plain(self, cells: list[str], lines: Sequence[int]) -> bool:
        """Adds cells of one length that are all good numbers; False, and nothing added, where they are not."""
        size = len(cells[0]) if cells else 0
        offset = _OFFSETS.get(size)
        if offset is None or len(set(map(len, cells))) > 1:
            return False
        text = "".join(cells)
        head_of = itemgetter(slice(size - _FEW))
        digits = text if size < _WITH_PLUS else text.replace("+", "")
        if not (text.isascii() and digits.isdigit()):
            return False
        if not self._heads.issuperset(map(head_of, cells)) and not all(map(self._knows, set(map(head_of, cells)))):
            return False
        numbers = list(map(int, cells))
        if offset:
            numbers = [number + offset for number in numbers]
            self._remark_surprising(cells, lines)
        self._append(numbers, lines)
        return True

    def _knows(self, head: str) -> bool:
        """Whether numbers begin so; remembered where they do."""
        if head in self._heads:
            return True
        base = numbering.base_of(head)
        if base is None:
            return False
        self._heads.add(head)
        self._kinds.setdefault(numbering.kind_of_number(base), set()).add(base // _TEN_THOUSAND)
        return True

    def _remark_surprising(self, cells: list[str], lines: Sequence[int]) -> None:
        for cell, line in zip(cells, lines, strict=True):
            if cell.startswith(_SURPRISING):
                self._note(self.remarks, numbering.remark_on(cell), line, cell)

    def _append(self, numbers: list[int], lines: Sequence[int]) -> None:
        seen, again = self._seen, set[int]()
        if not seen.isdisjoint(numbers):
            again = seen.intersection(numbers)
            self._again |= again
        before = len(seen)
        seen.update(numbers)
        if len(seen) - before + len(again) < len(numbers):
            self._again.update(number for number, times in Counter(numbers).items() if times > 1)
        self._numbers.extend(array("Q", numbers))
        self._lines.extend(lines)

    # --- one cell at a time ------------------------------------------------------------------------------------------

    def _add_odd(self, row: list[str], line: int) -> None:
        cell = row[self._column] if self._column < len(row) else ""
        if line == self._header_line:
            return
        if not cell.strip():
            self.empty.append(line)
        elif len(row) > self._width and (spilt := _spilt(row[self._width :])):
            self._note(self.troubles, spilt, line, ", ".join([cell, *row[self._width :]]))
        elif not self._add_plain([numbering.compact_of(cell)], [line]):
            self._add_named(numbering.read_cell(cell), line)

    def _add_named(self, verdict: Verdict, line: int) -> None:
        if verdict.remark:
            self._note(self.remarks, verdict.remark, line, verdict.detail)
        if verdict.number:
            kind = numbering.kind_of_number(verdict.number)
            self._kinds.setdefault(kind, set()).add(verdict.number // _TEN_THOUSAND)
            self._append([verdict.number], [line])
        else:
            self._note(self.troubles, verdict.code, line, verdict.detail)

    def _note(self, where: dict[str, "array[int]"], code: str, line: int, cell: str) -> None:
        where.setdefault(code, array("L")).append(line)
        self._samples[code] = min(self._samples.get(code, (line, cell)), (line, cell))

    def sample(self, code: str) -> str:
        """The first cell with this trouble or remark, cut for a message."""
        cell = " ".join(self._samples[code][1].split())
        return cell if len(cell) <= _SHOWN_CHARACTERS else cell[:_SHOWN_CHARACTERS] + "…"

    # --- what was read -----------------------------------------------------------------------------------------------

    @property
    def numbers_read(self) -> int:
        """How many rows hold a good number, those that repeat one included."""
        return len(self._numbers)

    def numbers(self) -> frozenset[int] | set[int]:
        """Each different number once, those to be left out included."""
        return self._seen

    def repeated(self) -> dict[int, list[int]]:
        """Each number that more than one row has, with the lines of all of them."""
        return self._lines_by_number(self._again)

    def matching(self, numbers: Iterable[int]) -> dict[int, list[int]]:
        """Each number of the list that is also among these, with its lines; they are only gone through, not kept."""
        return self._lines_by_number(self._seen.intersection(numbers))

    def lines_outside(self, prefixes: tuple[str, ...]) -> list[int]:
        """The lines of numbers that begin with none of these digits."""
        bases = {base for of_kind in self._kinds.values() for base in of_kind}
        suspect = {base for base in bases if not str(base).startswith(prefixes)}
        entries = self._entries(suspect) if suspect else ()
        return sorted(line for number, line in entries if not str(number).startswith(prefixes))

    def lines_of_kind(self, kind: str) -> list[int]:
        """The lines of mobile numbers, landlines, or foreign numbers."""
        bases = self._kinds.get(kind)
        return sorted(line for _, line in self._entries(bases)) if bases else []

    def _entries(self, bases: set[int]) -> Iterator[tuple[int, int]]:
        return (
            (number, line)
            for number, line in zip(self._numbers, self._lines, strict=True)
            if number // _TEN_THOUSAND in bases
        )

    def _lines_by_number(self, wanted: set[int]) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        if wanted:
            hits = compress(count(), map(wanted.__contains__, self._numbers))
            for place in hits:
                found.setdefault(self._numbers[place], []).append(self._lines[place])
        for at in found.values():
            at.sort()  # a batch's odd rows are read before the others
        return found


def _lines_of(rows: list[list[str]], before: int) -> list[int]:
    """On which line each row ends, where cells hold line ends of their own."""
    lines = []
    for row in rows:
        before += 1 + sum(cell.count("\n") + cell.count("\r") - cell.count("\r\n") for cell in row)
        lines.append(before)
    return lines


def _spilt(cells: list[str]) -> str:
    """What a row that is longer than the others holds behind them: a second number, the ending of one, or nothing."""
    text = " ".join(cells).strip()
    if any(True for _ in numbering.numbers_in(text)):
        return "two_numbers"
    return "variants" if text.isascii() and text.isdigit() else ""
