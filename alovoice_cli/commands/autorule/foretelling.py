"""`--forecast`: what a campaign would come to, shown beside its check."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from alovoice_cli.campaigns.draft import Draft
from alovoice_cli.campaigns.forecast import Forecast, Point, assume, forecast
from alovoice_cli.campaigns.foretold import forecast_as_dict, forecast_in_words, warning_of
from alovoice_cli.campaigns.plans import plan_from_form
from alovoice_cli.errors import UsageError
from alovoice_cli.findings import Finding, Severity
from alovoice_cli.output.columns import Column
from alovoice_cli.output.listing import Listing, Record
from alovoice_cli.session import Session

_SHARE = re.compile(r"([0-9]{1,3}(?:[.,][0-9]+)?)\s*(%?)")
_PARTS = 1000
_COLUMNS = (
    Column("at", "By"),
    Column("called", "Called", numeric=True),
    Column("chart", "", bar=True),
)
_SHAPES = ("called in nine runs of ten", "", "in some runs", "not called")


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What the options say of the people and the prices; None where they say nothing."""

    answer_rate: float | None = None
    seconds_a_call: float | None = None
    tariff: float | None = None
    seed: int = 1


def read_assumptions(
    answer_rate: str | None, seconds_a_call: float | None, tariff: float | None, seed: int
) -> Assumptions:
    """The options' values. Raises UsageError for an answer rate that is no share."""
    return Assumptions(None if answer_rate is None else _share(answer_rate), seconds_a_call, tariff, seed)


def _share(text: str) -> float:
    match = _SHARE.fullmatch(text.strip())
    share = -1.0 if match is None else float(match.group(1).replace(",", ".")) / (100 if match.group(2) else 1)
    if not 0 <= share <= 1:
        raise UsageError(f"--answer-rate {text!r} is no share", hint="give 0.4 or 40%")
    return share


def make_forecast(session: Session, count: int, draft: Draft, assumed: Assumptions) -> Forecast | None:
    """The forecast of a draft that would call so many people from now on; None where nothing is left to dial."""
    plan = plan_from_form(draft.to_wire())
    if plan is None:
        return None
    people = assume(assumed.answer_rate, assumed.seconds_a_call)
    return forecast(count, plan, people, begins=session.now(), seed=assumed.seed)


def forecast_finding(made: Forecast) -> Iterator[Finding]:
    """The warning that it will not, or may not, finish in time; nothing where nine runs of ten do."""
    if warning := warning_of(made):
        yield Finding(Severity.WARNING, "unfinished", warning, "give more lines (--maxline), days or hours")


def show_forecast(session: Session, made: Forecast, tariff: float | None) -> None:
    """Shows its figures, on a terminal in words and with a chart. For `--json` there is `forecast_as_dict`."""
    if session.stdout.isatty():
        session.show(Record(forecast_in_words(made, tariff), title="Forecast", ours=True))
        session.show(Listing([_row(point, made) for point in made.curve], _COLUMNS, ours=True))
        session.note(session.display.legend(_SHAPES))
    else:
        session.show(Record(_flat(made, tariff), ours=True))


def _flat(made: Forecast, tariff: float | None) -> dict[str, object]:
    """For a pipe: the figures, without what is a list or an object."""
    whole = forecast_as_dict(made, tariff)
    assumed = whole.pop("assumed")
    whole.pop("curve")
    return whole | (assumed if isinstance(assumed, dict) else {})


def _row(point: Point, made: Forecast) -> dict[str, object]:
    moment, is_hourly = point.moment, made.curve[0].moment.date() == made.curve[-1].moment.date()
    low, high = round(point.low * _PARTS), round(point.high * _PARTS)
    return {
        "at": f"{moment:%H:%M}" if is_hourly else f"{moment:%Y-%m-%d %H:%M}",
        "called": f"{point.middle:.0%}",
        "chart": [low, 0, high - low, _PARTS - high],
    }
