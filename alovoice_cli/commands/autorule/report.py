"""`alovoice autorule report`: the outcome of every row of a campaign's list, and the rows to call again."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from alovoice_cli.commands.global_options import shows_list
from alovoice_cli.commands.options import ListColumn, examples
from alovoice_cli.errors import UsageError
from alovoice_cli.language import in_english, mark, ngettext, tr
from alovoice_cli.output.listing import Column, Item, Listing, Tone, tone_by
from alovoice_cli.session import Session
from alovoice_cli.spreadsheet import format_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alovoice_cli.campaigns.campaign_record import CreatedCampaign
    from alovoice_cli.campaigns.kept_list import CampaignList
    from alovoice_cli.campaigns.report import AttemptGroup, By, CampaignReport, RowCategory
    from alovoice_cli.events.coverage import ImportedEvents
    from alovoice_cli.moments import ClockTime

EXAMPLES = examples(
    "alovoice autorule report 124",
    "alovoice autorule report 124 --unreached again.csv",
    "alovoice autorule report 124 --by hour",
    "alovoice autorule report 124 --csv > rows.csv",
    "alovoice autorule report 124 --json | jq '{rows, reached, unknown}'",
)
_TONES: dict[str, Tone] = {
    "reached": "good",
    **dict.fromkeys(("busy", "no_answer", "failed"), "bad"),
    **dict.fromkeys(("short", "unknown", "ambiguous"), "doubt"),
}
_ROWS = (
    Column("line", "Row", numeric=True),
    Column("category", "Result", tone=tone_by("category", _TONES)),
    Column("attempts", "Attempts", numeric=True),
    Column("first_try", "First try (UTC)"),
    Column("last_try", "Last try (UTC)"),
    Column("talk_seconds", "Talk (s)", numeric=True),
    Column("number", "Number"),
    Column("why", "Why"),
)
_COUNTS = (
    Column("result", "Result", tone=tone_by("category", _TONES)),
    Column("rows", "Rows", numeric=True),
    Column("share", "Share", numeric=True),
    Column("chart", "", bar=True),
)
_GROUPS = (
    Column("group", "Group"),
    Column("attempts", "Attempts", numeric=True),
    Column("reached", "Reached", numeric=True),
    Column("short", "Short", numeric=True),
    Column("busy", "Busy", numeric=True),
    Column("no_answer", "No answer", numeric=True),
    Column("failed", "Failed", numeric=True),
    Column("unknown", "Unknown", numeric=True),
    Column("ambiguous", "Ambiguous", numeric=True),
    Column("talk_seconds", "Talk (s)", numeric=True),
    Column("chart", "", bar=True),
)
_ALL = (*_ROWS, *(column for column in (*_COUNTS, *_GROUPS) if column.name not in {row.name for row in _ROWS}))
_RARE = ("short", "failed", "unknown", "ambiguous")
_PARTS = (mark("reached"), mark("not reached"), mark("unknown or ambiguous"))
_INCLUDED = ("short", "unknown", "ambiguous")


@shows_list(_ALL)
def report_campaign(
    ctx: typer.Context,
    campaign_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the campaign, or its receipt (R-7F3K).")],
    unreached: Annotated[
        Path | None,
        typer.Option("--unreached", metavar="OUT.csv", help="Write the rows to call again, with all their columns."),
    ] = None,
    include: Annotated[
        str | None,
        typer.Option(
            "--include",
            metavar="A,B",
            help="Add short, unknown or ambiguous rows to --unreached.",
        ),
    ] = None,
    by: Annotated[
        Literal["status", "hour", "line", "attempt"] | None,
        typer.Option("--by", help="Count the attempts by status, hour, line or attempt."),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a self-contained HTML page.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace existing files.", show_default=False)] = False,
    recipients: Annotated[
        Path | None,
        typer.Option("--recipients", metavar="FILE", help="List of a campaign that an older version created."),
    ] = None,
    column: ListColumn = None,
    store: Annotated[
        str | None,
        typer.Option(
            "--store",
            metavar="URL",
            help="Event store (default: the profile's).",
        ),
    ] = None,
) -> None:
    """Report the outcome of every row of a campaign's list.

    The outcomes come from the events that the listener received: reached, short (answered for less than goodtime),
    busy, no_answer, failed, not_tried, unknown (no event, and the listener was not always running), ambiguous (two
    campaigns match), duplicate, invalid, excluded.

    --csv prints every row of the list with its own columns. --unreached writes the busy, no_answer, failed and
    not_tried rows for `autorule create --recipients`; rows that may have been reached are added only by --include.
    """
    # Here and not above: help reads no list.
    from alovoice_cli.commands.autorule.gathering import CampaignResults, note_counts  # noqa: PLC0415 - as said above
    from alovoice_cli.commands.autorule.options import find_created  # noqa: PLC0415 - as said above
    from alovoice_cli.events.filters import Period  # noqa: PLC0415 - as said above
    from alovoice_cli.output.files import check_free, write_private  # noqa: PLC0415 - as said above
    from alovoice_cli.stores.campaign_calls import CampaignCalls  # noqa: PLC0415 - as said above

    session: Session = ctx.obj
    if include is not None and unreached is None:
        raise UsageError(tr("--include needs --unreached"), hint=tr("add --unreached OUT.csv, or leave it out"))
    if column is not None and recipients is None:
        hint = tr("leave it out: the ledger knows how the list was read")
        raise UsageError(tr("--column needs --recipients"), hint=hint)
    also = _read_include(include)
    for target in filter(None, (unreached, html)):
        check_free(target, force=force)
    session.use_store(store)
    created = find_created(session, campaign_id)
    events = session.event_store(store)
    events.uptimes()  # raises for a missing store, and brings an older one up to date
    people = _read_people(session, created, recipients, column)
    results = CampaignResults(session, created, people, CampaignCalls(session.event_store_url(store)))
    report = results.report()
    imported = events.imported(Period(*(second * 1_000_000 for second in report.scope.span)))
    # `autorule list` has the counts of the profile's own store.
    counts = note_counts(session, results, report) if store is None else report.counts()
    found = _Found(created, report, counts, imported)
    _show(session, found, by)
    if unreached is not None:
        _write_unreached(session, report, unreached, also, force=force)
    if html is not None:
        write_private(html, session.masker.hide(found.as_page(session.clock)), force=force)
        session.note(tr("written: {files}", files=html))
    for note in found.notes(session.clock):
        session.note(note)


def _read_people(
    session: Session, created: "CreatedCampaign", recipients: Path | None, column: str | None
) -> "CampaignList":
    """Returns the campaign's list: of the ledger, or of `--recipients` where the ledger has none, or a damaged one."""
    from alovoice_cli.campaigns.kept_list import CampaignList, keep_numbers, match_list  # noqa: PLC0415 - as above

    people = _kept_people(session, created, recipients)
    if people is not None:
        return people
    numbers = session.campaigns.numbers(created.receipt)
    if recipients is not None:
        matched = match_list(recipients, column, numbers, created.recipients.sha256 if created.recipients else "")
        if not matched.is_same_file:
            text = mark("{path} has the numbers of the list that was sent; it is not known whether it is the same file")
            session.note(tr(text, path=recipients))
        return CampaignList(matched.kept)
    if not numbers:
        message = tr("the list of campaign {campaign} is not known on this computer", campaign=created.label)
        raise UsageError(message, hint=tr("give it with --recipients FILE"))
    session.note(
        tr("the list was not stored: the rows are its numbers, each once; give the list with --recipients FILE")
    )
    return CampaignList(keep_numbers(numbers))


def _kept_people(session: Session, created: "CreatedCampaign", recipients: Path | None) -> "CampaignList | None":
    from alovoice_cli.campaigns.kept_list import CampaignList  # noqa: PLC0415 - as above

    kept = session.campaigns.kept_list(created.receipt)
    if kept is None:
        return None
    try:
        people = CampaignList(kept)
    except UsageError as damaged:
        if recipients is None:
            raise
        session.note(damaged.message)
        return None
    if recipients is not None:
        text = mark("--recipients is not needed: the list of campaign {campaign} is in the ledger")
        session.note(tr(text, campaign=created.label))
    return people


@dataclass(frozen=True, slots=True)
class _Found:
    """The report of a campaign, with its counts."""

    created: "CreatedCampaign"
    report: "CampaignReport"
    counts: "Mapping[str, int]"
    imported: "ImportedEvents"
    """The imported events of the campaign's days."""

    def as_json(self) -> dict[str, object]:
        """Returns the whole report."""
        from alovoice_cli.campaigns.report_text import report_as_json  # noqa: PLC0415 - as above

        return report_as_json(self.created, self.report, self.counts)

    def as_page(self, clock: "ClockTime") -> str:
        """Returns the page of `--html`."""
        from alovoice_cli.campaigns.report_page import campaign_page  # noqa: PLC0415 - as above

        _, *notes, coverage = self.notes(clock)
        return campaign_page(self.created, self.report, self.counts, notes=notes, coverage=coverage, zone=clock.zone)

    def notes(self, clock: "ClockTime") -> "Iterator[str]":
        """Yields the sentences under the figures: the sums first; last, when the listener was running."""
        from alovoice_cli.campaigns.report_text import headline, report_notes  # noqa: PLC0415 - as above
        from alovoice_cli.events.coverage import describe  # noqa: PLC0415 - as above

        yield headline(self.created, self.counts)
        yield from report_notes(self.created, self.report, self.counts)
        yield describe(self.report.coverage.listened, clock, self.imported)


def _show(session: Session, found: _Found, by: "By | None") -> None:
    options, report = session.options, found.report
    if by is not None:
        _show_groups(session, found, by)
    elif options.csv or options.columns is not None:
        session.show(_rows_listing(report, is_csv=options.csv and options.columns is None))
    else:
        whole = found.as_json() if options.json else None
        drawn = session.stdout.isatty()
        columns = tuple(column._replace(shown=drawn or not column.bar) for column in _COUNTS)
        session.show(Listing(list(_count_items(found, drawn=drawn)), columns, whole, ours=True))


def _count_items(found: _Found, *, drawn: bool) -> Iterator[dict[str, object]]:
    """Yields a line for each category; `drawn` on a terminal in words, without the empty ones."""
    from alovoice_cli.campaigns.report import CATEGORIES  # noqa: PLC0415 - as above
    from alovoice_cli.campaigns.report_text import category_text, share_text  # noqa: PLC0415 - as above

    whole = found.counts["rows"]
    for category in CATEGORIES:
        rows = found.counts[category]
        if rows or not drawn or category == "reached":
            share = share_text(rows, whole)
            share = share if drawn else in_english(share).removesuffix(" %")
            name = category_text(category, found.report) if drawn else category
            yield {"result": name, "category": category, "rows": rows, "share": share, "chart": [rows]}


def _rows_listing(report: "CampaignReport", *, is_csv: bool) -> Listing:
    """Returns a line for each row of the list; as CSV its own columns come first."""
    from alovoice_cli.campaigns.report_text import column_names, row_as_json  # noqa: PLC0415 - as above

    own: Sequence[Column] = ()
    if is_csv:
        names = column_names(report.people, [column.name for column in _ROWS])
        own = [Column(name, name, value=partial(_cell_of, place)) for place, name in enumerate(names)]
    return Listing(map(row_as_json, report.rows()), (*own, *_ROWS), ours=True)


def _cell_of(place: int, item: Item) -> object:
    cells = item["cells"]
    return cells[place] if isinstance(cells, list) and place < len(cells) else ""


def _show_groups(session: Session, found: _Found, by: "By") -> None:
    from alovoice_cli.campaigns.report_text import GROUP_HEADS  # noqa: PLC0415 - as above

    drawn, report = session.stdout.isatty(), found.report
    groups = report.groups(by, session.clock.zone)
    columns = tuple(
        column._replace(
            title=GROUP_HEADS[by] if column.name == "group" else column.title,
            shown=column.name != ("talk_seconds" if drawn else "chart"),
        )
        for column in _GROUPS
        if not drawn or column.name not in _RARE or any(group.outcomes[column.name] for group in groups)
    )
    whole = None
    if session.options.json:
        whole = found.as_json() | {"by": by, "groups": [group.as_json() for group in groups]}
    year = f"{session.clock.today.year}-" if drawn else ""
    items = [_group_item(group, year) for group in groups]
    left_out = session.show(Listing(items, columns, whole, nothing=tr("no call of this campaign is known"), ours=True))
    if drawn and groups and not session.options.json and "chart" not in left_out:
        session.note(session.display.legend(list(map(tr, _PARTS))))


def _group_item(group: "AttemptGroup", year: str) -> dict[str, object]:
    return {**group.as_json(), "group": group.name.removeprefix(year), "chart": list(group.parts)}


# --- the rows to call again


def _read_include(text: str | None) -> "list[RowCategory]":
    """Returns the categories of `--include`. Raises UsageError for another word."""
    words = [] if text is None else [word.strip().lower() for word in text.split(",")]
    for word in words:
        if word not in _INCLUDED:
            raise UsageError(
                tr("--include {word!r} is not one of {names}", word=word, names=", ".join(_INCLUDED)),
                hint=tr("busy, no_answer, failed and not_tried rows are always written"),
            )
    return words  # type: ignore[return-value] # each is one of _INCLUDED


def _write_unreached(
    session: Session, report: "CampaignReport", target: Path, include: "Sequence[RowCategory]", *, force: bool
) -> None:
    """Writes the rows to call again as a list, and checks that reading it gives the same people."""
    from alovoice_cli.campaigns.unreached import check_reading, unreached_text  # noqa: PLC0415 - as above
    from alovoice_cli.output.data_formats import safe_cell  # noqa: PLC0415 - as above
    from alovoice_cli.output.files import write_private  # noqa: PLC0415 - as above

    found = unreached_text(report, include, safe_cell, format_for(excel=session.options.excel))
    if not found.numbers:
        session.note(tr("there is nobody to call again: {path} was not written", path=target))
        return
    column = check_reading(found, str(target))
    write_private(target, found.text, force=force)
    more = "" if column is None else f" --column {column}"
    again = f"alovoice autorule create --recipients {shlex.quote(str(target))}{more}"
    session.note(
        ngettext(
            "{n} row to call again: {path} (`{command}`)",
            "{n} rows to call again: {path} (`{command}`)",
            len(found.numbers),
            path=target,
            command=again,
        )
    )
    if found.doubtful:
        session.note(
            ngettext(
                "{n} row is left out: the person may have been reached; to write it too, add"
                " --include unknown,ambiguous",
                "{n} rows are left out: the people may have been reached; to write them too, add"
                " --include unknown,ambiguous",
                found.doubtful,
            )
        )
    if report.coverage.is_over and not report.has_calls:
        session.warn(
            tr(
                "no call of this campaign is known: if the PBX called, the events did not arrive here or name other"
                " lines; check `alovoice events list --type result` before you call these people again"
            )
        )
    if not report.coverage.is_over:
        text = mark("the campaign is not over and still calls these rows: wait for its end before you create another")
        session.warn(tr(text))
    elif session.now().timestamp() < report.scope.closes:
        text = mark(
            "choose other lines or later hours: otherwise the report cannot tell the calls of both campaigns apart"
        )
        session.note(tr(text))
