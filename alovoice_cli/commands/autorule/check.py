"""`alovoice autorule check`: all checks of `create` at once; sends nothing."""

from contextlib import ExitStack
from typing import TYPE_CHECKING

import typer

from alovoice_cli.campaigns.options import CampaignOptions
from alovoice_cli.commands.autorule.options import campaign_options, prepare, write_asked_lists
from alovoice_cli.commands.global_options import shows_list
from alovoice_cli.commands.options import FINDINGS, OptionGroupCommand, examples, option_group
from alovoice_cli.language import mark, tr
from alovoice_cli.output.listing import Column, Listing, Record
from alovoice_cli.session import Session

if TYPE_CHECKING:
    from alovoice_cli.campaigns.forecast import Forecast

EXAMPLES = examples(
    "alovoice autorule check --record promo.mp3 --recipients clients.csv --name 'Autumn' "
    "--from tomorrow --to +3d --fromtime 10:00 --totime 19:59 --trunks 712037006",
    "alovoice autorule check --from-file campaign.toml --clean good.csv --rejected bad.csv",
    "alovoice autorule check --from-file campaign.toml --forecast --answer-rate 40% --tariff 95",
)
_CURVE = (
    Column("at", "By"),
    Column("called", "Called", numeric=True),
    Column("chart", "", bar=True),
)
_SHAPES = (mark("called in nine of ten runs"), "", mark("called in some runs"), mark("not called"))


class CheckCommand(OptionGroupCommand):
    """The command with the options of a campaign."""

    build = staticmethod(campaign_options)
    without = ("split_from", "confirm")


@shows_list(FINDINGS)
def check_campaign(ctx: typer.Context) -> int:
    """Check a campaign as `autorule create` does, without creating it.

    The list, the audio file, days, hours, lines and limits are checked; the PBX is asked for its lines. Exit code 8:
    an error was found; 2: only a limit of the profile is exceeded.

    --forecast simulates the dialling 200 times. The pace of the real dialler is not documented; the simulation
    assumes: a line takes the next call after 2 s; a second attempt waits 10 minutes and precedes new recipients; 62
    % answer after 4 to 24 s and talk for 1 to 60 s (--answer-rate, --seconds-per-call); 12 % are busy, 6 %
    unavailable, the others do not answer for 40 s. The result lists its assumptions.
    """
    # Here and not above: help needs no forecast.
    from alovoice_cli.campaigns.forecast import forecast_campaign  # noqa: PLC0415 - as said above
    from alovoice_cli.campaigns.forecast_report import forecast_as_dict, forecast_findings  # noqa: PLC0415 - the same

    session: Session = ctx.obj
    options = option_group(ctx, CampaignOptions)
    made, tariff = None, None
    with ExitStack() as opened:
        ready, _ = prepare(session, options, opened, strict=False)
        write_asked_lists(session, ready)
        if options.forecast is not None:
            tariff = options.forecast.tariff
            made = forecast_campaign(ready.draft, ready.numbers_to_call, options.forecast, session.now())
        if made is not None:
            ready.report.add(forecast_findings(made))
        items = [finding.as_dict() for finding in ready.report.in_order]
        whole = None  # for a long list as much work as reading it
        if session.options.json:
            whole = ready.as_dict() | ({} if made is None else {"forecast": forecast_as_dict(made, tariff)})
        session.show(Listing(items, FINDINGS, whole, nothing=tr("no findings"), ours=True))
        for remark in ready.remarks:
            session.note(remark)
        if made is not None and not (session.options.json or session.options.csv or session.options.columns):
            _show_forecast(session, made, tariff)
        session.note(ready.report.verdict)
    return ready.report.exit_code


def _show_forecast(session: Session, made: "Forecast", tariff: float | None) -> None:
    """Shows the figures, on a terminal in words and with a chart. For `--json` there is `forecast_as_dict`."""
    from alovoice_cli.campaigns.forecast_report import (  # noqa: PLC0415 - as in check_campaign
        curve_rows,
        forecast_figures,
        forecast_in_words,
    )

    if session.stdout.isatty():
        session.show(Record(forecast_in_words(made, tariff), title=tr("Forecast"), ours=True))
        if "chart" not in session.show(Listing(curve_rows(made), _CURVE, ours=True)):
            session.note(session.display.legend([name and tr(name) for name in _SHAPES]))
    else:
        session.show(Record(forecast_figures(made, tariff), ours=True))
