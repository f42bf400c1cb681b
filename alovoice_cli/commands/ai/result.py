"""`alovoice ai result`: the phrases of a call, and the tags of its analysis."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from alovoice_cli.commands.ai import calls_of, refuse_known_otherwise
from alovoice_cli.commands.ai.showing import (
    COLUMNS,
    AiShowOptions,
    Force,
    Format,
    MaskNumbers,
    Output,
    show_talks,
)
from alovoice_cli.commands.batch_options import (
    ReadingCommand,
    batch_options,
    needed_ids,
    refuse_batch_options,
    refuse_both,
    refuse_with_batch,
    run,
)
from alovoice_cli.commands.command_classes import PagedCommand
from alovoice_cli.commands.global_options import shows_list
from alovoice_cli.commands.options import examples
from alovoice_cli.errors import AlovoiceError, ExitCode, NotReadyError, UsageError, worst
from alovoice_cli.language import mark, tr
from alovoice_cli.moments import parse_span
from alovoice_cli.session import Session
from alovoice_cli.speech.exports import FoundTalk
from alovoice_cli.speech.talk import read_transcript

EXAMPLES = examples(
    "alovoice ai result 1716209468.1234",
    "alovoice ai result 8001 --wait=15m --format srt -o 8001.srt",
    "alovoice ai result 8001 --json | jq -r '.answer.stalk[].text'",
    "alovoice ai result --batch calls.csv --jobs 4 > results.jsonl",
)
DEFAULT_WAIT = "10m"

Wait = Annotated[
    str | None,
    typer.Option(
        "--wait",
        metavar="[=DUR]",
        help="Wait until it is ready: --wait=90s, --wait=1h; alone: 10m.",
        show_default=False,
    ),
]
Interval = Annotated[
    float,
    typer.Option(
        "--interval", metavar="SECONDS", min=0.1, help="First pause between requests; later pauses are longer."
    ),
]


class AiWaitingCommand(PagedCommand):
    """A command with `--wait[=DUR]`: like getopt's optional values, only `=` joins a value to it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Reads the arguments; `--wait` alone means its default. Arguments after `--` are call ids."""
        end = args.index("--") if "--" in args else len(args)
        named = [f"--wait={DEFAULT_WAIT}" if word == "--wait" else word for word in args[:end]]
        return super().parse_args(ctx, [*named, *args[end:]])


class ResultCommand(AiWaitingCommand, ReadingCommand):
    """`ai result`: its `--wait` may stand alone, and it takes a list."""


GROWTH = 1.5
LONGEST_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class PollPace:
    """The pauses of waiting, in seconds: `budget` in all, `first` at first, then 1.5 times longer each time."""

    budget: float
    first: float

    def pauses(self, clock: Callable[[], float]) -> Iterator[float]:
        """Yields the pauses between questions until the budget is used up; the last one is cut to fit."""
        deadline, pause = clock() + self.budget, self.first
        while (left := deadline - clock()) > 0:
            yield min(pause, left)
            pause = min(pause * GROWTH, max(LONGEST_SECONDS, self.first))


_ENDS_ALL = (ExitCode.USAGE, ExitCode.AUTH, ExitCode.NETWORK)


@dataclass(slots=True)
class _AskedCall:
    """A call with the result of its request: an analysis, a problem, or neither (not ready, or not requested)."""

    call_id: str
    found: FoundTalk | None = None
    problem: AlovoiceError | None = None

    def as_json(self) -> dict[str, object]:
        error = self.problem.as_json() if self.problem else None
        return {"call_id": self.call_id, "answer": self.found.answer if self.found else None, "error": error}


@shows_list(COLUMNS)
def show_result(
    ctx: typer.Context,
    call_ids: Annotated[
        list[str] | None, typer.Argument(metavar="CALL_ID...", help="Ids of the calls on the PBX.")
    ] = None,
    wait: Wait = None,
    interval: Interval = 2.0,
    form: Format = None,
    output: Output = None,
    force: Force = False,
    mask_numbers: MaskNumbers = False,
    peer: Annotated[
        str | None,
        typer.Option("--peer", metavar="N", help="Extension of the operator, if the events do not show it."),
    ] = None,
    store: Annotated[
        bool, typer.Option("--store/--no-store", help="Store the analysis for ai show, list, grep, score, report.")
    ] = True,
) -> int:
    """Show the analysis of a call: who said what, and tags.

    Exit code 9: it is not ready. A finished analysis is stored on this computer (personal data: see `alovoice ai
    prune`), unless --no-store is given.
    """
    session: Session = ctx.obj
    options = batch_options(ctx)
    if options.source is not None:
        refuse_both(call_ids, "CALL_ID")
        refuse_with_batch(wait=wait, format=form, output=output, force=force, mask_numbers=mask_numbers)

        def keep(call_id: str, answer: Any) -> None:
            _keep(session, FoundTalk(call_id, answer), peer)

        return run(session, "ai result", options, {}, keep if store else None)
    refuse_batch_options(options)
    call_ids = list(dict.fromkeys(needed_ids(ctx, call_ids)))
    shown = AiShowOptions(form, output, force, mask_numbers)
    shown.check(session, call_ids)
    refuse_known_otherwise(session, call_ids)
    budget = parse_span(wait, "--wait").total_seconds() if wait is not None else 0.0
    asked = [_AskedCall(call_id) for call_id in call_ids]
    _ask_all(session, asked, PollPace(budget, interval), lambda found: _keep(session, found, peer) if store else None)
    found = [one.found for one in asked if one.found is not None]
    problem = _gravest(asked)
    if len(call_ids) > 1 or problem is None:
        whole = found[0].answer if len(call_ids) == 1 else [one.as_json() for one in asked]
        show_talks(session, found, shown, whole=whole)
    if problem is not None:
        raise problem
    return 0


def _ask_all(session: Session, asked: Sequence[_AskedCall], pace: PollPace, keep: Callable[[FoundTalk], None]) -> None:
    pauses = pace.pauses(time.monotonic)
    while True:
        open_ones = [one for one in asked if one.found is None and one.problem is None]
        for one in open_ones:
            _ask(session, one)
            if one.found is not None:
                keep(one.found)  # at once: an interrupted wait keeps every received answer
            if one.problem is not None and one.problem.exit_code in _ENDS_ALL:
                return  # the others would fail alike
        left = sum(one.found is None and one.problem is None for one in asked)
        pause = next(pauses, None) if left else None
        if pause is None:
            return
        if session.stderr.isatty():
            text = mark("not ready: {left} of {all}; asking again in {seconds} s")
            session.note(tr(text, left=left, all=len(asked), seconds=f"{pause:.0f}"))
        time.sleep(pause)


def _ask(session: Session, one: _AskedCall) -> None:
    try:
        answer = session.client.ai.result(one.call_id)
    except AlovoiceError as problem:
        one.problem = problem
        return
    if read_transcript(answer) is not None:
        one.found = FoundTalk(one.call_id, answer)


def _keep(session: Session, found: FoundTalk, peer: str | None) -> None:
    hidden = session.masker.hide_in(dict(found.answer))
    assert isinstance(hidden, dict)
    try:
        call = calls_of(session, [found.call_id]).get(found.call_id)
        known, begun_at = (None, None) if call is None else (call.peer, call.started_at)
        session.analyses.keep(found.call_id, hidden, peer=known or peer, begun_at=begun_at)
    except UsageError as trouble:  # the fetched analyses are shown anyway
        text = mark("the analysis of call {call} was not stored: {problem}")
        session.warn(tr(text, call=found.call_id, problem=trouble.message))


def _gravest(asked: Sequence[_AskedCall]) -> AlovoiceError | None:
    problems = [one.problem for one in asked if one.problem is not None]
    if problems:
        code = worst([problem.exit_code for problem in problems])
        return next((problem for problem in problems if problem.exit_code == code), problems[0])
    waiting = [one.call_id for one in asked if one.found is None]
    if not waiting:
        return None
    if len(asked) == 1:
        (call_id,) = waiting
        return NotReadyError(
            tr("the analysis of call {call} is not ready", call=call_id),
            hint=tr(
                "`alovoice ai result {call} --wait` waits for it; `alovoice ai send {call}` starts one", call=call_id
            ),
        )
    return NotReadyError(
        tr(
            "analyses not ready: {left} of {all}: {calls}",
            left=len(waiting),
            all=len(asked),
            calls=", ".join(waiting),
        ),
        hint=tr("add --wait, or run the same command again later; `alovoice ai send` starts them"),
    )
