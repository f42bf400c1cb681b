"""Charts as SVG that stands in a page: pygal draws them, the page's colours dress them, and no script comes along."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

import pygal
from pygal.style import Style

from alovoice_cli.masking import disarm
from alovoice_cli.speech.pages import safe

# pygal looks for its map plugins by a finder that Python warns of at each later import. No map is drawn here.
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != "pygal"]

_COLORS = ("var(--one)", "var(--two)", "var(--three)", "var(--four)", "var(--bad)")
_STYLE = Style(
    background="transparent",
    plot_background="transparent",
    foreground="var(--dim)",
    foreground_strong="var(--ink)",
    foreground_subtle="var(--line)",
    guide_stroke_color="var(--line)",
    major_guide_stroke_color="var(--line)",
    colors=_COLORS,
    font_family="inherit",
    label_font_size=13,
    major_label_font_size=13,
    value_font_size=12,
    opacity=".9",
    transition="none",
)
_WIDTH, _HEIGHT = 640, 300
_MOST_LABELS = 10

Series = Mapping[str, Sequence[float | None]]


def legend(series: Series) -> str:
    """What the colours stand for, as a list beneath the chart; nothing where there is one series."""
    if len(series) < 2:
        return ""
    items = "".join(
        f'<li><span class="swatch" style="background:{color}"></span>{safe(title)}</li>'
        for title, color in zip(series, _COLORS, strict=False)
    )
    return f'<ul class="legend">{items}</ul>'


def lines(name: str, labels: Sequence[str], series: Series, *, highest: float | None = None) -> str:
    """Lines over days. `name` is the chart's own within its page: letters and dashes."""
    span = None if highest is None else (0, highest)
    chart = pygal.Line(**_options(labels), range=span, show_dots=len(labels) < 40, dots_size=3)
    return _drawn(chart, name, labels, series)


def bars(name: str, labels: Sequence[str], series: Series) -> str:
    """Upright bars."""
    return _drawn(pygal.Bar(**_options(labels), rounded_bars=2), name, labels, series)


def _options(labels: Sequence[str]) -> dict[str, Any]:
    return {
        "style": _STYLE,
        "js": [],
        "width": _WIDTH,
        "height": _HEIGHT,
        "margin": 8,
        "include_x_axis": True,
        "show_legend": False,  # pygal's own cuts long names, and its third line
        "truncate_label": 20,
        "show_minor_x_labels": False,
        "x_labels_major_every": max(1, -(-len(labels) // _MOST_LABELS)),
        "disable_xml_declaration": True,
    }


def _drawn(chart: Any, name: str, labels: Sequence[str], series: Series) -> str:
    chart.uuid = name  # pygal's own is random: the same figures would give another file each time
    chart.x_labels = [disarm(label) for label in labels]
    for title, values in series.items():
        chart.add(disarm(title), list(values))
    root = chart.render_tree()
    _strip(root)
    root.set("role", "img")
    text: str = ElementTree.tostring(root, encoding="unicode")
    return text


def _strip(node: ElementTree.Element) -> None:
    """Takes out scripts, and the comments that tell the time of drawing."""
    for child in list(node):
        if not isinstance(child.tag, str) or child.tag.rpartition("}")[2] == "script":
            node.remove(child)
        else:
            _strip(child)
