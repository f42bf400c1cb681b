"""`alovoice sandbox serve`: the simulated PBX on a port of this machine."""

import os
from pathlib import Path
from typing import Annotated

import typer

from alovoice_cli.commands.options import examples
from alovoice_cli.output.listing import Record
from alovoice_cli.session import Session

EXAMPLES = examples(
    "alovoice sandbox serve --port 8700",
    "alovoice sandbox serve --json --fault 'outcall:503@10%,*:reset@1%,getpeers:delay=2s'",
)


def serve_sandbox(
    ctx: typer.Context,
    host: Annotated[str, typer.Option("--host", metavar="ADDRESS", help="A loopback address.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", metavar="N", min=0, max=65535, help="0 picks a free one.")] = 0,
    token: Annotated[
        str | None, typer.Option("--token", metavar="T", help="The token to accept (no secret); else one made once.")
    ] = None,
    speed: Annotated[float, typer.Option("--speed", metavar="X", help="Simulated seconds a second.")] = 60.0,
    seed: Annotated[int | None, typer.Option("--seed", metavar="N", help="Makes a run repeatable.")] = None,
    fault: Annotated[str, typer.Option("--fault", metavar="SPEC", help="What goes wrong, and how often.")] = "",
    state: Annotated[
        Path | None, typer.Option("--state", metavar="FILE", help="Its database; else the embedded PBX's own.")
    ] = None,
) -> int:
    """Serve the simulated PBX over HTTP until Ctrl-C. Prints its URL and token when it is ready to answer."""
    from alovoice_cli.sandbox import MOST_BODY_BYTES, STATE_NAME, open_sandbox
    from alovoice_cli.serving import Limits, serve

    session: Session = ctx.obj
    sandbox = open_sandbox(
        state or session.paths.state / STATE_NAME, token=token, speed=speed, seed=seed, faults=fault, now=session.now
    )

    def tell_ready(url: str) -> None:
        if session.options.json:
            # The token is a simulation's: a script needs it whole.
            session.show(Record({"url": url, "token": sandbox.token, "pid": os.getpid()}, ours=True))
        else:
            session.stdout.write(f"the sandbox is ready at {url} with the token {sandbox.token}\n")
        session.stdout.flush()

    limits = Limits(body_bytes=MOST_BODY_BYTES)
    return serve(sandbox.app, ready=tell_ready, host=host, port=port, limits=limits, complain=session.warn)
