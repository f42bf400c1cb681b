"""`alovoice sandbox reset|path`: the state of the embedded PBX."""

import typer

from alovoice_cli.commands.options import examples
from alovoice_cli.output.listing import Record
from alovoice_cli.sandbox.opening import STATE_NAME, reset_sandbox
from alovoice_cli.session import Session

RESET_EXAMPLES = examples("alovoice sandbox reset --yes")
PATH_EXAMPLES = examples("alovoice sandbox path")


def reset_state(ctx: typer.Context) -> None:
    """Make the embedded PBX as new: its campaigns, calls and analyses are gone, its token stays."""
    session: Session = ctx.obj
    path = session.paths.state / STATE_NAME
    session.display.confirm_on_terminal(f"Forget everything on the simulated PBX ({path})?")
    if session.options.dry_run:
        session.report("the sandbox would be as new", path=str(path), reset=False)
        return
    done = reset_sandbox(path)
    session.report("the sandbox is as new" if done else "there was nothing to reset", path=str(path), reset=done)


def print_path(ctx: typer.Context) -> None:
    """Print where the embedded PBX keeps its state."""
    session: Session = ctx.obj
    path = str(session.paths.state / STATE_NAME)
    if session.options.json:
        session.show(Record({"path": path}))
    else:
        session.display.value(path)
