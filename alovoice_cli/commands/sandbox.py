"""`alovoice sandbox`: the simulated PBX as a server on a port of this machine, and its state."""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alovoice_cli.commands.options import examples
from alovoice_cli.errors import UsageError, reason_of
from alovoice_cli.language import joined, tr
from alovoice_cli.output.listing import Record
from alovoice_cli.session import Session

if TYPE_CHECKING:
    from alovoice_cli.sandbox.callback.switchboard import Callbacks, Switchboard
    from alovoice_cli.sandbox.opening import Sandbox
    from alovoice_cli.stores.pbx_traffic import Totals

_PASTED_WIDTH = 76

SERVE_EXAMPLES = examples(
    "alovoice sandbox serve --port 8700",
    "alovoice sandbox serve --json --fault 'outcall:503@10%,*:reset@1%,getpeers:delay=2s'",
    "alovoice sandbox serve --events-to http://127.0.0.1:8787/h/SECRET --inbound 30/h",
    "alovoice sandbox serve --events-to http://127.0.0.1:8787/h/SECRET --day today --speed 1440 "
    "--chaos dup=3%,late=5%,reorder=1%",
)
RESET_EXAMPLES = examples("alovoice sandbox reset --yes")
PATH_EXAMPLES = examples("alovoice sandbox path")
SAMPLE_EXAMPLES = examples("alovoice sandbox sample namuna")


def serve_sandbox(
    ctx: typer.Context,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="Loopback address to listen on.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", metavar="N", min=0, max=65535, help="Port; 0: any free port.")] = 0,
    token: Annotated[
        str | None, typer.Option("--token", metavar="T", help="Token to accept; not secret (default: a new one).")
    ] = None,
    speed: Annotated[float, typer.Option("--speed", metavar="X", help="Simulated seconds per second.")] = 60.0,
    seed: Annotated[int | None, typer.Option("--seed", metavar="N", help="Seed of the random numbers.")] = None,
    fault: Annotated[
        str, typer.Option("--fault", metavar="SPEC", help="Faults and their rates, such as 'outcall:503@10%'.")
    ] = "",
    state: Annotated[
        Path | None, typer.Option("--state", metavar="FILE", help="State file (default: the built-in PBX's).")
    ] = None,
    events_to: Annotated[
        list[str] | None,
        typer.Option(
            "--events-to",
            metavar="[TYPE=]URL",
            help="Send events to this base URL, or a type to its URL; repeatable.",
        ),
    ] = None,
    inbound: Annotated[
        str | None, typer.Option("--inbound", metavar="N/h", help="Simulate N inbound calls per hour.")
    ] = None,
    day: Annotated[
        str | None,
        typer.Option("--day", metavar="DATE", help="Play the calls of a day, from midnight on, or today."),
    ] = None,
    chaos: Annotated[
        str,
        typer.Option("--chaos", metavar="SPEC", help="Repeat, delay or reorder events: dup=3%,late=5%,reorder=1%."),
    ] = "",
) -> int:
    """Serve the simulated PBX over HTTP until Ctrl-C.

    Its URL and token are printed when it is ready. With --events-to it sends events as the vendor's server does: the
    start and end of each call, the result of a requested call, route questions. Each message is sent once; a message
    that is not accepted is lost. The same --seed and --day with a new --state give the same calls, ids and order;
    --speed 1440 plays a day in a minute. At the end of the day a summary is printed, and the server continues.
    """
    from alovoice_cli.sandbox.opening import MOST_BODY_BYTES, STATE_NAME, open_sandbox
    from alovoice_cli.serving.limits import Limits
    from alovoice_cli.serving.server import SocketServer

    session: Session = ctx.obj
    callbacks = _read_callbacks(session, events_to or [], inbound, day, chaos)
    sandbox = open_sandbox(
        state or session.paths.state / STATE_NAME, token=token, speed=speed, seed=seed, faults=fault, now=session.now
    )
    with ExitStack() as at_end:
        switchboard = _open_switchboard(session, sandbox, callbacks, at_end) if callbacks else None

        def tell_ready(url: str) -> None:
            _tell_ready(session, url, sandbox.token)
            if switchboard is not None:
                switchboard.start()
                at_end.callback(lambda: _tell_totals(session, None, switchboard.stop()))

        limits = Limits(body_bytes=MOST_BODY_BYTES)
        server = SocketServer(sandbox.app, host=host, port=port, limits=limits, complain=session.warn)
        return server.run(tell_ready)


def _read_callbacks(
    session: Session, events_to: list[str], inbound: str | None, day: str | None, chaos: str
) -> "Callbacks | None":
    """Reads what to send, before anything is opened. Raises UsageError."""
    from alovoice_cli.sandbox.callback.day import ZONE, parse_day, parse_rate
    from alovoice_cli.sandbox.callback.messages import parse_handlers
    from alovoice_cli.sandbox.callback.posting import parse_chaos
    from alovoice_cli.sandbox.callback.switchboard import Callbacks

    callbacks = Callbacks(
        handlers=parse_handlers(events_to),
        chaos=parse_chaos(chaos),
        rate=None if inbound is None else parse_rate(inbound),
        day=None if day is None else parse_day(day, session.now().astimezone(ZONE).date()),
    )
    if callbacks.handlers:
        return callbacks
    for word, given in (("--inbound", inbound), ("--day", day), ("--chaos", chaos)):
        if given:
            raise UsageError(
                tr("{option} needs --events-to", option=word), hint=tr("add --events-to http://127.0.0.1:8787/h/SECRET")
            )
    return None


def _open_switchboard(session: Session, sandbox: "Sandbox", callbacks: "Callbacks", at_end: ExitStack) -> "Switchboard":
    from alovoice_cli.api.poster import Poster
    from alovoice_cli.sandbox.callback.switchboard import Switchboard

    def tell_over(totals: "Totals") -> None:
        _tell_totals(session, callbacks.day, totals)

    poster = at_end.enter_context(Poster())
    return Switchboard(sandbox.pbx, callbacks, poster, complain=session.warn, over=tell_over)


def _tell_ready(session: Session, url: str, token: str) -> None:
    if session.options.json:
        # The token is of a simulation: a script needs it whole.
        session.show(Record({"url": url, "token": token, "pid": os.getpid()}, ours=True))
    else:
        session.stdout.write(tr("the sandbox is ready at {url} with the token {token}", url=url, token=token) + "\n")
    session.stdout.flush()


def _tell_totals(session: Session, day: date | None, totals: "Totals") -> None:
    """Prints the totals of a finished day, or of the whole run."""
    if session.options.json:
        session.show(Record({"account": str(day) if day else "run", **asdict(totals)}, ours=True))
        session.stdout.flush()
        return
    parts = [
        tr("the day {date} is over", date=day) if day else tr("the whole run"),
        tr("calls: {number}", number=totals.calls),
        *(f"{kind}: {number}" for kind, number in totals.sent.items() if number),
        tr("sent again: {number}", number=totals.repeated),
        tr("not accepted: {number}", number=totals.failed),
        tr("calls without an end event: {number}", number=totals.unbalanced),
    ]
    session.note(joined("; ", parts))


def reset_state(ctx: typer.Context) -> None:
    """Reset the built-in simulated PBX.

    Its campaigns, calls and analyses are deleted; its token stays.
    """
    from alovoice_cli.sandbox.opening import STATE_NAME, reset_sandbox

    session: Session = ctx.obj
    path = session.paths.state / STATE_NAME
    session.display.confirm_on_terminal(tr("Delete everything on the simulated PBX ({path})?", path=path))
    if session.options.dry_run:
        session.report(tr("the sandbox would be reset"), path=str(path), reset=False)
        return
    done = reset_sandbox(path)
    session.report(tr("the sandbox is reset") if done else tr("there was nothing to reset"), path=str(path), reset=done)


def print_path(ctx: typer.Context) -> None:
    """Print where the built-in simulated PBX keeps its state."""
    from alovoice_cli.sandbox.opening import STATE_NAME

    session: Session = ctx.obj
    path = str(session.paths.state / STATE_NAME)
    if session.options.json:
        session.show(Record({"path": path}))
    else:
        session.display.value(path)


def write_sample(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="New or empty directory.")],
) -> None:
    """Write sample files, and print commands that use them.

    The files are a list, an audio file, routing rules and score rules. The commands use the sandbox: they reach no
    real PBX and no person, and work at any hour.
    """
    from alovoice_cli.output.files import write_new
    from alovoice_cli.routing.example import example_rules
    from alovoice_cli.sandbox.sample import sample_commands, sample_files
    from alovoice_cli.speech.score_rules import EXAMPLE

    session: Session = ctx.obj
    files = sample_files(example_rules((), session.settings.timezone), EXAMPLE)
    commands = sample_commands(folder)
    rehearse = session.options.dry_run
    try:
        if not rehearse:
            folder.mkdir(parents=True, exist_ok=True)
        is_empty = not folder.exists() or not any(folder.iterdir())
    except OSError as error:
        raise UsageError(
            tr("cannot write to the directory {path}: {problem}", path=folder, problem=reason_of(error)),
            hint=tr("choose another place"),
        ) from error
    if not is_empty:
        raise UsageError(tr("the directory {path} is not empty", path=folder), hint=tr("give a new directory"))
    for name, content in files.items():
        write_new(folder / name, content, rehearse=rehearse)
    if session.options.json:
        written = [str(folder / name) for name in files]
        told = {"files": written, "written": not rehearse, "commands": list(map(" ".join, commands))}
        session.show(Record(told, ours=True))
        return
    values = {"files": ", ".join(files), "path": folder}
    if rehearse:
        session.note(tr("would be written to {path}: {files}; commands that use them on the sandbox:", **values))
    else:
        session.note(tr("written to {path}: {files}; commands that use them on the sandbox:", **values))
    narrow = session.stdout.isatty()
    session.display.write("".join(f"{_pasted(words) if narrow else ' '.join(words)}\n" for words in commands))


def _pasted(words: Sequence[str]) -> str:
    """Returns a command in lines that fit a terminal and that a shell joins; an option stays with its value."""
    pieces: list[str] = []
    for word in words:
        if pieces and pieces[-1].startswith("--") and " " not in pieces[-1] and not word.startswith("--"):
            pieces[-1] += f" {word}"
        else:
            pieces.append(word)
    lines = [pieces[0]]
    for word in pieces[1:]:
        if len(lines[-1]) + len(word) + 1 > _PASTED_WIDTH:
            lines.append(f"    {word}")
        else:
            lines[-1] += f" {word}"
    return " \\\n".join(lines)
