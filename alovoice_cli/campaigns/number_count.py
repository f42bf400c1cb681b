"""Counts the rows of a list by the content of their phone cells.

The last four digits of an Uzbek number do not decide whether it is good. So the number of a plain cell is the sum of
two table entries: one for the digits in front, the head, which is read once, and one for the last four. Rows are
processed by the thousand, which is quicker than one by one; cells that are not plain are read one by one
(`tests/bench/lists.py` compares the command with Python's csv module).
"""

from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import compress, count, islice
from operator import add, itemgetter
from typing import Any, Final

from alovoice_cli import phones
from alovoice_cli.phones import Verdict

_TEN_THOUSAND: Final = 10**4
_CHUNK: Final = 1_000  # rows
_SIGNS: Final = dict.fromkeys(map(ord, " ()-"))
"""Characters between the digits of `+998 (90) 123-45-67`; `phones` knows more, but here no date may pass."""
_head_of: Final = itemgetter(slice(None, -4))
_tail_of: Final = itemgetter(slice(-4, None))
_SHOWN_CHARACTERS: Final = 60
_PLAIN_SIZES: Final = {
    phones.NATIONAL_LENGTH: phones.COUNTRY * 10**phones.NATIONAL_LENGTH,
    phones.NATIONAL_LENGTH + 3: 0,
}
"""Digits of a plain Uzbek number, without and with 998, and what is to be added to make the whole number of it."""
_FEWEST_DIALLED: Final = 3
"""The digits of a text that the PBX may dial."""


class _Tails(dict[str, int]):
    """The last four digits as a number; for other text a number so low that no sum with it is good."""

    def __missing__(self, tail: str) -> int:
        return -(10**16)


_TAILS: Final = _Tails((f"{number:04}", number) for number in range(_TEN_THOUSAND))


class _Heads(dict[str, int]):
    """By a number without its last four digits: the whole number with 0000 there; 0 for cells that need care."""

    def __init__(self) -> None:
        super().__init__()
        self.surprising: dict[str, str] = {}
        """The remark on the numbers with this head, for heads with one."""

    def __missing__(self, head: str) -> int:
        base = phones.base_of(head)
        if base is None:
            return 0
        if remark := phones.remark_on(head + "0000"):
            self.surprising[head] = remark
        self[head] = base
        return base


class NumberCount:
    """The rows of one list by the content of their phone cells. A row's line is the line where it ends.

    The number of a row is the first good number in `columns`; `others` are further columns with phones.
    """

    def __init__(self, columns: Sequence[int], width: int, others: Sequence[int] = ()) -> None:
        self._columns, self._width, self._others = columns, width, others
        self._heads = _Heads()
        self._plain_heads: set[int] = set()
        self._surprising: set[int] = set()
        self._heads_of_care: set[int] = set()
        self._lines: array[int] = array("L")
        self._samples: dict[str, str] = {}
        self.widest = 0
        """The number of cells of the longest row that was read with care."""
        self.row_numbers: array[int] = array("Q")
        """The phone number of each row, headings and blank rows included; 0 for none."""
        self.repeats: array[int] = array("L")
        """The rows with a number of an earlier row, by their place in `row_numbers`."""
        self.heading_rows = 0
        """The rows down to the headings, blank ones included."""
        self.empty: array[int] = array("L")
        self.troubles: dict[str, array[int]] = {}
        self.remarks: dict[str, array[int]] = {}
        self.unread: dict[int, str] = {}
        """The cells with content that is no number, by line."""
        self.elsewhere: dict[int, array[int]] = {}
        """By further column: the lines of rows with a number there, and none in the chosen columns."""

    def read(self, reader: Any, above: int = 0, header_line: int = 0) -> None:
        """Reads all rows of a csv reader after the headings; `above` lines precede the reader's first."""
        while above + reader.line_num < header_line and next(reader, None) is not None:
            self.row_numbers.append(0)
            self._lines.append(0)
            self.heading_rows += 1
        before, seen = above + reader.line_num, set[int]()
        while rows := list(islice(reader, _CHUNK)):
            after = above + reader.line_num
            lines = range(before + 1, after + 1) if after - before == len(rows) else _lines_of(rows, before)
            numbers = self._numbers(rows, lines)
            self._note_repeats(numbers, seen)
            self.row_numbers.fromlist(numbers)  # a sixth of the time of `extend`
            self._lines.extend(lines)
            before = after

    def _note_repeats(self, numbers: list[int], seen: set[int]) -> None:
        """Notes the rows of a chunk that repeat an earlier number; row by row only if the chunk has any."""
        different = set(numbers)
        if len(different) == len(numbers) and 0 not in different and seen.isdisjoint(different):
            seen |= different
            return
        for place, number in enumerate(numbers, len(self.row_numbers)):
            if number in seen:
                self.repeats.append(place)
            elif number:
                seen.add(number)

    def _numbers(self, rows: list[list[str]], lines: Sequence[int]) -> list[int]:
        """Returns the number of each row, or 0."""
        column, width = self._columns[0], self._width
        is_even = set(map(len, rows)) == {width}
        if is_even:
            cells = list(map(itemgetter(column), rows))
        else:
            cells = [row[column] if column < len(row) else "" for row in rows]
        numbers = self._numbers_of_digits(cells, lines) or self._numbers_of_heads(rows, lines, cells)
        if not is_even or min(numbers) < _TEN_THOUSAND:
            for at, row in enumerate(rows):
                if numbers[at] < _TEN_THOUSAND or len(row) != width:
                    numbers[at] = self._read_row(row, lines[at])
        return numbers

    def _numbers_of_digits(self, cells: list[str], lines: Sequence[int]) -> list[int] | None:
        """Returns the numbers of cells that are all 998 and nine digits, or all nine; None if one is not.

        Most lists have only such cells; this takes a third of the heads' time.
        """
        text, size = "".join(cells), len(cells[0])
        if size not in _PLAIN_SIZES or set(map(len, cells)) != {size} or not (text.isascii() and text.isdigit()):
            return None
        first = _PLAIN_SIZES[size]
        numbers = list(map(first.__add__, map(int, cells)))
        heads = {number // _TEN_THOUSAND for number in numbers}
        for head in heads - self._plain_heads:
            if head // 10**5 != phones.COUNTRY or not phones.kind_of_number(head * _TEN_THOUSAND):
                return None
            self._plain_heads.add(head)
            if first and str(head)[3:6] in phones.LIKE_A_COUNTRY:
                self._surprising.add(head)
        if surprising := heads & self._surprising:
            for at, number in enumerate(numbers):
                if number // _TEN_THOUSAND in surprising:
                    self._note(self.remarks, phones.remark_on(cells[at]), lines[at], cells[at])
        return numbers

    def _numbers_of_heads(self, rows: list[list[str]], lines: Sequence[int], cells: list[str]) -> list[int]:
        """Returns each cell's number by head and last four digits; below 10,000 for cells that need care."""
        width = self._width
        plain = "\n".join(cells).translate(_SIGNS).split("\n")
        if len(plain) != len(cells):  # a cell holds a line end
            plain = [""] * len(cells)
        heads = list(map(_head_of, plain))
        numbers = list(map(add, map(self._heads.__getitem__, heads), map(_TAILS.__getitem__, map(_tail_of, plain))))
        if surprising := self._heads.surprising:
            for at, head in enumerate(heads):
                if head in surprising and numbers[at] > 0 and len(rows[at]) == width:
                    self._note(self.remarks, surprising[head], lines[at], cells[at])
        return numbers

    # --- one row at a time -------------------------------------------------------------------------------------------

    def _read_row(self, row: list[str], line: int) -> int:
        """Returns the number of a row, or 0; notes the remarks on the row."""
        self.widest = max(self.widest, len(row))
        spilt = row[self._width :] if _is_spilt(row[self._width :]) else []
        unread, of_unread = Verdict(0, "empty"), ""
        for column in self._columns:
            cell = row[column] if column < len(row) else ""
            if spilt and column == self._columns[0]:
                cell = ", ".join([cell, *spilt])
            found = phones.read_cell(cell)
            if found.number:
                return self._note_number(found, cell, line)
            if unread.code == "empty":
                unread, of_unread = found, cell
        for column in self._others:
            if column < len(row) and any(phones.numbers_in(row[column])):
                self.elsewhere.setdefault(column, array("L")).append(line)
                break
        return self._note_unread(unread, of_unread, line)

    def _note_number(self, found: Verdict, cell: str, line: int) -> int:
        self._heads_of_care.add(found.number // _TEN_THOUSAND)
        if found.remark:
            self._note(self.remarks, found.remark, line, cell)
        return found.number

    def _note_unread(self, found: Verdict, cell: str, line: int) -> int:
        if found.code == "empty":
            self.empty.append(line)
        else:
            self.unread[line] = cell
            self._note(self.troubles, found.code, line, cell)
        return 0

    def _note(self, where: dict[str, "array[int]"], code: str, line: int, cell: str) -> None:
        where.setdefault(code, array("L")).append(line)
        self._samples.setdefault(code, cell)

    def sample(self, code: str) -> str:
        """Returns the first cell with this trouble or remark, shortened for a message."""
        cell = " ".join(self._samples[code].split())
        return cell if len(cell) <= _SHOWN_CHARACTERS else cell[:_SHOWN_CHARACTERS] + "…"

    # --- what was read -----------------------------------------------------------------------------------------------

    @property
    def numbers_read(self) -> int:
        """Returns how many rows have a good number, repetitions included."""
        return len(self.row_numbers) - self.row_numbers.count(0)

    def numbers(self) -> set[int]:
        """Returns each different number once, excluded numbers included."""
        return set(self.row_numbers) - {0}

    def lines_at(self, places: Iterable[int]) -> "array[int]":
        """Returns the lines of the rows at these places of `row_numbers`."""
        return array("L", map(self._lines.__getitem__, places))

    def matching(self, numbers: Collection[int]) -> dict[int, list[int]]:
        """Returns each number of the list that is also among these, with its lines."""
        found: dict[int, list[int]] = {}
        wanted = numbers if isinstance(numbers, set | frozenset) else set(numbers)
        hits = compress(count(), map(wanted.__contains__, self.row_numbers)) if wanted else ()
        for place in hits:
            found.setdefault(self.row_numbers[place], []).append(self._lines[place])
        found.pop(0, None)
        return found

    def unread_matching(self, numbers: Collection[int]) -> dict[int, list[int]]:
        """Returns which of these numbers stand in cells without a good number as a whole, with their rows."""
        found: dict[int, list[int]] = {}
        for line, cell in self.unread.items():
            for number in {*phones.numbers_in(cell), int(phones.canonical(cell) or 0)}:
                found.setdefault(number, []).append(line)
        return {number: found[number] for number in found.keys() & set(numbers)}

    def numbers_of_unread(self) -> Iterator[int]:
        """Returns, for each cell without a good number as a whole, the number that the PBX may dial, or 0."""
        return (dialled_number(cell.partition(", ")[0]) for cell in self.unread.values())

    def unread_dialled(self) -> Mapping[int, str]:
        """Returns, by line, the digits of bad cells that the PBX may dial if it gets them."""
        digits = {line: phones.canonical(cell) for line, cell in self.unread.items()}
        return {line: text for line, text in digits.items() if len(text) >= _FEWEST_DIALLED}

    def lines_outside(self, prefixes: tuple[str, ...]) -> list[int]:
        """Returns the lines of the numbers that begin with none of these digits."""
        suspect = {head for head in self._all_heads() if not str(head).startswith(prefixes)}
        return [line for number, line in self._of_heads(suspect) if not str(number).startswith(prefixes)]

    def lines_of_kind(self, kind: str) -> list[int]:
        """Returns the lines of mobile numbers, landlines, or foreign numbers."""
        heads = {head for head in self._all_heads() if phones.kind_of_number(head * _TEN_THOUSAND) == kind}
        return [line for _, line in self._of_heads(heads)]

    def _all_heads(self) -> set[int]:
        """Returns the list's numbers without their last four digits."""
        return {base // _TEN_THOUSAND for base in self._heads.values()} | self._plain_heads | self._heads_of_care

    def _of_heads(self, heads: set[int]) -> Iterator[tuple[int, int]]:
        for number, line in zip(self.row_numbers, self._lines, strict=True) if heads else ():
            if number // _TEN_THOUSAND in heads:
                yield number, line


def dialled_number(cell: str) -> int:
    """Returns the number of a cell that the PBX gets unchanged, also of a foreign number without its plus; else 0."""
    number = phones.number_of(cell)
    if not number and phones.read_cell(cell).code == "foreign_without_plus":
        number = next(phones.numbers_in(cell), 0)
    return number


def _lines_of(rows: list[list[str]], before: int) -> list[int]:
    """Returns the line where each row ends, for cells with line ends of their own."""
    lines = []
    for row in rows:
        before += 1 + sum(cell.count("\n") + cell.count("\r") - cell.count("\r\n") for cell in row)
        lines.append(before)
    return lines


def _is_spilt(cells: list[str]) -> bool:
    """Returns whether cells behind the last column hold a second number, or a number's end: a comma cut them off."""
    text = " ".join(cells).strip()
    return (text.isascii() and text.isdigit()) or any(phones.numbers_in(text))
