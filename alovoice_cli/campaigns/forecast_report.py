"""The forecast of a campaign, in words, as JSON and as a finding: the figures, and on which assumptions they rest."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from alovoice_cli.campaigns.created import plan_from_form
from alovoice_cli.campaigns.draft import CampaignDraft
from alovoice_cli.campaigns.forecast import Forecast, Point, assume, forecast
from alovoice_cli.campaigns.options import ForecastOptions
from alovoice_cli.campaigns.watching import moment_text
from alovoice_cli.errors import UsageError
from alovoice_cli.findings import Finding, Severity, count

SURE = 0.9
_LAST_MINUTE = timedelta(minutes=1)
_SHARE = re.compile(r"([0-9]{1,3}(?:[.,][0-9]+)?)\s*(%?)")
_PARTS = 1000


def forecast_campaign(draft: CampaignDraft, people: int, options: ForecastOptions, now: datetime) -> Forecast | None:
    """The forecast of a draft that calls so many people from the aware `now` on; None where nothing is left to dial.

    Raises UsageError for an answer rate that is no share.
    """
    rate = None if options.answer_rate is None else parse_share(options.answer_rate)
    plan = plan_from_form(draft.to_wire())
    if plan is None:
        return None
    return forecast(people, plan, assume(rate, options.seconds_per_call), begins=now, seed=options.seed)


def parse_share(text: str) -> float:
    """A share from 0 to 1, written `0.4` or `40%`. Raises UsageError for all else."""
    match = _SHARE.fullmatch(text.strip())
    share = -1.0 if match is None else float(match.group(1).replace(",", ".")) / (100 if match.group(2) else 1)
    if not 0 <= share <= 1:
        raise UsageError(f"--answer-rate {text!r} is no share", hint="give 0.4 or 40%")
    return share


def forecast_as_dict(made: Forecast, tariff: float | None) -> dict[str, object]:
    """The forecast as JSON prints it: times ISO 8601 with the campaign's offset, shares from 0 to 1."""
    low, middle, high = (None if moment is None else moment.isoformat() for moment in made.finish)
    return {
        "recipients": made.count,
        "lines": made.plan.lines,
        "begins": made.begins.isoformat(),
        "closes": made.closes.isoformat(),
        "finish_p10": low,
        "finish_p50": middle,
        "finish_p90": high,
        "finishing": made.finishing,
        "called": made.called,
        "reached": made.reached,
        "calls": made.calls,
        "calls_an_hour": round(made.calls_an_hour, 1),
        "line_minutes": round(made.line_minutes, 1),
        "talk_minutes": round(made.talk_minutes, 1),
        "cost": None if tariff is None else round(made.cost(tariff), 2),
        "lines_needed": made.lines_needed,
        "curve": [
            {"at": point.moment.isoformat(), "p10": point.low, "p50": point.middle, "p90": point.high}
            for point in made.curve
        ],
        "assumed": _assumed(made, tariff),
        "runs": made.runs,
        "seed": made.seed,
    }


def _assumed(made: Forecast, tariff: float | None) -> dict[str, object]:
    people, plan = made.people, made.plan
    return {
        "answer_rate": people.answer_rate,
        "busy_rate": people.busy_rate,
        "unreachable_rate": people.unreachable_rate,
        "ring_seconds": list(people.ring_seconds),
        "patience_seconds": people.patience_seconds,
        "talk_seconds": list(people.talk_seconds),
        "pause_between_tries_seconds": people.pause_between_tries_seconds,
        "line_gap_seconds": people.line_gap_seconds,
        "tries": plan.tries,
        "goodtime_seconds": int(plan.goodtime.total_seconds()),
        "tariff": tariff,
    }


def forecast_in_words(made: Forecast, tariff: float | None) -> dict[str, object]:
    """The forecast for a person: a line a figure."""
    people, apart = made.people, made.people.pause_between_tries_seconds
    low, middle, high = made.finish
    cost = {} if tariff is None else {"cost": f"{grouped(round(made.cost(tariff)))} (talk alone, {tariff:g} a minute)"}
    return {
        "finish": _end_text(middle, made),
        **({} if low is None else {"P10 to P90": f"{_end_text(low, made)} to {_end_text(high, made)}"}),
        "called": f"{_percent(made.called)} of {grouped(made.count)} are rung at least once",
        "reached": f"{_percent(made.reached)} answer, and stay for {made.plan.goodtime.total_seconds():g} s",
        "calls": f"{grouped(made.calls)}, {grouped(round(made.calls_an_hour))} an hour",
        "lines": f"{made.plan.lines} at once, {grouped(round(made.line_minutes))} minutes in all; {_needed(made)}",
        **cost,
        "assumed": (
            f"{_percent(people.answer_rate)} answer after {_span(people.ring_seconds)} s"
            f" and talk {_span(people.talk_seconds)} s, {_percent(people.busy_rate)} are busy,"
            f" {_percent(people.unreachable_rate)} out of reach, others ring {people.patience_seconds} s;"
            f" {count(made.plan.tries, 'try', 'tries')}{f', {apart} s apart' if made.plan.tries > 1 else ''}"
        ),
        "runs": f"{made.runs}, seed {made.seed}",
    }


def forecast_figures(made: Forecast, tariff: float | None) -> dict[str, object]:
    """The forecast for a pipe: its figures and assumptions, without what is a list or an object."""
    whole = forecast_as_dict(made, tariff)
    assumed = whole.pop("assumed")
    whole.pop("curve")
    return whole | (assumed if isinstance(assumed, dict) else {})


def curve_rows(made: Forecast) -> list[dict[str, object]]:
    """How many are called by when, a row a moment; `chart` holds the parts of a bar."""
    is_hourly = made.curve[0].moment.date() == made.curve[-1].moment.date()
    return [_curve_row(point, "%H:%M" if is_hourly else "%Y-%m-%d %H:%M") for point in made.curve]


def _curve_row(point: Point, form: str) -> dict[str, object]:
    low, high = round(point.low * _PARTS), round(point.high * _PARTS)
    return {
        "at": point.moment.strftime(form),
        "called": f"{point.middle:.0%}",
        "chart": [low, 0, high - low, _PARTS - high],
    }


def forecast_findings(made: Forecast) -> Iterator[Finding]:
    """The warning that the campaign will not, or may not, finish in time; nothing where nine runs of ten do."""
    if warning := warning_of(made):
        yield Finding(Severity.WARNING, "unfinished", warning, "give more lines (--maxline), days or hours")


def warning_of(made: Forecast) -> str:
    """What the operator must hear: that it will not, or may not, finish. Empty where nine runs of ten do."""
    last = moment_text(made.closes - _LAST_MINUTE)
    if made.finishing >= SURE:
        return ""
    if not made.finishes:
        called = f"{_percent(made.called)} called" if made.called < 1 else "not all are tried as often as asked"
        return f"will not finish: {called} by {last}; {_would(made)}"
    return f"may not finish: {_percent(1 - made.finishing)} of the runs do not by {last}; {_would(made)}"


def _would(made: Forecast) -> str:
    if made.lines_needed is None:
        return "more lines alone would not help"
    return "1 line would" if made.lines_needed == 1 else f"{made.lines_needed} lines would"


def _needed(made: Forecast) -> str:
    if made.lines_needed is None:
        return "no number of lines finishes in time"
    return f"enough to finish in time: {made.lines_needed}"


def _end_text(moment: datetime | None, made: Forecast) -> str:
    return f"not by {moment_text(made.closes - _LAST_MINUTE)}" if moment is None else moment_text(moment)


def _span(bounds: tuple[int, int]) -> str:
    return f"{bounds[0]}" if bounds[0] == bounds[1] else f"{bounds[0]} to {bounds[1]}"


def _percent(share: float) -> str:
    """Whole per cent; never 100 % or 0 % of what is not all or nothing."""
    return f"{round(share * 100) if share in (0, 1) else min(99, max(1, round(share * 100)))} %"


def grouped(number: int) -> str:
    """The digits in threes: `100 000`."""
    return f"{number:,}".replace(",", " ")
