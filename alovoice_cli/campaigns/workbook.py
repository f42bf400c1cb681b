"""Turns one sheet of a workbook (.xlsx, .xls, .ods) into CSV; a row of the sheet is a line of the CSV."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from alovoice_cli.campaigns.files import MadeFile
from alovoice_cli.campaigns.workbook_size import refuse_huge
from alovoice_cli.errors import UnopenedListError

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

_ZIP_MAGIC: Final = b"PK\x03\x04"
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")  # the stream of an .xlsx with a password
_LONGEST_OLE = 1 << 26  # bytes; an .xls holds 65 536 rows at most, its reader all of the file
_EXACT = 2**53  # a float from here on has lost whole numbers between its neighbours
_LINE_ENDS = re.compile(r"[\r\n]+")
_SAVE_ANEW = "open it in a spreadsheet and save it anew, or as CSV UTF-8"


@dataclass(frozen=True, slots=True)
class WorkbookTab:
    """One sheet of a workbook as CSV in UTF-8. `others` are further visible sheets that hold something."""

    csv: BinaryIO
    kind: str
    tab: str
    others: tuple[str, ...]


def read_workbook(file: BinaryIO, name: str, wanted: str | None) -> WorkbookTab:
    """The sheet `wanted` as CSV, else the first visible sheet that holds something.

    Raises UnopenedListError for what is no workbook, for a damaged, an empty or a huge one, for one with a password,
    and for a sheet that is not there.
    """
    file.seek(0)
    kind = refuse_huge(file, name) if file.read(len(_ZIP_MAGIC)) == _ZIP_MAGIC else _ole_kind(file, name)
    file.seek(0)
    book = _load(file, name)
    tab, rows, others = _first_filled(book, name) if wanted is None else _named(book, name, wanted)
    return WorkbookTab(_as_csv(rows), kind, tab, others)


def _ole_kind(file: BinaryIO, name: str) -> str:
    if file.seek(0, io.SEEK_END) > _LONGEST_OLE:
        raise UnopenedListError(f"{name} is too large: {file.tell()} bytes", hint=_SAVE_ANEW)
    file.seek(0)
    if _ENCRYPTED_PACKAGE in file.read():
        raise _locked(name)
    return "an Excel workbook (.xls)"


def _locked(name: str) -> UnopenedListError:
    return UnopenedListError(f"{name} is protected by a password", hint="save it without the password, or as CSV UTF-8")


def _damaged(name: str, error: BaseException) -> UnopenedListError:
    return UnopenedListError(f"{name} is an Excel workbook or its like, and damaged: {error}", hint=_SAVE_ANEW)


def _load(file: BinaryIO, name: str) -> "CalamineWorkbook":
    import python_calamine

    try:
        return python_calamine.load_workbook(file)
    except python_calamine.PasswordError as error:
        raise _locked(name) from error
    except Exception as error:  # the library raises its own errors, OSError and ValueError, each for a damaged file
        raise _damaged(name, error) from error
    except BaseException as error:
        raise _panic(name, error) from error


def _panic(name: str, error: BaseException) -> BaseException:
    """A panic of the library's Rust, which is no Exception, as an error of the file; all else as it is."""
    return _damaged(name, error) if type(error).__name__ == "PanicException" else error


_Found = tuple[str, Iterator[list[object]], tuple[str, ...]]
"""A sheet's name, its rows, and further sheets that might have been meant."""


def _named(book: "CalamineWorkbook", name: str, wanted: str) -> _Found:
    hint = "its sheets are " + " · ".join(book.sheet_names)
    exact = [tab for tab in book.sheet_names if tab == wanted]
    loose = [tab for tab in book.sheet_names if tab.strip().casefold() == wanted.strip().casefold()]
    if not exact and not loose:
        raise UnopenedListError(f"{name} has no sheet {wanted!r}", hint=hint)
    tab = (exact or loose)[0]
    rows = _rows(book, tab, name)
    if rows is None:
        raise UnopenedListError(f"{name}: the sheet {tab!r} is empty", hint=hint)
    return tab, rows, ()


def _first_filled(book: "CalamineWorkbook", name: str) -> _Found:
    from python_calamine import SheetVisibleEnum

    visible = [found.name for found in book.sheets_metadata if found.visible == SheetVisibleEnum.Visible]
    first: tuple[str, Iterator[list[object]]] | None = None
    others: list[str] = []
    for tab in visible:
        rows = _rows(book, tab, name)
        if rows is not None and first is None:
            first = tab, rows
        elif rows is not None:
            others.append(tab)
    if first is None:
        hidden = " · ".join(tab for tab in book.sheet_names if tab not in visible)
        hint = f"--sheet NAME reads a hidden one: {hidden}" if hidden else "give one with a phone number a row"
        raise UnopenedListError(f"{name} is empty: its sheets hold nothing", hint=hint)
    return *first, tuple(others)


def _rows(book: "CalamineWorkbook", tab: str, name: str) -> Iterator[list[object]] | None:
    """The rows from the sheet's first; None where the sheet holds nothing."""
    try:
        sheet = book.get_sheet_by_name(tab)
        return cast("Iterator[list[object]]", sheet.iter_rows()) if sheet.start is not None else None
    except Exception as error:  # as in _load; a chart is no sheet of rows either
        if len(book.sheet_names) > 1 and "Worksheet" in type(error).__name__:
            return None
        raise _damaged(name, error) from error
    except BaseException as error:
        raise _panic(name, error) from error


def _as_csv(rows: Iterator[list[object]]) -> BinaryIO:
    made = cast(BinaryIO, MadeFile())
    text = io.TextIOWrapper(made, "utf-8", newline="")
    csv.writer(text, lineterminator="\n").writerows(map(_written, row) for row in rows)
    text.detach()
    return made


def _written(value: object) -> str:
    """A cell as a person who types a CSV writes it; a number that the workbook has rounded stays one that shows it."""
    if isinstance(value, str):
        # A line end within a cell would part the lines of the CSV from the rows of the sheet.
        return _LINE_ENDS.sub(" ", value).replace("\0", "")
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < _EXACT else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    return value.isoformat() if isinstance(value, (date, time)) else str(value)
