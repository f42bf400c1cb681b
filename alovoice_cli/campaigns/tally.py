"""Counts the rows of a list by what their phone cell holds.

Of an Uzbek number nothing but the value depends on its last four digits. So the rest of a cell, its head, is read once
and then looked up: a million rows cost 5 to 6 times what Python's csv module takes alone (`tests/bench/recipients.py`).
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from alovoice_cli import phones
from alovoice_cli.phones import Verdict

_TEN_THOUSAND: Final = 10**4
_TAILS: Final = {
    text: number
    for number in range(_TEN_THOUSAND)
    for text in (f"{number:04}", f"{number // 100:02}-{number % 100:02}", f"{number // 100:02} {number % 100:02}")
}
"""The last four digits of a number, as lists have them: `4567`, `45-67`, `45 67`."""
_SHOWN_CHARACTERS: Final = 60
_FEWEST_DIALLED: Final = 3
"""Digits that the PBX may take for a number to dial."""


class Tally:
    """The rows of one list by what their phone cell holds. A row's line is the one on which it ends.

    The number of a row is the first good one of `columns`; `others` are further columns that hold phones.
    """

    def __init__(self, columns: Sequence[int], width: int, header_line: int = 0, others: Sequence[int] = ()) -> None:
        self._columns, self._width, self._header_line, self._others = columns, width, header_line, others
        self._heads: dict[str, int] = {}
        self._kinds: dict[str, set[int]] = {}
        self._first: dict[int, int] = {}
        self._further: dict[int, list[int]] = {}
        self._samples: dict[str, str] = {}
        self.row_numbers: array[int] = array("Q")
        """Of each row, headings and blank ones included, the number to call; 0 where it has none, or repeats one."""
        self.empty: array[int] = array("L")
        self.troubles: dict[str, array[int]] = {}
        self.remarks: dict[str, array[int]] = {}
        self.unread: dict[int, str] = {}
        """The cells with something in them that is no number, by line."""
        self.elsewhere: dict[int, array[int]] = {}
        """By further column: the lines of the rows that have a number there, and none in the columns chosen."""

    def read(self, reader: Any) -> None:
        """Takes all the rows of a csv reader."""
        self._skip_headings(reader)
        column, width = self._columns[0], self._width
        heads, tails, first, add = self._heads, _TAILS, self._first, self.row_numbers.append
        for row in reader:
            try:
                if len(row) != width:
                    raise KeyError(width)
                cell = row[column]
                tail = cell[-4:]
                if tail not in tails:
                    tail = cell[-5:]
                number = heads[cell[: -len(tail)]] + tails[tail]
            except KeyError:
                number = self._read_row(row, reader.line_num)
                if not number:
                    add(0)
                    continue
            line = reader.line_num
            if first.setdefault(number, line) == line:
                add(number)
            else:
                self._further.setdefault(number, []).append(line)
                add(0)

    def _skip_headings(self, reader: Any) -> None:
        while reader.line_num < self._header_line and next(reader, None) is not None:
            self.row_numbers.append(0)

    # --- one row at a time -------------------------------------------------------------------------------------------

    def _read_row(self, row: list[str], line: int) -> int:
        """The number of a row, or 0; what is to be said of the row is noted."""
        if len(row) > self._width and (spilt := _spilt(row[self._width :])):
            whole = ", ".join(row[self._columns[0] :])
            return self._note_unread(Verdict(0, spilt, whole), whole, line)
        unread, of_unread = Verdict(0, "empty"), ""
        for column in self._columns:
            cell = row[column] if column < len(row) else ""
            found = phones.read_cell(cell)
            if found.number:
                return self._note_number(found, cell, line)
            if unread.code == "empty":
                unread, of_unread = found, cell
        for column in self._others:
            if column < len(row) and phones.read_cell(row[column]).number:
                self.elsewhere.setdefault(column, array("L")).append(line)
                break
        return self._note_unread(unread, of_unread, line)

    def _note_number(self, found: Verdict, cell: str, line: int) -> int:
        number = found.number
        head = number // _TEN_THOUSAND
        self._kinds.setdefault(phones.kind_of_number(number), set()).add(head)
        if found.remark:
            self._note(self.remarks, found.remark, line, cell)
            return number
        tail = cell[-4:] if cell[-4:] in _TAILS else cell[-5:]
        text = cell[: -len(tail)]
        # Only where the head itself is nothing but the number's: an extension ends with four digits too.
        if tail in _TAILS and phones.base_of(phones.compact_of(text)) == head * _TEN_THOUSAND:
            self._heads[text] = head * _TEN_THOUSAND
        return number

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
        """The first cell with this trouble or remark, cut for a message."""
        cell = " ".join(self._samples[code].split())
        return cell if len(cell) <= _SHOWN_CHARACTERS else cell[:_SHOWN_CHARACTERS] + "…"

    # --- what was read -----------------------------------------------------------------------------------------------

    @property
    def numbers_read(self) -> int:
        """How many rows hold a good number, those that repeat one included."""
        return len(self._first) + sum(map(len, self._further.values()))

    def numbers(self) -> set[int]:
        """Each different number once, those to be left out included."""
        return set(self._first)

    def repeated(self) -> dict[int, list[int]]:
        """Each number that more than one row has, with the lines of all of them."""
        return {number: self._lines(number) for number in self._further}

    def matching(self, numbers: Iterable[int]) -> dict[int, list[int]]:
        """Each number of the list that is also among these, with its lines; they are only gone through, not kept."""
        return {number: self._lines(number) for number in self._first.keys() & numbers}

    def unread_matching(self, numbers: Iterable[int]) -> dict[int, list[int]]:
        """Each of these numbers that a cell holds which is no good number as a whole, with the lines."""
        found: dict[int, list[int]] = {}
        for line, cell in self.unread.items():
            for number in {*phones.numbers_in(cell), int(phones.canonical(cell) or 0)}:
                found.setdefault(number, []).append(line)
        return {number: found[number] for number in found.keys() & numbers}

    def unread_dialled(self) -> Mapping[int, str]:
        """By line: the digits of the cells that are no number, and that the PBX may dial where it gets them."""
        digits = {line: phones.canonical(cell) for line, cell in self.unread.items()}
        return {line: text for line, text in digits.items() if len(text) >= _FEWEST_DIALLED}

    def lines_outside(self, prefixes: tuple[str, ...]) -> list[int]:
        """The lines of numbers that begin with none of these digits."""
        heads = {head for of_kind in self._kinds.values() for head in of_kind}
        suspect = {head for head in heads if not str(head).startswith(prefixes)}
        return sorted(line for number, line in self._of_heads(suspect) if not str(number).startswith(prefixes))

    def lines_of_kind(self, kind: str) -> list[int]:
        """The lines of mobile numbers, landlines, or foreign numbers."""
        return sorted(line for _, line in self._of_heads(self._kinds.get(kind, set())))

    def _of_heads(self, heads: set[int]) -> Iterator[tuple[int, int]]:
        if heads:
            for number in self._first:
                if number // _TEN_THOUSAND in heads:
                    yield from ((number, line) for line in self._lines(number))

    def _lines(self, number: int) -> list[int]:
        return [self._first[number], *self._further.get(number, ())]


def _spilt(cells: list[str]) -> str:
    """What a row that is longer than the others holds behind them: a second number, the ending of one, or nothing."""
    text = " ".join(cells).strip()
    if any(True for _ in phones.numbers_in(text)):
        return "two_numbers"
    return "variants" if text.isascii() and text.isdigit() else ""
