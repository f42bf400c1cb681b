"""A forecast as JSON, in words, as figures for a pipe, and as a warning."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from alovoice_cli.campaigns.forecast import ENOUGH, Forecast, Point
from alovoice_cli.campaigns.watching import moment_text
from alovoice_cli.findings import Finding, Severity
from alovoice_cli.language import joined, mark, ngettext, spaced, tr

_LAST_MINUTE = timedelta(minutes=1)
_PARTS = 1000


def forecast_as_dict(made: Forecast, tariff: float | None) -> dict[str, object]:
    """Returns the forecast as JSON prints it: times ISO 8601 with the campaign's offset, shares from 0 to 1."""
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
    """Returns the forecast for a person: each figure under its name."""
    low, middle, high = made.finish
    words: dict[str, object] = {tr("finish"): _end_text(middle, made)}
    if low is not None:
        text = mark("{low} – {high}")
        words[tr("P10 to P90")] = tr(text, low=_end_text(low, made), high=_end_text(high, made))
    words |= {
        tr("called"): tr("{share} of {n} at least once", share=_percent(made.called), n=spaced(made.count)),
        tr("reached"): tr(
            "{share}: answered and stayed for {seconds} s",
            share=_percent(made.reached),
            seconds=f"{made.plan.goodtime.total_seconds():g}",
        ),
        tr("calls"): tr(
            "{calls}; per hour: {hourly}", calls=spaced(made.calls), hourly=spaced(round(made.calls_an_hour))
        ),
        tr("lines"): joined(
            "; ",
            [
                tr("at once: {lines}", lines=made.plan.lines),
                tr("in use: {minutes} min in all", minutes=spaced(round(made.line_minutes))),
                _needed(made),
            ],
        ),
    }
    if tariff is not None:
        cost = spaced(round(made.cost(tariff)))
        words[tr("cost")] = tr("{cost} (talk only, {tariff} per minute)", cost=cost, tariff=f"{tariff:g}")
    words[tr("assumed")] = _assumed_text(made)
    words[tr("runs")] = tr("{runs}, seed {seed}", runs=made.runs, seed=made.seed)
    return words


def _needed(made: Forecast) -> str:
    if made.lines_needed is None:
        return tr("no number of lines is enough to finish in time")
    return tr("enough to finish in time: {lines}", lines=made.lines_needed)


def _assumed_text(made: Forecast) -> str:
    people = made.people
    parts = [
        tr(
            "{share} answer after {ringing} s and talk for {talk} s",
            share=_percent(people.answer_rate),
            ringing=_span(people.ring_seconds),
            talk=_span(people.talk_seconds),
        ),
        tr("{share} are busy", share=_percent(people.busy_rate)),
        tr("{share} cannot be reached", share=_percent(people.unreachable_rate)),
        tr("the others let it ring for {seconds} s", seconds=people.patience_seconds),
        ngettext("{n} attempt per number", "{n} attempts per number", made.plan.tries),
    ]
    if made.plan.tries > 1:
        parts.append(tr("{seconds} s between attempts", seconds=people.pause_between_tries_seconds))
    return joined("; ", parts)


def forecast_figures(made: Forecast, tariff: float | None) -> dict[str, object]:
    """Returns the forecast for a pipe: figures and assumptions, without lists and objects."""
    whole = forecast_as_dict(made, tariff)
    assumed = whole.pop("assumed")
    whole.pop("curve")
    return whole | (assumed if isinstance(assumed, dict) else {})


def curve_rows(made: Forecast) -> list[dict[str, object]]:
    """Returns the number of called people by moment, one a row; `chart` holds the parts of a bar."""
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
    """Returns the warning that the campaign will not, or may not, finish in time; none if nine runs of ten do."""
    if made.finishing >= ENOUGH:
        return
    last = moment_text(made.closes - _LAST_MINUTE)
    if made.finishes:
        warning = tr(
            "may not finish: {share} of the runs do not by {moment}", share=_percent(1 - made.finishing), moment=last
        )
    elif made.called < 1:
        warning = tr("will not finish: {share} called by {moment}", share=_percent(made.called), moment=last)
    else:
        warning = tr("will not finish: some numbers do not get all their attempts by {moment}", moment=last)
    enough = tr("more lines alone would not help")
    if made.lines_needed is not None:
        enough = tr("lines needed: {lines}", lines=made.lines_needed)
    hint = tr("give more lines (--maxline), days or hours")
    yield Finding(Severity.WARNING, "unfinished", joined("; ", [warning, enough]), hint)


def _end_text(moment: datetime | None, made: Forecast) -> str:
    if moment is None:
        return tr("later than {moment}", moment=moment_text(made.closes - _LAST_MINUTE))
    return moment_text(moment)


def _span(bounds: tuple[int, int]) -> str:
    return f"{bounds[0]}" if bounds[0] == bounds[1] else f"{bounds[0]}–{bounds[1]}"


def _percent(share: float) -> str:
    """Returns whole per cent; never 100 % or 0 % of a partial result."""
    return f"{round(share * 100) if share in (0, 1) else min(99, max(1, round(share * 100)))} %"
