"""Counts the numbers of a list at the pace of Python's csv module.

Rows are taken by the hundreds. Where all cells of a batch have one length and hold digits only, the batch is judged as
a whole by its heads: all of a number but its last four digits, which no rule looks at. What differs in length, or is
spelled with spaces and brackets, is set apart; what is then still unknown is read cell by cell.

The digits of a whole batch become numbers in one go: to make an int of each cell alone takes a fifth of all the time.
"""

import re
import sys
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import compress, count, islice
from operator import itemgetter
from typing import Any, Final

from alovoice_cli import phones
from alovoice_cli.phones import COUNTRY, NATIONAL_LENGTH, Verdict

_BATCH: Final = 512
"""Rows: fewer than the 700 objects at which the garbage collector would look through them, at half the time of all."""
_WITH_PLUS: Final = NATIONAL_LENGTH + 4
_FRONT: Final = {NATIONAL_LENGTH: f"0000{COUNTRY}", NATIONAL_LENGTH + 3: "0000"}
"""What makes 16 digits, the hexadecimal ones of 8 bytes, of a cell of this length: 9 national ones, 12 with 998."""
_SURPRISING: Final = re.compile("\n(?:" + "|".join(phones.LIKE_A_COUNTRY) + ")")
_SHOWN_CHARACTERS: Final = 60
_TEN_THOUSAND: Final = 10**4  # the four digits at the end, which no rule looks at


class Tally:
    """The rows of one list by what their phone cell holds. A row's line is the one on which it ends."""

    def __init__(self, column: int, width: int, header_line: int = 0) -> None:
        self._column, self._width, self._header_line = column, width, header_line
        self._numbers: array[int] = array("Q")
        self._lines: array[int] = array("L")
        self._seen: set[int] = set()
        self._again: set[int] = set()
        self._heads: set[int] = set()
        self._kinds: dict[str, set[int]] = {}
        self.empty: array[int] = array("L")
        self.troubles: dict[str, array[int]] = {}
        self.remarks: dict[str, array[int]] = {}
        self._samples: dict[str, tuple[int, str]] = {}

    def add_block(self, block: str, above: int) -> int:
        """Takes whole lines that are a number each, of one length; a csv reader would take as long as all the rest.

        `above` is how many lines stand above. Returns how many these are: 0, and nothing taken, where they hold more.
        """
        text = block.replace("\r\n", "\n") if "\r" in block else block
        text = text.removesuffix("\n")
        count = text.count("\n") + 1
        return count if self._add_plain(text, range(above + 1, above + 1 + count)) else 0

    def read(self, reader: Any, above: int = 0) -> int:
        """Takes all the rows of a csv reader, above whose lines this many others stand; returns its last line."""
        before = above
        while rows := list(islice(reader, _BATCH)):
            after = above + reader.line_num
            lines = range(before + 1, after + 1) if after - before == len(rows) else _lines_of(rows, before)
            self._take(rows, lines)
            before = after
            del rows  # else the next batch would be made beside it
        return before

    def put_in_order(self) -> None:
        """Sorts what was noted by line, once all is read: a batch's odd rows are read before the others."""
        for where in (self.troubles, self.remarks):
            for code, at in where.items():
                where[code] = array("L", sorted(at))

    def _take(self, rows: list[list[str]], lines: Sequence[int]) -> None:
        if set(map(len, rows)) != {self._width}:
            whole = [len(row) == self._width for row in rows]
            self._take_apart(rows, lines, whole)
            rows, lines = list(compress(rows, whole)), list(compress(lines, whole))
        if not rows:
            return
        cells = list(map(itemgetter(self._column), rows))
        if self._add_plain("\n".join(cells), lines):
            return
        # In one go: a call for each cell would cost three times as much. A cell may hold a line end of its own.
        compact = phones.compact_of("\0".join(cells)).split("\0")
        if self._add_plain("\n".join(compact), lines):
            return
        size = Counter(map(len, compact)).most_common(1)[0][0]
        alike = [len(cell) == size for cell in compact]
        self._take_apart(rows, lines, alike)
        plain, at = list(compress(compact, alike)), list(compress(lines, alike))
        if not self._add_plain("\n".join(plain), at):
            self._take_apart(list(compress(rows, alike)), at, [False] * len(at))

    def _take_apart(self, rows: list[list[str]], lines: Sequence[int], done: list[bool]) -> None:
        for row, line, is_done in zip(rows, lines, done, strict=True):
            if not is_done:
                self._add_odd(row, line)

    def _add_plain(self, text: str, lines: Sequence[int]) -> bool:
        """Adds the cells, divided by line ends, where all are good numbers of one length; False, and none added, else.

        No cell may hold a line end, unless there are then more of them than `lines`.
        """
        digits = _digits_of(text, len(lines))
        if not digits:
            return False
        heads, numbers = _numbers_of(bytes.fromhex(digits))
        if not self._heads.issuperset(heads) and not all(map(self._knows, set(heads) - self._heads)):
            return False
        self._append(numbers, lines)
        if len(text) == len(lines) * (NATIONAL_LENGTH + 1) - 1:
            self._remark_surprising(text, lines)
        return True

    def _knows(self, head: int) -> bool:
        """Whether numbers begin so; remembered where they do."""
        base = phones.base_of(f"{head >> 16:04}{head & 0xFFFF:04}")
        if base is None:
            return False
        self._heads.add(head)
        self._kinds.setdefault(phones.kind_of_number(base), set()).add(base // _TEN_THOUSAND)
        return True

    def _remark_surprising(self, text: str, lines: Sequence[int]) -> None:
        # One search in all of them: to ask each cell costs a tenth of the whole reading.
        for match in _SURPRISING.finditer("\n" + text):
            cell = text[match.start() : match.start() + NATIONAL_LENGTH]
            self._note(self.remarks, phones.remark_on(cell), lines[match.start() // (NATIONAL_LENGTH + 1)], cell)

    def _append(self, numbers: "array[int]", lines: Sequence[int]) -> None:
        seen, each = self._seen, numbers.tolist()
        again = seen.intersection(each)
        self._again |= again
        before = len(seen)
        seen.update(each)
        if len(seen) - before + len(again) < len(numbers):
            self._again.update(number for number, times in Counter(numbers).items() if times > 1)
        self._numbers.extend(numbers)
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
        elif not self._add_plain(phones.compact_of(cell), [line]):
            self._add_named(phones.read_cell(cell), line)

    def _add_named(self, verdict: Verdict, line: int) -> None:
        if verdict.remark:
            self._note(self.remarks, verdict.remark, line, verdict.detail)
        if verdict.number:
            kind = phones.kind_of_number(verdict.number)
            self._kinds.setdefault(kind, set()).add(verdict.number // _TEN_THOUSAND)
            self._append(array("Q", [verdict.number]), [line])
        else:
            self._note(self.troubles, verdict.code, line, verdict.detail)

    def _note(self, where: dict[str, "array[int]"], code: str, line: int, cell: str) -> None:
        if code not in where:
            where[code] = array("L")
        where[code].append(line)
        if code not in self._samples or line < self._samples[code][0]:
            self._samples[code] = (line, cell)

    def sample(self, code: str) -> str:
        """The first cell with this trouble or remark, cut for a message."""
        cell = " ".join(self._samples[code][1].split())
        return cell if len(cell) <= _SHOWN_CHARACTERS else cell[:_SHOWN_CHARACTERS] + "…"

    # --- what was read -----------------------------------------------------------------------------------------------

    @property
    def numbers_read(self) -> int:
        """How many rows hold a good number, those that repeat one included."""
        return len(self._numbers)

    def numbers(self) -> set[int]:
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


def _digits_of(text: str, count: int) -> str:
    """16 digits for each cell of the text, where they have one length and hold digits only, with a plus or without."""
    size = text.find("\n") if count > 1 else len(text)
    if size == _WITH_PLUS:
        if text[:: size + 1] != "+" * count:
            return ""
        text, size = text.replace("+", ""), size - 1
    front = _FRONT.get(size)
    # Where all are of one length, each line end stands as far behind the last; one plus more makes the text too short.
    if front is None or len(text) != count * (size + 1) - 1 or text[size :: size + 1] != "\n" * (count - 1):
        return ""
    digits = front + text.replace("\n", front)
    return digits if len(digits) == count * 16 and digits.isascii() and digits.isdigit() else ""


def _numbers_of(raw: bytes) -> "tuple[array[int], array[int]]":
    """What the digits of each 8 bytes, one in 4 bits, come to: all at once, as one large integer with lanes in it.

    Twos of digits become numbers to 99, twos of these numbers to 9999, and so on: hi * 16 + lo less 6 * hi is
    hi * 10 + lo, and no lane ever borrows from the next. Returns the heads, four digits in each half, and the numbers.
    """
    lanes, fours = int.from_bytes(raw, "big"), b""
    for excess, bits, mask in _steps(len(raw)):
        if bits == 16:
            fours = lanes.to_bytes(len(raw), "big")
        lanes -= excess * ((lanes >> bits) & mask)
    heads, numbers = array("I", fours[2:] + bytes(2))[::2], array("Q", lanes.to_bytes(len(raw), "big"))
    if sys.byteorder == "little":
        heads.byteswap()
        numbers.byteswap()
    return heads, numbers


@lru_cache(maxsize=4)
def _steps(size: int) -> list[tuple[int, int, int]]:
    """For lanes of 4, 8, 16 and 32 bits: the excess weight of the upper of two, the bits, the mask of the lower."""
    masks = [(b"\0" * half + b"\xff" * half) * (size // (2 * half)) for half in (1, 2, 4)]
    steps = zip((4, 8, 16, 32), [b"\x0f" * size, *masks], strict=True)
    return [(2**bits - 10 ** (bits // 4), bits, int.from_bytes(mask, "big")) for bits, mask in steps]


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
    if any(True for _ in phones.numbers_in(text)):
        return "two_numbers"
    return "variants" if text.isascii() and text.isdigit() else ""
