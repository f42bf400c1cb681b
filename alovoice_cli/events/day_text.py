"""A day as text: a screen of 80 columns and 24 lines, and lines for a mail or a messenger."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from alovoice_cli.events.day import Day, DayRow, LiveDay, OwedCaller
from alovoice_cli.events.headline_figures import NOTHING, Figure, value_text
from alovoice_cli.language import joined, ngettext, pgettext, tr
from alovoice_cli.localization import decimal_text
from alovoice_cli.masking import disarm

ScreenLine = tuple[tuple[str, str], ...]
"""A line as pieces, each with its style: `bold`, `dim`, `good`, `bad`, or '' for none."""

WIDTH = 79
HEIGHT = 23
"""Lines of the screen: the prompt below needs the last of 24."""
_HALF = 39
_NAME_WIDTH = 15
_TARGET_WIDTH = _HALF - _NAME_WIDTH - 9
_LABEL = 7
_NARROWEST, _WIDEST = 3, 6  # columns of an hour
_BAR_ROWS = 3
_FEW_OWED = 8  # callers, who matter more than blank lines
_LEVELS = " ▁▂▃▄▅▆▇█"
_PLAIN_LEVELS = " ...::###"
_ASCII_SIGNS = str.maketrans({"–": "-", "≥": ">", "≤": "<", "…": "~", "ʻ": "'", "ʼ": "'"})
_LONGEST_TEXT = 4096  # of a message in Telegram
_LONGEST_NAME = 40
_ALL_OWED = "events missed --not-returned"


def day_screen(
    day: Day, *, height: int = HEIGHT, width: int = WIDTH, ascii_only: bool = False, live: LiveDay | None = None
) -> list[ScreenLine]:
    """Returns at most `height` lines of at most `width` columns: the callers get the lines that the rest leaves.

    On a narrow terminal the figures stand below each other: all six are seen.
    """
    width = max(min(width, WIDTH), _HALF)
    top = [_one(day.title, "bold"), *([_live_line(live)] if live else [])]
    figures = list(_figure_lines(day.figures, width)) + [_one(line, "dim") for line in _wrapped(day.remarks, width)]
    calls = map(_one, _wrapped([day.calls_text], width))
    middle = [*figures, *calls, *_row_lines(day, width, ascii_only=ascii_only)]
    bottom = [_one(line, "dim") for line in _wrapped([day.lines_text, coverage_text(day)], width)]
    free = height - len(top) - len(middle) - len(bottom) - 1
    blanks = max(min(free - min(len(day.owed), _FEW_OWED), 3), 0)
    room = max(free - blanks, 0)
    owed = [_one(_owed_head(day, room, _ALL_OWED)), *(_owed_line(day, caller) for caller in day.owed[:room])]
    lines: list[ScreenLine] = []
    for place, part in enumerate((top, middle, owed, bottom)):
        lines += [(), *part] if 0 < place <= blanks else part
    return [_fitted(line, width, ascii_only=ascii_only) for line in lines[:height]]


def _one(text: str, style: str = "") -> ScreenLine:
    return ((text, style),)


def _fitted(line: ScreenLine, width: int, *, ascii_only: bool) -> ScreenLine:
    """Returns the line cut to the width, without blanks at its end; with `ascii_only` of ASCII alone."""
    room, pieces = width, []
    for text, style in line:
        shown = disarm(text)
        if ascii_only:
            shown = shown.translate(_ASCII_SIGNS).encode("ascii", "replace").decode()
        pieces.append((_cut(shown, room, "~" if ascii_only else "…"), style))
        room = max(room - len(shown), 0)
    if pieces:
        pieces[-1] = (pieces[-1][0].rstrip(), pieces[-1][1])
    return tuple(pieces)


def _wrapped(texts: Sequence[str], width: int) -> list[str]:
    return [
        line
        for text in texts
        for line in textwrap.wrap(text, width, subsequent_indent="  ", max_lines=2, placeholder=" …")
    ]


def _live_line(live: LiveDay) -> ScreenLine:
    listener = (tr("the listener is running"), "good")
    if not live.listener_is_up:
        listener = (tr("NO LISTENER IS RUNNING"), "bad")
    waiting = tr("outbox: {number} waiting", number=live.outbox_waiting)
    if live.outbox_dead:
        waiting = joined(", ", [waiting, tr("{number} given up", number=live.outbox_dead)])
    now = tr("Now: {inbound} in, {outbound} out", inbound=live.calls_in, outbound=live.calls_out)
    return (f"{now}; ", ""), listener, (f"; {waiting}", "")


def _figure_lines(figures: Sequence[Figure], width: int) -> Iterator[ScreenLine]:
    """Yields the figures in two columns, or in one where two do not fit."""
    columns = 2 if width > 2 * _HALF else 1
    for place in range(0, len(figures), columns):
        cells = [_figure_cell(figure) for figure in figures[place : place + columns]]
        yield tuple(piece for cell in cells for piece in cell)


def _figure_cell(figure: Figure) -> ScreenLine:
    judged = _verdict_text(figure)
    style = {None: "dim", True: "good", False: "bad"}[figure.is_met]
    sign = "≤" if figure.at_most else "≥"
    target = f"{sign} {figure.target_text} {judged}".rstrip() if figure.target is not None else ""
    name = _cut(figure.name, _NAME_WIDTH - 1)
    return (f"{name:<{_NAME_WIDTH}}", ""), (f"{figure.text:>9}", "bold"), (f" {target}".ljust(_TARGET_WIDTH), style)


def _verdict_text(figure: Figure) -> str:
    """Returns `ok`, or on which side of the target the value is; '' where nothing can be judged."""
    return {None: "", True: tr("ok"), False: tr("above") if figure.at_most else tr("below")}[figure.is_met]


def _row_lines(day: Day, room: int, *, ascii_only: bool) -> list[ScreenLine]:
    if day.is_week:
        return [_one(_table_head(day), "dim"), *(_one(_day_line(day, row)) for row in day.rows)]
    if not day.rows:
        return [_one(no_calls_text(day), "dim")]
    widest = max(len(str(row.offered)) for row in day.rows) + 1
    fitting = max((room - _LABEL) // max(widest, _NARROWEST), 1)
    blocks = -(-len(day.rows) // fitting)
    size = -(-len(day.rows) // blocks)
    width = max(min((room - _LABEL) // size, _WIDEST), widest)
    lines: list[ScreenLine] = []
    for begin in range(0, len(day.rows), size):
        rows = day.rows[begin : begin + size]
        lines += _bars(rows, width, max(row.offered for row in day.rows), 1 if blocks > 1 else _BAR_ROWS, ascii_only)
        lines.append(
            _one(_label(pgettext("hour row", "Hour")) + "".join(f"{row.name[:2]:>{width}}" for row in rows), "dim")
        )
        lines.append(_one(_label(pgettext("hour row", "Calls")) + "".join(f"{row.offered:>{width}}" for row in rows)))
        cells = ((f"{row.missed:>{width}}", "bad" if row.missed else "") for row in rows)
        lines.append(((_label(pgettext("hour row", "Missed")), ""), *cells))
    return lines


def _label(text: str) -> str:
    """Returns a row's label, cut to the room before the hours."""
    return _cut(text, _LABEL - 1).ljust(_LABEL)


def _bars(rows: Sequence[DayRow], width: int, highest: int, height: int, ascii_only: bool) -> Iterator[ScreenLine]:
    """Yields the calls of each hour as columns, the top line first."""
    levels = _PLAIN_LEVELS if ascii_only else _LEVELS
    most = len(levels) - 1
    for level in range(height - 1, -1, -1):
        cells = []
        for row in rows:
            eighths = max(round(row.offered * height * most / max(highest, 1)), 1 if row.offered else 0)
            cells.append((levels[min(max(eighths - level * most, 0), most)] * (width - 1)).rjust(width))
        yield _one((" " * _LABEL + "".join(cells)).rstrip())


def _table_head(day: Day) -> str:
    """Returns the headings over the days of a week."""
    titles = [(tr("Day"), -12), (tr("Calls"), 7), (tr("Answered"), 10), (tr("Missed"), 8), (tr("Rate"), 9)]
    titles += [(tr("Level"), 9), (tr("Wait"), 9), (tr("Owed"), 6)]
    titles += [(tr("Score"), 7)] if day.has_scores else []
    return "".join(
        _cut(title, abs(width) - 1).rjust(width) if width > 0 else title.ljust(-width) for title, width in titles
    )


def _day_line(day: Day, row: DayRow) -> str:
    rate, level, wait = day_cells(row)
    score = f"{number_text(row.score):>7}" if day.has_scores else ""
    owed = str(row.owed) if row.is_known else NOTHING
    offered, answered, missed = row.counts
    counts = f"{offered:>7}{answered:>10}{missed:>8}"
    return f"{row.label:<12}{counts}{rate:>9}{level:>9}{wait:>9}{owed:>6}{score}"


def day_cells(row: DayRow) -> tuple[str, str, str]:
    """Returns answer rate, service level and mean wait of one of several days."""
    return (
        value_text(row.answer_rate, "%"),
        value_text(row.service_level, "%"),
        value_text(row.mean_wait, "s"),
    )


def number_text(value: float | None) -> str:
    """Returns a number with one decimal."""
    return NOTHING if value is None else decimal_text(value)


def coverage_text(day: Day) -> str:
    """Returns when the listener was running."""
    return tr("Coverage: {times}", times=day.coverage_text)


def no_calls_text(day: Day) -> str:
    """Returns the sentence that stands in place of the hours of a day without an inbound call."""
    if day.coverage.begin is None:
        return tr("No inbound call is known.")
    return tr("No inbound call began.")


def owed_text(day: Day) -> str:
    """Returns how many callers are owed a call."""
    owed = next(figure.text for figure in day.figures if figure.key == "still_owed")
    if day.owed_hidden:
        return tr("Owed a call: {number}, and {hidden} hidden", number=owed, hidden=day.owed_hidden)
    return tr("Owed a call: {number}", number=owed)


def _owed_head(day: Day, shown: int, command: str) -> str:
    more = len(day.owed) - shown
    return joined("; ", [owed_text(day), *([more_owed_text(more, command)] if more > 0 else [])])


def more_owed_text(number: int, command: str) -> str:
    """Returns how many callers are not listed, and the command that lists all."""
    return ngettext("{n} more: {command}", "{n} more: {command}", number, command=command)


def _owed_line(day: Day, caller: OwedCaller) -> ScreenLine:
    text = f"  {caller.number:<13} {day.since_text(caller.since):<20} {calls_text(caller):<18}"
    return _one(f"{text} {caller.peer or caller.line}")


def calls_text(caller: OwedCaller) -> str:
    """Returns how often the caller was missed, and how often we tried."""
    missed = tr("missed {number}x", number=caller.missed)
    return joined(", ", [missed, tr("tried {number}x", number=caller.tried)]) if caller.tried else missed


def _cut(text: str, length: int, mark: str = "…") -> str:
    return text if len(text) <= length else text[: max(length - 1, 0)] + mark[:length]


def day_message(day: Day) -> str:
    """Returns short lines without columns, for a mail or a messenger: at most 4096 characters."""
    head = [day.title, "", *map(_figure_text, day.figures), *day.remarks, ""]
    head = _disarmed([*head, day.calls_text, "", *_rows_text(day), ""])
    tail = _disarmed(["", day.lines_text, coverage_text(day)])
    room = _LONGEST_TEXT - _length([*head, _owed_head(day, 0, day.owed_command), *tail])
    owed: list[str] = []
    for line in _disarmed(_owed_text(day, caller) for caller in day.owed):
        room -= _length([line])
        if room < 0:
            break
        owed.append(line)
    return "".join(f"{line}\n" for line in (*head, _owed_head(day, len(owed), day.owed_command), *owed, *tail))


def _owed_text(day: Day, caller: OwedCaller) -> str:
    since = tr("{number} since {time}", number=caller.number, time=day.since_text(caller.since))
    peer = [_cut(caller.peer, _LONGEST_NAME)] if caller.peer else []
    return joined(", ", [since, calls_text(caller), *peer])


def _disarmed(lines: Iterable[str]) -> list[str]:
    return [disarm(line) for line in lines]


def _length(lines: Iterable[str]) -> int:
    """Returns the length with line ends as a messenger counts: in units of UTF-16."""
    return sum(len(line.encode("utf-16-le", "surrogatepass")) // 2 + 1 for line in lines)


def _figure_text(figure: Figure) -> str:
    note = f", {figure.note}" if figure.note and figure.key == "still_owed" else ""
    return f"{figure.name}: {figure.text}{note}{target_note(figure, before=' (')}"


def target_note(figure: Figure, *, before: str = "") -> str:
    """Returns the target and whether it is met, in words."""
    if figure.target is None:
        return ""
    target = tr("target at least {value}", value=figure.target_text)
    if figure.at_most:
        target = tr("target at most {value}", value=figure.target_text)
    if figure.is_met is not None:
        target = joined(": ", [target, tr("met") if figure.is_met else tr("not met")])
    return f"{before}{target}{')' if before else ''}"


def _rows_text(day: Day) -> Iterator[str]:
    if not day.is_week:
        yield tr("Calls by hour (missed):") if day.rows else no_calls_text(day)
        for row in day.rows:
            yield f"{row.name} {row.offered}" + (f" ({row.missed})" if row.missed else "")
        return
    for row in day.rows:
        if not row.is_known:
            yield tr("{day}: the listener was not running", day=row.name)
            continue
        rate, level, wait = day_cells(row)
        yield ngettext(
            "{day}: {n} call, missed {missed}, answered {rate}",
            "{day}: {n} calls, missed {missed}, answered {rate}",
            row.offered,
            day=row.label,
            missed=row.missed,
            rate=rate,
        )
        details = [tr("service level {level}, wait {wait}, owed {owed}", level=level, wait=wait, owed=row.owed)]
        details += [tr("score {score}", score=number_text(row.score))] if day.has_scores else []
        yield "  " + joined(", ", details)


def live_line(live: LiveDay) -> str:
    """Returns what matters in one line, for a terminal that cannot be drawn over."""
    calls = live.day.kpi.inbound
    up = tr("listener running") if live.listener_is_up else tr("NO LISTENER")
    now = f"{live.day.span.now:%H:%M:%S}"
    level = live.day.figures[0]
    return tr(
        "{time} now in {inbound}, out {outbound}; today in {offered}, answered {answered}, missed {missed};"
        " {figure} {value}; owed {owed}; {listener}; outbox {waiting}",
        time=now,
        inbound=live.calls_in,
        outbound=live.calls_out,
        offered=calls.offered,
        answered=calls.answered,
        missed=calls.missed,
        figure=level.name,
        value=level.text,
        owed=len(live.day.owed),
        listener=up,
        waiting=live.outbox_waiting,
    )
