"""A campaign's report as one page of HTML: figures without names and numbers of people."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo

from alovoice_cli.campaigns.campaign_record import CreatedCampaign
from alovoice_cli.campaigns.report import (
    CALLED_AGAIN,
    CATEGORIES,
    AttemptGroup,
    By,
    CampaignReport,
    RowCategory,
)
from alovoice_cli.campaigns.report_text import GROUP_HEADS, category_text, share_text, window_text
from alovoice_cli.html_page import (
    BarPart,
    Color,
    Head,
    Html,
    Tile,
    bar,
    columns,
    heading,
    legend,
    page,
    remark,
    table,
    tiles,
)
from alovoice_cli.language import mark, ngettext, spaced, tr
from alovoice_cli.moments import span_text

_COLORS: Mapping[RowCategory, Color] = {
    "reached": "three",
    "short": "two",
    "unknown": "bad",
    "ambiguous": "bad",
    "duplicate": "line",
    "invalid": "line",
    "excluded": "line",
}
_TITLES: Mapping[By, str] = {
    "hour": mark("Hours"),
    "attempt": mark("First and later attempts"),
    "line": mark("Lines"),
    "status": mark("Statuses of the PBX"),
}
_MOST_GROUPS = 100


def campaign_page(
    created: CreatedCampaign,
    report: CampaignReport,
    counts: Mapping[str, int],
    *,
    notes: Sequence[str],
    coverage: str,
    zone: tzinfo,
) -> str:
    """Returns the page; `notes` are those of the report, `coverage` says when the listener was running."""
    parts: list[str] = [
        tiles(_figures(counts)),
        remark(window_text(created)),
        heading(tr("Rows of the list")),
        _results(report, counts),
        *map(remark, notes),
    ]
    hours = report.groups("hour", zone)
    if hours:
        parts += [heading(tr("Attempts by hour")), _legend(), _groups("hour", hours)]
        parts.append(columns(_section(report, "attempt", zone), _section(report, "line", zone)))
        parts += _section(report, "status", zone)
    parts += [heading(tr("Coverage")), remark(f"{coverage}.")]
    title = tr("Campaign {campaign} {name}", campaign=created.label, name=created.fields.get("name", "")).rstrip()
    return page(title, parts)


def _legend() -> Html:
    return legend(
        (
            (tr("reached"), "var(--three)"),
            (tr("not reached"), "var(--one)"),
            (tr("unknown"), "var(--bad)"),
        )
    )


def _figures(counts: Mapping[str, int]) -> Iterator[Tile]:
    rows, called_again = counts["rows"], sum(counts[category] for category in CALLED_AGAIN)
    share = ngettext("{share} of {n} row", "{share} of {n} rows", rows, share=share_text(counts["reached"], rows))
    yield Tile(tr("Reached"), spaced(counts["reached"]), share)
    yield Tile(tr("Not reached"), spaced(called_again), tr("busy, no answer, failed or not tried"))
    unknown = spaced(counts["unknown"] + counts["ambiguous"])
    yield Tile(tr("Unknown"), unknown, tr("may have been reached; with ambiguous rows"))
    yield Tile(tr("Attempts"), spaced(counts["attempts"]))
    yield Tile(tr("Talk time"), span_text(counts["talk_seconds"]))


def _results(report: CampaignReport, counts: Mapping[str, int]) -> Html:
    longest = max(1, *(counts[category] for category in CATEGORIES))
    heads = (Head(tr("Result")), Head(tr("Rows"), numeric=True), Head(tr("Share"), numeric=True), Head(""))
    rows = [
        (
            category_text(category, report),
            spaced(counts[category]),
            share_text(counts[category], counts["rows"]),
            bar((BarPart(counts[category], _COLORS.get(category, "one")),), longest),
        )
        for category in CATEGORIES
    ]
    return table("results", heads, rows)


def _section(report: CampaignReport, by: By, zone: tzinfo) -> Iterator[str]:
    yield heading(tr(_TITLES[by]))
    yield _groups(by, report.groups(by, zone))


def _groups(by: By, groups: Sequence[AttemptGroup]) -> str:
    longest = max(1, *(group.outcomes.total() for group in groups))
    heads = (Head(tr(GROUP_HEADS[by])), Head(tr("Attempts"), numeric=True), Head(tr("Reached"), numeric=True), Head(""))
    drawn = table(by, heads, [_group_row(group, longest) for group in groups[:_MOST_GROUPS]])
    hidden = len(groups) - _MOST_GROUPS
    return drawn + remark(ngettext("and {n} more", "and {n} more", hidden)) if hidden > 0 else drawn


def _group_row(group: AttemptGroup, longest: int) -> tuple[str, ...]:
    reached, others, unknown = group.parts
    drawn = bar((BarPart(reached, "three"), BarPart(others, "one"), BarPart(unknown, "bad")), longest)
    return (group.name, spaced(group.attempts), spaced(reached), drawn)
