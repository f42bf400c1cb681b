"""The output of `alovoice events stats --kpi`: six headline figures and the hours, or a row for each group."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from alovoice_cli.campaigns.campaign_record import overlap
from alovoice_cli.commands.events import GROUP_TITLES
from alovoice_cli.errors import UsageError
from alovoice_cli.events.filters import Filter
from alovoice_cli.events.headline_figures import NOTHING, DayTargets, Figure, headline_figures
from alovoice_cli.events.kpi import FEW_CALLS, HourFigures, Kpi, KpiGroup, KpiSettings
from alovoice_cli.events.kpi_text import (
    detail_sentences,
    headline_details,
    noticed_sentences,
    service_level_name,
)
from alovoice_cli.events.peer_names import PeerNames
from alovoice_cli.events.statistics import By
from alovoice_cli.language import joined, ngettext, tr
from alovoice_cli.moments import ClockTime, parse_span
from alovoice_cli.output.listing import Column, Listing, Record
from alovoice_cli.session import Session
from alovoice_cli.stores.events import EventStore

_HEADLINE_COLUMNS = (Column("name", "Figure"), Column("figure", "", numeric=True), Column("note", ""))
_HOUR_COLUMNS = (
    Column("hour", "Hour"),
    Column("offered", "Offered", numeric=True),
    Column("answered", "Answered", numeric=True),
    Column("missed", "Missed", numeric=True),
    Column("chart", "", bar=True),
)
_FEW = "*"
_CAMPAIGNS_NAMED = 5


def kpi_settings(session: Session, target: str | None, short: str | None) -> KpiSettings:
    """Returns the limits of the options, else of the profile. Raises UsageError for a text that is no span of time."""
    own = session.settings
    return KpiSettings(
        service_seconds=own.service_seconds if target is None else _seconds(target, "--target"),
        short_abandon_seconds=own.short_abandon_seconds if short is None else _seconds(short, "--short"),
        duration_counts=own.duration_counts,
    )


def _seconds(text: str, option: str) -> int:
    span = parse_span(text, option)
    if span > timedelta(days=1):
        raise UsageError(
            tr("{option} {value} is longer than a day", option=option, value=text), hint=tr("give seconds, such as 20s")
        )
    return int(span.total_seconds())


@dataclass(frozen=True, slots=True)
class KpiQuestion:
    """The calls for the key figures, and their limits."""

    wanted: Filter
    settings: KpiSettings
    clock: ClockTime


def show_kpi(session: Session, events: EventStore, asked: KpiQuestion, columns: tuple[Column, ...]) -> None:
    """Shows the key figures of the period."""
    kpi = events.kpi(asked.wanted, asked.settings, asked.clock)
    drawn = session.stdout.isatty() and not (session.options.json or session.options.csv or session.options.columns)
    if session.options.json and session.options.columns is None:
        session.show(Record({}, whole=kpi.as_json()))
    elif drawn:
        session.show(Listing([_headline_item(figure, kpi) for figure in _headlines(kpi)], _HEADLINE_COLUMNS))
        if kpi.hours:
            drawn = "chart" not in session.show(Listing([_hour_item(one) for one in kpi.hours], _HOUR_COLUMNS))
    else:
        missing = None if session.options.csv else NOTHING
        items = [{"figure": name, "value": missing if value is None else value} for name, value in _flat(kpi.as_json())]
        session.show(Listing(items, columns))
    _tell(session, kpi, is_drawn=drawn)
    _tell_campaigns(session, kpi.period.since, kpi.period.until)


def _headlines(kpi: Kpi) -> tuple[Figure, ...]:
    return headline_figures(kpi, DayTargets(), kpi.callback.still_owed)


def _headline_item(figure: Figure, kpi: Kpi) -> dict[str, object]:
    return {"name": figure.name, "figure": figure.text, "note": headline_details(kpi)[figure.key]}


def _hour_item(hour: HourFigures) -> dict[str, object]:
    rest = hour.offered - hour.answered - hour.missed
    return {**asdict(hour), "chart": [hour.answered, hour.missed, rest]}


def _flat(value: object, name: str = "") -> Iterator[tuple[str, object]]:
    """Yields each figure with its path: `inbound.answer_rate_pct`, `hours.09:00.offered`."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _flat(part, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        for part in value:
            key, *rest = part.items()
            yield from _flat(dict(rest), f"{name}.{key[1]}")
    else:
        yield name, value


def _tell(session: Session, kpi: Kpi, *, is_drawn: bool) -> None:
    """Says what the table does not, on standard error."""
    if is_drawn:
        session.note(session.display.legend((tr("answered"), tr("missed"), tr("other or without an end"))))
    for reason in dict.fromkeys(figure.why for figure in _headlines(kpi) if figure.why):
        session.note(joined("", [NOTHING, ": ", reason]))
    if not is_drawn:
        session.note(tr("service level {definition}", definition=service_level_name(kpi.settings)))
    for sentence in (*detail_sentences(kpi), *noticed_sentences(kpi)):
        session.note(sentence)


def _tell_campaigns(session: Session, since: datetime, until: datetime) -> None:
    """Says that calls of campaigns stand in the outbound figures, where one of this machine's campaigns ran."""
    ran = [
        campaign.label
        for campaign in session.campaigns.campaigns(session.settings.profile)
        if (plan := campaign.plan) is not None and overlap(plan.windows(), [(since, until)])
    ]
    if ran:
        named = ", ".join(ran[:_CAMPAIGNS_NAMED]) + (", …" if len(ran) > _CAMPAIGNS_NAMED else "")
        session.note(
            ngettext(
                "{n} campaign ran in the period ({campaigns}): the outbound figures include its calls",
                "{n} campaigns ran in the period ({campaigns}): the outbound figures include their calls",
                len(ran),
                campaigns=named,
            )
        )


def show_kpi_by(session: Session, events: EventStore, asked: KpiQuestion, by: By, columns: tuple[Column, ...]) -> None:
    """Shows a row of key figures for each group."""
    groups = events.kpi_by(asked.wanted, by, asked.settings, asked.clock)
    drawn = session.stdout.isatty()
    columns = tuple(column._replace(shown=not drawn) if column.name == "few" else column for column in columns)
    names = session.peer_names if by == "peer" else PeerNames()
    missing = None if session.options.csv or session.options.json else NOTHING
    session.show(
        Listing(
            [_group_item(group, names.label(group.group), missing, drawn=drawn) for group in groups],
            tuple(column._replace(title=GROUP_TITLES[by]) if column.name == "group" else column for column in columns),
            whole=[{"by": by, **group.as_json()} for group in groups],
            nothing=tr("no calls"),
        )
    )
    if groups:
        session.note(tr("service level {definition}", definition=service_level_name(asked.settings)))
    if any(group.inbound.answered and group.wait.asa_s is None for group in groups):
        session.note(joined("", [NOTHING, ": ", tr("the wait time of too many answered calls is unknown")]))
    elif any(group.service_level.net_pct is None or group.wait.asa_s is None for group in groups):
        session.note(joined("", [NOTHING, ": ", tr("the group has no such calls")]))
    if few := sum(group.is_few for group in groups):
        session.note(_few_text(few, drawn=drawn))


def _few_text(few: int, *, drawn: bool) -> str:
    if drawn:
        return ngettext(
            "{n} group (marked {sign}) has fewer than {calls} calls: its figures are not reliable",
            "{n} groups (marked {sign}) have fewer than {calls} calls: their figures are not reliable",
            few,
            sign=_FEW,
            calls=FEW_CALLS,
        )
    return ngettext(
        "{n} group has fewer than {calls} calls: its figures are not reliable",
        "{n} groups have fewer than {calls} calls: their figures are not reliable",
        few,
        calls=FEW_CALLS,
    )


def _group_item(group: KpiGroup, label: str, missing: str | None, *, drawn: bool) -> dict[str, object]:
    figures: dict[str, object] = {}
    for part in (group.inbound, group.service_level, group.wait, group.talk):
        figures |= asdict(part)
    figures |= {name: getattr(group.outbound, name) for name in ("seizures", "asr_pct", "acd_s")}
    shown = {name: missing if value is None else value for name, value in figures.items()}
    mark = f" {_FEW}" if drawn and group.is_few else ""
    return {**shown, "group": f"{label}{mark}", "few": group.is_few}
