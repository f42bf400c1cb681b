"""`alovoice autorule watch`: looks at campaigns until they are over, and says why nothing moves."""

from typing import Annotated

import typer

from alovoice_cli.commands.options import examples

EXAMPLES = examples(
    "alovoice autorule watch 124",
    "alovoice autorule watch 124 125 --until done --wait 8h",
    "alovoice autorule watch 124 | jq -r '\"\\(.at) \\(.status) \\(.why)\"'",
)


def watch_campaigns(
    ctx: typer.Context,
    campaign_ids: Annotated[list[str], typer.Argument(metavar="ID…", help="The campaigns' ids.")],
    interval: Annotated[
        str | None, typer.Option("--interval", metavar="SPAN", help="How often to look: 10s, 5m; else as it is worth.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="STATUS", help="End when all stand so; else when all are over.")
    ] = None,
    wait: Annotated[
        str | None, typer.Option("--wait", metavar="SPAN", help="For how long at most; then it ends with 9.")
    ] = None,
) -> None:
    """Watch campaigns: a table that is drawn over, or in a pipe one JSON line for each change.

    While a window is shut nothing is asked. Ctrl-C ends it; the campaigns go on.
    """
    # Here and not above: help needs neither locks nor the dialler's plan.
    from alovoice_cli.commands.autorule.watching import watch  # noqa: PLC0415 - as said above

    watch(ctx.obj, campaign_ids, interval, until, wait)
