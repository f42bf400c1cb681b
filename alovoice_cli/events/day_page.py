"""A day as one page of HTML that fits one sheet of A4."""

from collections.abc import Iterator
from typing import Literal

from alovoice_cli.events.day import Day, DayRow
from alovoice_cli.events.day_text import (
    calls_text,
    coverage_text,
    day_cells,
    more_owed_text,
    no_calls_text,
    number_text,
    owed_text,
    target_note,
)
from alovoice_cli.events.headline_figures import NOTHING, Figure
from alovoice_cli.html_page import (
    BarPart,
    Head,
    Tile,
    bar,
    columns,
    heading,
    legend,
    page,
    remark,
    table,
    tiles,
    with_note,
)
from alovoice_cli.language import tr

_MOST_OWED, _MOST_OWED_IN_WEEK = 16, 10  # callers: beside the 24 hours of a day, below the days
_VERDICTS: dict[bool | None, Literal["", "good", "bad"]] = {None: "", True: "good", False: "bad"}


def day_page(day: Day) -> str:
    """Returns the page."""
    remarks = [remark(f"{one}.") for one in day.remarks]
    parts: list[str] = [
        tiles(map(_tile, day.figures)),
        *remarks,
        remark(f"{day.calls_text}."),
    ]
    if day.is_week:
        parts += [heading(tr("Days")), _day_table(day), *_owed(day)]
    else:
        parts.append(columns(_hours(day), _owed(day)))
    parts += [heading(tr("Lines and coverage")), remark(f"{day.lines_text}."), remark(f"{coverage_text(day)}.")]
    return page(day.title, parts, fits_one_sheet=True)


def _tile(figure: Figure) -> Tile:
    notes = [note for note in (target_note(figure), figure.note) if note]
    return Tile(figure.name, figure.text, "; ".join(notes), _VERDICTS[figure.is_met])


def _hours(day: Day) -> Iterator[str]:
    yield heading(tr("Inbound calls by hour"))
    if not day.rows:
        yield remark(no_calls_text(day))
        return
    highest = max(row.offered for row in day.rows)
    heads = (Head(tr("Hour")), Head(tr("Calls"), numeric=True), Head(tr("Missed"), numeric=True), Head(""))
    rows = [(row.name, str(row.offered), str(row.missed), _bar(row, highest)) for row in day.rows]
    yield table("hours", heads, rows)
    yield _legend()


def _legend() -> str:
    return legend(((tr("answered"), "var(--three)"), (tr("other"), "var(--line)"), (tr("missed"), "var(--bad)")))


def _bar(row: DayRow, highest: int) -> str:
    other = row.offered - row.answered - row.missed
    return bar((BarPart(row.answered, "three"), BarPart(other, "line"), BarPart(row.missed, "bad")), max(highest, 1))


def _day_table(day: Day) -> str:
    names = (tr("Calls"), tr("Answered"), tr("Missed"), tr("Rate"), tr("Level"), tr("Wait"), tr("Owed"))
    scores = (tr("Score"),) if day.has_scores else ()
    heads = [Head(tr("Day"), whole=True), *(Head(name, numeric=True) for name in (*names, *scores)), Head("")]
    highest = max(row.offered for row in day.rows)
    return table("days", heads, [_day_row(day, row, highest) for row in day.rows]) + _legend()


def _day_row(day: Day, row: DayRow, highest: int) -> tuple[str, ...]:
    owed = str(row.owed) if row.is_known else NOTHING
    scores = (number_text(row.score),) if day.has_scores else ()
    return (row.label, *row.counts, *day_cells(row), owed, *scores, _bar(row, highest))


def _owed(day: Day) -> Iterator[str]:
    yield heading(owed_text(day))
    if not day.owed:
        return
    most = _MOST_OWED_IN_WEEK if day.is_week else _MOST_OWED
    heads = (Head(tr("Number"), whole=True), Head(tr("Since, extension or line")))
    rows = [
        (
            with_note(caller.number, calls_text(caller)),
            with_note(day.since_text(caller.since), caller.peer or caller.line),
        )
        for caller in day.owed[:most]
    ]
    yield table("owed", heads, rows)
    if len(day.owed) > most:
        yield remark(more_owed_text(len(day.owed) - most, day.owed_command))
