"""Counts the rows of a list by what their phone cell holds.

Of an Uzbek number nothing but the value depends on the last four digits. So the digits before these, the head, are
looked up in a table of those that were read already; what is not plain is read with care, cell by cell
(`tests/bench/recipients.py` measures what that costs beside Python's csv module).
"""

from array import array
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from alovoice_cli import phones
from alovoice_cli.phones import Verdict

_TEN_THOUSAND: Final = 10**4
_FIRST: Final = phones.COUNTRY * 10**phones.NATIONAL_LENGTH
_SIGNS: Final = dict.fromkeys(map(ord, " ()-"))
"""Signs between the digits of `+998 (90) 123-45-67`; fewer than `phones` knows, so that no date becomes a number."""
_SHOWN_CHARACTERS: Final = 60
_FEWEST_DIALLED: Final = 3
"""Digits that the PBX may take for a number to dial."""


class Tally:
    """The rows of one list by what their phone cell holds. A row's line is the one on which it ends.

    The number of a row is the first good one of `columns`; `others` are further columns that hold phones.
    """

    def __init__(self, columns: Sequence[int], width: int, others: Sequence[int] = ()) -> None:
        self._columns, self._width, self._others = columns, width, others
        self._known = bytearray(10 * _TEN_THOUSAND)
        """1 for the five digits behind 998 that Uzbek numbers of the list begin with, and nothing is to be said of."""
        self._kinds: dict[str, set[int]] = {}
        self._lines: array[int] = array("L")
        self._samples: dict[str, str] = {}
        self._again: set[int] = set()
        self.row_numbers: array[int] = array("Q")
        """The number of each row, headings and blank ones included; 0 where it has none."""
        self.empty: array[int] = array("L")
        self.troubles: dict[str, array[int]] = {}
        self.remarks: dict[str, array[int]] = {}
        self.unread: dict[int, str] = {}
        """The cells with something in them that is no number, by line."""
        self.elsewhere: dict[int, array[int]] = {}
        """By further column: the lines of the rows that have a number there, and none in the columns chosen."""

    def read(self, reader: Any, above: int = 0, header_line: int = 0) -> None:
        """Takes all the rows of a csv reader that come after the headings; `above` lines stand above the reader's."""
        column, width, known = self._columns[0], self._width, self._known
        add_number, add_line = self.row_numbers.append, self._lines.append
        while above + reader.line_num < header_line and next(reader, None) is not None:
            add_number(0)
            add_line(0)
        for row in reader:
            line = above + reader.line_num
            try:
                cell = row[column]
                if not cell.isdigit():
                    cell = cell.translate(_SIGNS).removeprefix("+998")
                # Digits alone, and no zero in front, which would be lost in the value.
                if "1" <= cell < ":" and len(row) == width and cell.isdigit():
                    number = int(cell)
                    if number < _FIRST:
                        number += _FIRST
                    if not known[(number - _FIRST) // _TEN_THOUSAND]:
                        number = self._read_row(row, line)
                else:
                    number = self._read_row(row, line)
            except IndexError:
                number = self._read_row(row, line)
            add_number(number)
            add_line(line)
        different = set(self.row_numbers)
        if len(different) <= self.numbers_read:  # else each number stands in one row, and 0 is in the set too
            counts = Counter(self.row_numbers)
            self._again = {number for number, times in counts.items() if number and times > 1}

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
        self._kinds.setdefault(phones.kind_of_number(number), set()).add(number // _TEN_THOUSAND)
        if found.remark:
            self._note(self.remarks, found.remark, line, cell)
        elif 0 <= (head := (number - _FIRST) // _TEN_THOUSAND) < len(self._known):
            # What nine digits begin with must not be known for twelve: the remark is on nine alone.
            self._known[head] = not phones.remark_on(str(number)[3:])
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
        return len(self.row_numbers) - self.row_numbers.count(0)

    def numbers(self) -> set[int]:
        """Each different number once, those to be left out included."""
        return set(self.row_numbers) - {0}

    def repeated(self) -> dict[int, list[int]]:
        """Each number that more than one row has, with the lines of all of them."""
        return self.matching(self._again)

    def matching(self, numbers: Collection[int]) -> dict[int, list[int]]:
        """Each number of the list that is also among these, with its lines."""
        found: dict[int, list[int]] = {}
        wanted = numbers if isinstance(numbers, set | frozenset) else set(numbers)
        for number, line in zip(self.row_numbers, self._lines, strict=True) if wanted else ():
            if number in wanted:
                found.setdefault(number, []).append(line)
        found.pop(0, None)
        return found

    def unread_matching(self, numbers: Collection[int]) -> dict[int, list[int]]:
        """Each of these numbers that a cell holds which is no good number as a whole, with the lines."""
        found: dict[int, list[int]] = {}
        for line, cell in self.unread.items():
            for number in {*phones.numbers_in(cell), int(phones.canonical(cell) or 0)}:
                found.setdefault(number, []).append(line)
        return {number: found[number] for number in found.keys() & set(numbers)}

    def unread_dialled(self) -> Mapping[int, str]:
        """By line: the digits of the cells that are no number, and that the PBX may dial where it gets them."""
        digits = {line: phones.canonical(cell) for line, cell in self.unread.items()}
        return {line: text for line, text in digits.items() if len(text) >= _FEWEST_DIALLED}

    def lines_outside(self, prefixes: tuple[str, ...]) -> list[int]:
        """The lines of the numbers that begin with none of these digits."""
        heads = {head for of_kind in self._kinds.values() for head in of_kind}
        suspect = {head for head in heads if not str(head).startswith(prefixes)}
        return [line for number, line in self._of_heads(suspect) if not str(number).startswith(prefixes)]

    def lines_of_kind(self, kind: str) -> list[int]:
        """The lines of mobile numbers, landlines, or foreign numbers."""
        return [line for _, line in self._of_heads(self._kinds.get(kind, set()))]

    def _of_heads(self, heads: set[int]) -> Iterator[tuple[int, int]]:
        for number, line in zip(self.row_numbers, self._lines, strict=True) if heads else ():
            if number // _TEN_THOUSAND in heads:
                yield number, line


def _spilt(cells: list[str]) -> str:
    """What a row that is longer than the others holds behind them: a second number, the ending of one, or nothing."""
    text = " ".join(cells).strip()
    if any(True for _ in phones.numbers_in(text)):
        return "two_numbers"
    return "variants" if text.isascii() and text.isdigit() else ""
