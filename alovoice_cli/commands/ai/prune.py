"""`alovoice ai prune`: forgets old analyses."""

from typing import Annotated

import typer

from alovoice_cli.commands.options import examples
from alovoice_cli.errors import UsageError
from alovoice_cli.events.moments import parse_span
from alovoice_cli.session import Session
from alovoice_cli.speech.talk import Wanted

EXAMPLES = examples("alovoice ai prune --older-than 90d --dry-run", "alovoice ai prune --older-than 90d --yes")


def prune_analyses(
    ctx: typer.Context,
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="SPAN", help="Of calls that began longer ago: 90d, 26w.")
    ],
) -> None:
    """Forget analyses of old calls, of the profile in force, for good. --dry-run counts them and forgets none."""
    session: Session = ctx.obj
    span = parse_span(older_than, "--older-than")
    try:
        before = int((session.now() - span).timestamp())
    except OverflowError:
        raise UsageError(f"--older-than {older_than!r} is before the calendar", hint="give 90d, 26w") from None
    store = session.analyses
    count = store.count(Wanted(until=before))
    words = f"{count} {'analysis' if count == 1 else 'analyses'} of PBX {store.profile}"
    if session.options.dry_run:
        session.report(f"{words} would be forgotten", pruned=0, would_prune=count)
        return
    if count:
        session.display.confirm_on_terminal(f"forget {words} for good?")
        count = store.prune(before)
    session.report(f"{words} forgotten" if count else "nothing is that old", pruned=count)
