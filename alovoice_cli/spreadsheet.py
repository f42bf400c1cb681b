"""The one rule for CSV files that people open in a spreadsheet: plain by default, as Excel wants them where asked."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class SpreadsheetFormat:
    """How a CSV file for a spreadsheet is written, always in UTF-8 and with LF line ends."""

    mark: str = ""
    """The byte order mark by which Excel knows UTF-8, or nothing."""
    delimiter: str = ""
    """What divides the cells; nothing: what divided the cells of the file that the CSV is made from, else a comma."""


PLAIN: Final = SpreadsheetFormat()
EXCEL: Final = SpreadsheetFormat("\ufeff", ";")
"""What a double click in a Windows of Uzbekistan or Russia opens rightly."""


def format_for(*, excel: bool) -> SpreadsheetFormat:
    """The format that `--excel` asks for, or the plain one."""
    return EXCEL if excel else PLAIN
