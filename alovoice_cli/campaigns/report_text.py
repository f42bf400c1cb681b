"""A campaign's report in words, and as JSON values."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from alovoice_cli.campaigns.campaign_record import CreatedCampaign
from alovoice_cli.campaigns.kept_list import CampaignList
from alovoice_cli.campaigns.report import CampaignReport, ReportedRow, RowCategory
from alovoice_cli.campaigns.watching import moment_text
from alovoice_cli.findings import count
from alovoice_cli.moments import span_text

_MICRO = 1_000_000


def category_text(category: RowCategory, report: CampaignReport) -> str:
    """Returns a category in words."""
    words: Mapping[RowCategory, str] = {
        "short": f"short (talk below {report.scope.goodtime} s)",
        "busy": "busy or declined",
        "no_answer": "no answer",
        "not_tried": "not tried" if report.coverage.is_over else "not tried yet",
        "unknown": "unknown",
        "ambiguous": "ambiguous",
    }
    return words.get(category, category)


def share_text(rows: int, whole: int) -> str:
    """Returns a share with one decimal; nothing of nothing is no share."""
    return f"{100 * rows / whole:.1f} %" if whole else "–"


def window_text(created: CreatedCampaign) -> str:
    """Returns the days, hours and lines of a campaign as a sentence."""
    names = ("from", "to", "fromtime", "totime", "trunks", "timezone")
    first, last, opens, closes, trunks, zone = (created.fields.get(name, "") for name in names)
    days = first if first == last else f"{first} to {last}"
    return f"{days}, {opens} to {closes} ({zone or 'utc +5'}), lines {trunks.replace(',', ', ')}."


def headline(created: CreatedCampaign, counts: Mapping[str, int]) -> str:
    """Returns the campaign and its sums in one line."""
    name = f" {created.fields['name']}" if created.fields.get("name") else ""
    rows, attempts = count(counts["rows"], "row"), count(counts["attempts"], "attempt")
    return f"campaign {created.label}{name}: {rows}, {attempts}, talk {span_text(counts['talk_seconds'])}"


def report_notes(created: CreatedCampaign, report: CampaignReport, counts: Mapping[str, int]) -> Iterator[str]:
    """Yields what the counts do not show, as sentences."""
    if created.outcome == "unknown":
        yield "the answer to its creation was lost: whether the PBX has this campaign is not known"
    if not report.coverage.is_over:
        closes = next((closes for _, closes in reversed(list(created.plan.windows()))), None) if created.plan else None
        until = "" if closes is None else f" until {moment_text(closes)}"
        yield f"the campaign calls{until}: its PBX still calls rows that are not reached"
    yield from report.notes()
    if counts["unknown"] and not report.coverage.is_complete:
        yield 'rows without an event are unknown, not "not tried": the listener was not up in all of its hours'


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
        name = name or f"column {place + 1}"
        names.append(f"{name} {place + 1}" if name in names or name in taken else name)
    return names


def _iso(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
