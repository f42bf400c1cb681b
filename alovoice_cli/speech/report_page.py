"""A report as one page of HTML: figures, charts, tables, and the worst calls with their dialogues."""

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo
from typing import Any
from xml.etree import ElementTree

import pygal
from pygal.style import Style

from alovoice_cli import html_page
from alovoice_cli.html_page import Head, Html, Tile, heading, page, remark, safe
from alovoice_cli.language import ngettext, tr
from alovoice_cli.localization import decimal_text
from alovoice_cli.masking import disarm
from alovoice_cli.speech.exports import talk_section, title
from alovoice_cli.speech.score import RATIO_STEPS, UNKNOWN, ScoreTally, SpeechReport, WeekTrend
from alovoice_cli.speech.talk import Talk, clock

# pygal installs a finder for map plugins, and Python warns about it at each later import. No map is drawn here.
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
    """Returns the meaning of the colours, as a list below the chart; '' for one series."""
    return html_page.legend(zip(series, _COLORS, strict=False)) if len(series) > 1 else ""


def lines(name: str, labels: Sequence[str], series: Series, *, highest: float | None = None) -> str:
    """Returns a chart of lines over days. `name` is unique within the page: letters and dashes."""
    span = None if highest is None else (0, highest)
    chart = pygal.Line(**_options(labels), range=span, show_dots=len(labels) < 40, dots_size=3)
    return _drawn(chart, name, labels, series)


def bars(name: str, labels: Sequence[str], series: Series) -> str:
    """Returns a chart of vertical bars."""
    return _drawn(pygal.Bar(**_options(labels), rounded_bars=2), name, labels, series)


def _options(labels: Sequence[str]) -> dict[str, Any]:
    return {
        "style": _STYLE,
        "js": [],
        "width": _WIDTH,
        "height": _HEIGHT,
        "margin": 8,
        "include_x_axis": True,
        "show_legend": False,  # pygal's own legend cuts long names after two lines
        "truncate_label": 20,
        "show_minor_x_labels": False,
        "x_labels_major_every": max(1, -(-len(labels) // _MOST_LABELS)),
        "disable_xml_declaration": True,
    }


def _drawn(chart: Any, name: str, labels: Sequence[str], series: Series) -> str:
    chart.uuid = name  # pygal's own id is random: the same figures would give another file each time
    chart.x_labels = [disarm(label) for label in labels]
    for name, values in series.items():
        chart.add(disarm(name), list(values))
    root = chart.render_tree()
    _strip(root)
    root.set("role", "img")
    text: str = ElementTree.tostring(root, encoding="unicode")
    return text


def _strip(node: ElementTree.Element) -> None:
    """Removes scripts, and the comments with the time of drawing."""
    for child in list(node):
        if not isinstance(child.tag, str) or child.tag.rpartition("}")[2] == "script":
            node.remove(child)
        else:
            _strip(child)


_MOST_TAGS = 5
_MOST_ROWS = 40
_MOST_LONG_ROWS = 200


def report_page(title: str, report: SpeechReport, worst: Mapping[str, Talk], zone: tzinfo, *, by_rules: str) -> str:
    """Returns the page; `worst` are the talks of the worst calls, `by_rules` describes the basis of the scores."""
    days = [group for group in report.grouped("day") if group.name != UNKNOWN]
    parts: list[str] = [_figures(report), remark(by_rules)]
    if days:
        parts += [heading(tr("Scores")), _scores(days), heading(tr("Tags")), _tags_over_time(report, days)]
    parts += [_table("tags", tr("Tag"), report.grouped("tag"), report.everything.calls), *_weeks(report)]
    parts += [heading(tr("The operators' share of the talk")), _ratios(report)]
    operators = report.grouped("operator")
    if any(group.name != UNKNOWN for group in operators):
        parts += [heading(tr("Operators")), _table("operators", tr("Extension"), operators, report.everything.calls)]
    parts += [*_by_hand(report), heading(tr("The worst calls")), *_worst(report, worst, zone)]
    return page(title, parts)


def _figures(report: SpeechReport) -> str:
    whole = report.everything
    by_rules = {}
    if whole.scores.overridden:
        by_rules = {
            tr("By rules alone"): _number(whole.scores.rules_average),
            tr("Set by hand"): str(whole.scores.overridden),
        }
    told = {
        tr("Calls"): str(whole.calls),
        tr("Average score"): _number(whole.scores.average),
        **by_rules,
        tr("At {bar} or above", bar=f"{report.bar:g}"): str(whole.good),
        tr("Operator's share"): _percent(whole.talk_ratio),
        tr("Silence"): _percent(whole.silence_share),
        tr("Interruptions"): str(whole.interruptions),
        tr("Average length"): clock(whole.length_ms / whole.calls) if whole.calls else "–",
    }
    return html_page.tiles(Tile(name, value) for name, value in told.items())


def _scores(days: Sequence[ScoreTally]) -> str:
    averages = [day.scores.average for day in days]
    chart = lines("chart-scores", _labels(days), {tr("Average score"): averages}, highest=100)
    return _figure(tr("The average score of each day, 0 to 100"), chart)


def _weeks(report: SpeechReport) -> Iterable[str]:
    """Returns the trend of each operator, by weeks: a chart where there are several weeks, and a table."""
    trends = [one for one in report.trends if one.week != UNKNOWN]
    if not trends:
        return
    yield heading(tr("Weeks, by operator"))
    weeks = sorted({one.week for one in trends})
    if len(weeks) > 1:
        chosen = [None, *(group.name for group in report.grouped("operator")[: len(_COLORS) - 1])]
        averages = {(one.peer, one.week): one.group.scores.average for one in trends}
        series = {peer or tr("all"): [averages.get((peer, week)) for week in weeks] for peer in chosen}
        chart = lines("chart-weeks", _without_year(weeks), series, highest=100)
        caption = tr("The average score of each week: of all, and of the operators with most calls")
        yield _figure(caption, chart, legend(series))
    numbers = (Head(word, numeric=True) for word in (tr("Calls"), tr("Score"), tr("By rules"), tr("Change")))
    rows = (_week_row(one) for one in trends[:_MOST_LONG_ROWS])
    yield html_page.table("weeks", (Head(tr("Extension")), Head(tr("Week"), whole=True), *numbers), rows)
    if (hidden := len(trends) - _MOST_LONG_ROWS) > 0:
        yield _more(hidden)


def _week_row(one: WeekTrend[ScoreTally]) -> tuple[str, ...]:
    scores = one.group.scores
    change = "–" if one.change is None else ("+" if one.change >= 0 else "") + decimal_text(one.change)
    averages = (_number(scores.average), _number(scores.rules_average), change)
    return one.peer or tr("all"), one.week, str(one.group.calls), *averages


def _labels(days: Sequence[ScoreTally]) -> list[str]:
    return _without_year([day.name for day in days])


def _without_year(names: Sequence[str]) -> list[str]:
    """Returns months and days, or weeks, with the year if there are several."""
    one_year = len({name[:4] for name in names}) == 1
    return [name[5:] if one_year else name for name in names]


def _tags_over_time(report: SpeechReport, days: Sequence[ScoreTally]) -> str:
    chosen = [group.name for group in report.grouped("tag")[:_MOST_TAGS]]
    if not chosen:
        return _nothing(tr("The analyses have no tags."))
    shares = {name: [100 * day.tags[name] / day.calls for day in days] for name in chosen}
    chart = lines("chart-tags", _labels(days), shares, highest=100)
    return _figure(tr("Calls of each day with the most frequent tags, per cent"), chart, legend(shares))


def _ratios(report: SpeechReport) -> str:
    step = 100 // RATIO_STEPS
    labels = [f"{place * step}–{(place + 1) * step}" for place in range(RATIO_STEPS)]
    chart = bars("chart-ratios", labels, {tr("Calls"): list(report.ratio_counts)})
    return _figure(tr("Calls by the operator's share of the talk, per cent"), chart)


def _figure(caption: str, chart: str, below: str = "") -> str:
    return f'<figure><figcaption>{safe(caption)}</figcaption><div class="scroll">{chart}</div>{below}</figure>'


def _table(name: str, head: str, groups: Sequence[ScoreTally], calls: int) -> str:
    if not groups:
        return ""
    heads = (Head(head), *(Head(word, numeric=True) for word in (tr("Calls"), tr("Share"), tr("Score"))))
    rows = [_row(group, calls) for group in groups[:_MOST_ROWS]]
    more = _more(len(groups) - _MOST_ROWS) if len(groups) > _MOST_ROWS else ""
    return html_page.table(name, heads, rows) + more


def _row(group: ScoreTally, calls: int) -> tuple[str, ...]:
    share = _percent(group.calls / calls if calls else None)
    return group.name, str(group.calls), share, _number(group.scores.average)


def _by_hand(report: SpeechReport) -> Iterable[str]:
    if not report.by_hand:
        return
    yield heading(tr("Scores set by hand"))
    heads = (
        Head(tr("Call")),
        Head(tr("Score"), numeric=True),
        Head(tr("By rules"), numeric=True),
        Head(tr("Set by")),
        Head(tr("Why")),
    )
    rows = (
        (call_id, _number(result.points), _number(result.by_rules), result.override.by, result.override.note)
        for call_id, result in report.by_hand[:_MOST_LONG_ROWS]
        if result.override is not None
    )
    yield html_page.table("by-hand", heads, rows)
    if (hidden := len(report.by_hand) - _MOST_LONG_ROWS) > 0:
        yield _more(hidden)


def _worst(report: SpeechReport, talks: Mapping[str, Talk], zone: tzinfo) -> Iterable[str]:
    failures: Counter[str] = report.everything.scores.failures
    if not report.worst:
        yield _nothing(tr("No call failed a check."))
        return
    often = ", ".join(f"{name} ({number})" for name, number in failures.most_common(5))
    yield remark(tr("Failed most often: {checks}", checks=often))
    shown = [(talks[call_id], result) for call_id, result in report.worst if call_id in talks]
    rows = [
        (
            Html(f'<span class="bad">{_whole(result.points)}</span>'),
            Html(f'<a href="#worst-{place}">{safe(title(talk, zone))}</a>'),
            ", ".join(result.failed),
        )
        for place, (talk, result) in enumerate(shown)
    ]
    yield html_page.table("worst", (Head(tr("Score"), numeric=True), Head(tr("Call")), Head(tr("Failed"))), rows)
    for place, (talk, _) in enumerate(shown):
        yield f'<div id="worst-{place}">{talk_section(talk, zone, level=3)}</div>'


def _more(hidden: int) -> str:
    return remark(ngettext("and {n} more", "and {n} more", hidden))


def _nothing(text: str) -> str:
    return f'<p class="nothing">{safe(text)}</p>'


def _whole(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f}"


def _number(value: float | None) -> str:
    return "–" if value is None else decimal_text(value)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"
