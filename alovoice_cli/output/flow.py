"""A list that is printed as it comes: never whole in memory, and its first line is there before its last is known."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from textwrap import indent as indented
from typing import Literal, NamedTuple, TextIO

from alovoice_cli.output.columns import Column, Item, cell_text
from alovoice_cli.output.csv import safe_cell
from alovoice_cli.output.json import json_text
from alovoice_cli.output.tsv import write_line

Form = Literal["json", "lines", "csv", "tsv"]


class Row(NamedTuple):
    """One thing: what its columns are taken from, and what JSON prints of it."""

    item: Item
    whole: object


@dataclass(frozen=True, slots=True)
class Flow:
    """A list as an iterator; the rest is as in Listing."""

    rows: Iterable[Row]
    columns: tuple[Column, ...]
    nothing: str = "nothing to show"


def write_flow(
    rows: Iterable[Row],
    columns: tuple[Column, ...],
    out: TextIO,
    form: Form,
    *,
    headers: bool,
    to_json: Callable[[Row], str],
) -> None:
    """Writes the rows: `lines` is one JSON text a line, flushed; `json` one list of them."""
    if form == "json":
        _write_list(map(to_json, rows), out)
    elif form == "lines":
        for row in rows:
            out.write(to_json(row) + "\n")
            out.flush()
    else:
        write_cells = _csv_writer(out) if form == "csv" else _tsv_writer(out)
        if headers:
            write_cells([column.name for column in columns])
        for row in rows:
            write_cells([column.of(row.item) for column in columns])


def _csv_writer(out: TextIO) -> Callable[[Sequence[object]], None]:
    writer = csv.writer(out, lineterminator="\n")
    return lambda cells: writer.writerow([safe_cell(cell_text(cell)) for cell in cells])


def _tsv_writer(out: TextIO) -> Callable[[Sequence[object]], None]:
    return lambda cells: write_line(cells, out)


def row_text(columns: tuple[Column, ...] | None, *, indent: bool, ascii_only: bool) -> Callable[[Row], str]:
    """A row as JSON text: whole, or of these columns only."""

    def text(row: Row) -> str:
        value = row.whole if columns is None else {column.name: column.of(row.item) for column in columns}
        return json_text(value, indent=indent, ascii_only=ascii_only)

    return text


def _write_list(texts: Iterator[str], out: TextIO) -> None:
    """The same bytes as JSON prints of the whole list: on one line, or (texts of several lines) indented."""
    first = next(texts, None)
    if first is None:
        out.write("[]\n")
        return
    is_open = "\n" in first
    out.write("[\n" if is_open else "[")
    for number, text in enumerate(chain([first], texts)):
        comma = "" if number == 0 else ",\n" if is_open else ", "
        out.write(comma + (indented(text, "  ") if is_open else text))
    out.write("\n]\n" if is_open else "]\n")
