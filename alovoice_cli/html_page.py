"""A report as one page of HTML: frame, style sheet, key figures, tables and bars.

A page is self-contained: no network, no script, light and dark, for phone and print. `safe` escapes all outside text,
and the page's own policy forbids scripts too.
"""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Literal, NamedTuple

from alovoice_cli.language import language_in_use
from alovoice_cli.masking import disarm

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"

Color = Literal["one", "two", "three", "four", "bad", "line"]
"""The colours of charts, by their names in the style sheet."""


class Html(str):
    """Markup: `safe` and the functions of this module leave it as it is."""

    __slots__ = ()


class Tile(NamedTuple):
    """A key figure: its name, its value, a line below; `verdict` colours the value where a target is set."""

    name: str
    value: str
    note: str = ""
    verdict: Literal["", "good", "bad"] = ""


class Head(NamedTuple):
    """The head of a table's column. Numeric cells are on the right; they and `whole` ones are not broken."""

    title: str
    numeric: bool = False
    whole: bool = False


class BarPart(NamedTuple):
    """A part of a bar: its length, and the name of its colour."""

    length: float
    color: Color


def page(title: str, parts: Iterable[str], *, fits_one_sheet: bool = False) -> str:
    """Returns a whole page; `title` is text, the parts are markup already.

    `fits_one_sheet` prints small: for a page that must fit one sheet of A4.
    """
    from importlib.resources import files  # noqa: PLC0415 - 10 ms, for pages alone

    style = files("alovoice_cli").joinpath("page.css").read_text("utf-8")
    kind = ' class="sheet"' if fits_one_sheet else ""
    return (
        "<!DOCTYPE html>\n"
        f'<html lang="{language_in_use()}"{kind}>\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="robots" content="noindex">\n'
        f"<title>{safe(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{safe(title)}</h1>\n" + "\n".join(parts) + "\n</main>\n</body>\n</html>\n"
    )


def safe(text: str) -> Html:
    """Returns text as markup: special characters escaped, control and direction characters visible."""
    return text if isinstance(text, Html) else Html(escape(disarm(text, one_line=False)))


def heading(text: str) -> Html:
    """Returns the heading of a section."""
    return Html(f"<h2>{safe(text)}</h2>")


def remark(text: str) -> Html:
    """Returns a paragraph in a quiet colour."""
    return Html(f'<p class="dim">{safe(text)}</p>')


def columns(*parts: Iterable[str]) -> Html:
    """Returns parts side by side, or one below the other on a narrow screen."""
    return Html('<div class="columns">' + "".join(f"<section>{''.join(part)}</section>" for part in parts) + "</div>")


def tiles(figures: Iterable[Tile]) -> Html:
    """Returns key figures as tiles, as many in a row as fit."""
    return Html(f'<dl class="figures">{"".join(map(_tile, figures))}</dl>')


def _tile(figure: Tile) -> str:
    value = f'<span class="{figure.verdict}">{safe(figure.value)}</span>' if figure.verdict else safe(figure.value)
    note = f'<dd class="note">{safe(figure.note)}</dd>' if figure.note else ""
    return f"<div><dt>{safe(figure.name)}</dt><dd>{value}</dd>{note}</div>"


def table(name: str, heads: Sequence[Head], rows: Iterable[Sequence[str]]) -> Html:
    """Returns a table. `name` is its id, unique within the page: letters and dashes."""
    top = "".join(_cell("th", head.title, head, ' scope="col"') for head in heads)
    body = "".join(
        f"<tr>{''.join(_cell('td', cell, head) for cell, head in zip(row, heads, strict=True))}</tr>\n" for row in rows
    )
    return Html(
        f'<div class="scroll"><table id="{name}"><thead><tr>{top}</tr></thead>\n<tbody>\n{body}</tbody></table></div>'
    )


def _cell(tag: str, text: str, head: Head, more: str = "") -> str:
    kind = ' class="number"' if head.numeric else ' class="whole"' if head.whole else ""
    return f"<{tag}{more}{kind}>{safe(text)}</{tag}>"


def bar(parts: Iterable[BarPart], longest: float) -> Html:
    """Returns a horizontal bar for a cell of a table; a bar of the length `longest` fills the cell."""
    drawn = "".join(
        f'<i style="width:{100 * part.length / longest:.1f}%;background:var(--{part.color})"></i>'
        for part in parts
        if part.length > 0
    )
    return Html(f'<span class="bar" aria-hidden="true">{drawn}</span>')


def with_note(text: str, note: str) -> Html:
    """Returns a cell's text with a quiet line below it."""
    return Html(f"{safe(text)}<small>{safe(note)}</small>")


def legend(named: Iterable[tuple[str, str]]) -> Html:
    """Returns the legend of colours, from pairs of a name and a CSS colour."""
    items = "".join(
        f'<li><span class="swatch" style="background:{color}"></span>{safe(name)}</li>' for name, color in named
    )
    return Html(f'<ul class="legend">{items}</ul>')
