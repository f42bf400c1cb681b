"""A campaign's report in words, and as JSON values."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from alovoice_cli.campaigns.campaign_record import CreatedCampaign
from alovoice_cli.campaigns.kept_list import CampaignList
from alovoice_cli.campaigns.report import By, CampaignReport, ReportedRow, RowCategory
from alovoice_cli.campaigns.watching import moment_text
from alovoice_cli.language import joined, mark, ngettext, tr
from alovoice_cli.localization import percent_text
from alovoice_cli.moments import span_text

_MICRO = 1_000_000


GROUP_HEADS: Mapping[By, str] = {
    "hour": mark("Hour"),
    "attempt": mark("Attempt"),
    "line": mark("Line"),
    "status": mark("Status"),
}
"""The heading of the groups' names, marked."""

CATEGORY_TEXTS: Mapping[RowCategory, str] = {
    "reached": mark("reached"),
    "short": mark("short"),
    "busy": mark("busy or declined"),
    "no_answer": mark("no answer"),
    "failed": mark("failed"),
    "not_tried": mark("not tried"),
    "unknown": mark("unknown"),
    "ambiguous": mark("ambiguous"),
    "duplicate": mark("duplicate"),
    "invalid": mark("invalid"),
    "excluded": mark("excluded"),
}
"""The categories in words, marked."""


def category_text(category: RowCategory, report: CampaignReport) -> str:
    """Returns a category in words."""
    if category == "short":
        return tr("short (talk below {seconds} s)", seconds=report.scope.goodtime)
    if category == "not_tried" and not report.coverage.is_over:
        return tr("not tried yet")
    return tr(CATEGORY_TEXTS[category])


def share_text(rows: int, whole: int) -> str:
    """Returns a share with one decimal, as the language of the run writes it; `–` where the whole is 0."""
    return percent_text(100 * rows / whole, 1) if whole else "–"


def window_text(created: CreatedCampaign) -> str:
    """Returns the days, hours and lines of a campaign as a sentence."""
    names = ("from", "to", "fromtime", "totime", "trunks", "timezone")
    first, last, opens, closes, trunks, zone = (created.fields.get(name, "") for name in names)
    return tr(
        "{days}, {opens}–{closes} ({zone}), lines: {lines}.",
        days=first if first == last else f"{first} – {last}",
        opens=opens,
        closes=closes,
        zone=zone or "utc +5",
        lines=trunks.replace(",", ", "),
    )


def headline(created: CreatedCampaign, counts: Mapping[str, int]) -> str:
    """Returns the campaign and its sums in one line."""
    sums = [
        ngettext("{n} row", "{n} rows", counts["rows"]),
        ngettext("{n} attempt", "{n} attempts", counts["attempts"]),
        tr("talk {span}", span=span_text(counts["talk_seconds"])),
    ]
    name = created.fields.get("name")
    campaign = f"{created.label} {name}" if name else created.label
    return tr("campaign {campaign}: {sums}", campaign=campaign, sums=joined(", ", sums))


def report_notes(created: CreatedCampaign, report: CampaignReport, counts: Mapping[str, int]) -> Iterator[str]:
    """Yields what the counts do not show, as sentences."""
    if created.outcome == "unknown":
        yield tr("the response to its creation was lost: it is not known whether the PBX has this campaign")
    if not report.coverage.is_over:
        closes = next((closes for _, closes in reversed(list(created.plan.windows()))), None) if created.plan else None
        if closes is None:
            yield tr("the campaign is not over: the PBX still calls rows that are not reached")
        else:
            yield tr(
                "the campaign calls until {moment}: the PBX still calls rows that are not reached",
                moment=moment_text(closes),
            )
    yield from report.notes()
    if counts["unknown"] and not report.coverage.is_complete:
        yield tr(
            "rows without an event are unknown, not “not tried”: the listener was not running in all hours of the"
            " campaign"
        )


def report_as_json(created: CreatedCampaign, report: CampaignReport, counts: Mapping[str, int]) -> dict[str, object]:
    """Returns the whole report; `list` has an object for each row of the list, and `rows` is their number."""
    coverage = report.coverage.listened
    return {
        "id": created.id,
        "receipt": created.receipt,
        "name": created.fields.get("name"),
        **counts,
        "goodtime": report.scope.goodtime,
        "tryes": report.scope.tries,
        "is_over": report.coverage.is_over,
        "coverage": {
            "is_complete": report.coverage.is_complete,
            "begin": None if coverage.begin is None else _iso(coverage.begin / _MICRO),
            "end": _iso(coverage.end / _MICRO),
            "gaps": [{"begin": _iso(gap.begin / _MICRO), "end": _iso(gap.end / _MICRO)} for gap in coverage.gaps],
        },
        "notes": list(report_notes(created, report, counts)),
        "headings": report.people.headings,
        "list": [row_as_json(row) for row in report.rows()],
    }


def row_as_json(row: ReportedRow) -> dict[str, object]:
    """Returns one row of the list with its own cells; `cell` is that of the phone, `number` what was read of it."""
    return {
        "line": row.row.line,
        "cell": row.row.cell,
        "number": row.row.key if row.row.number else None,
        "category": row.category,
        "attempts": len(row.attempts),
        "first_try": None if row.first_try is None else _iso(row.first_try),
        "last_try": None if row.last_try is None else _iso(row.last_try),
        "talk_seconds": row.talk_seconds,
        "why": row.why,
        "cells": list(row.row.cells),
    }


def column_names(people: CampaignList, taken: Sequence[str]) -> list[str]:
    """Returns a name for each column of the list, each once and none of `taken`: its heading, or `column 3`."""
    names: list[str] = []
    headings = people.headings
    for place in range(max(people.reading.width, len(headings))):
        name = " ".join(headings[place].split()) if place < len(headings) else ""
        name = name or f"column {place + 1}"  # a CSV heading: the same in all languages
        names.append(f"{name} {place + 1}" if name in names or name in taken else name)
    return names


def _iso(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
