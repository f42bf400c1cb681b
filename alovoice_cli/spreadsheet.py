"""The one rule for CSV files that people open in a spreadsheet: plain by default, Excel's form on request."""

import re
from datetime import datetime, tzinfo
from typing import Final, NamedTuple

_MOMENT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9.]+)?(?:Z|[+-][0-9]{2}:?[0-9]{2})"


class SpreadsheetFormat(NamedTuple):
    """The form of a CSV file for a spreadsheet, always in UTF-8 and with LF line ends."""

    mark: str = ""
    """The byte order mark by which Excel recognises UTF-8, or ''."""
    delimiter: str = ""
    """The character between cells; '' means that of the file that the CSV is made from, else a comma."""


PLAIN: Final = SpreadsheetFormat()
EXCEL: Final = SpreadsheetFormat("\ufeff", ";")
"""The form that opens correctly by a double click in a Windows of Uzbekistan or Russia."""


def format_for(*, excel: bool) -> SpreadsheetFormat:
    """Returns the format of `--excel`, or the plain one."""
    return EXCEL if excel else PLAIN


def local_time(text: str, zone: tzinfo) -> str:
    """Returns a moment with zone, such as `2026-11-28T15:04:05Z`, in Excel's form: local and without a zone.

    Other text is returned unchanged.
    """
    if not re.fullmatch(_MOMENT, text):
        return text
    try:
        return f"{datetime.fromisoformat(text).astimezone(zone):%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError):
        return text
