"""Runs the cases against a handler, one after another, and grades each."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from alovoice_cli.errors import UnreachableError, UsageError
from alovoice_cli.events.certify.answers import Problem
from alovoice_cli.events.certify.calls import CALLS
from alovoice_cli.events.certify.case import Case
from alovoice_cli.events.certify.ends import ENDS
from alovoice_cli.events.certify.results import RESULTS
from alovoice_cli.events.certify.routes import ROUTES
from alovoice_cli.events.certify.starts import STARTS
from alovoice_cli.events.certify.trial import Bench, Trial
from alovoice_cli.events.handler import Handlers, shown_url

Grade = Literal["pass", "warn", "fail", "skip"]

CASES: tuple[Case, ...] = (*STARTS, *ENDS, *CALLS, *RESULTS, *ROUTES)
_SILENT_CASES = 3
Plain = dict[tuple[str, str], str]
"""The cases of the document's own events that had trouble: by the beginning of their names, and what happened."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a case ended. `finding` is one sentence where it is not simply `pass`; `slowest` is in seconds."""

    case: Case
    grade: Grade
    finding: str = ""
    sent: int = 0
    slowest: float = 0.0


def chosen(names: Iterable[str]) -> tuple[Case, ...]:
    """The cases that the names, or the beginnings of names (`route`), choose; all where there are none.

    Raises UsageError for a name that chooses none.
    """
    wanted: set[str] = set()
    for name in names:
        found = {case.name for case in CASES if case.name == name or case.name.startswith(f"{name}-")}
        if not found:
            near = get_close_matches(name, [case.name for case in CASES], n=1)
            guess = f"did you mean {near[0]}? " if near else ""
            raise UsageError(f"there is no case {name!r}", hint=f"{guess}--dry-run lists them all")
        wanted |= found
    return tuple(case for case in CASES if not wanted or case.name in wanted)


def run(cases: Sequence[Case], bench: Bench, tell: Callable[[int], None] = lambda done: None) -> Iterator[Outcome]:
    """Tries the cases in order. Those whose handler has no URL are skipped.

    Raises UnreachableError where the first three get no answer at all, of whatever kind: there is no handler to judge.
    """
    silent = 0
    reached = False
    plain: Plain = {}
    for place, case in enumerate(cases):
        if any(bench.handlers.url(kind) is None for kind in case.kinds):
            missing = next(kind for kind in case.kinds if bench.handlers.url(kind) is None)
            yield Outcome(case, "skip", f"there is no URL for {missing}")
            continue
        trial = Trial(bench, place, bench.now())
        case.play(trial)
        reached = reached or trial.answered > 0
        silent += not reached
        if not reached and (silent == _SILENT_CASES or place + 1 == len(cases)):
            raise _unreached(bench.handlers, case, trial)
        tell(place + 1)
        yield _graded(case, trial, plain)


def _graded(case: Case, trial: Trial, plain: Plain) -> Outcome:
    slowest = max(trial.seconds, default=0.0)
    faults = [problem for problem in trial.problems if not problem.soft]
    if not trial.problems:
        return Outcome(case, "pass", "", trial.sent, slowest)
    worst = (faults or trial.problems)[0]
    grade: Grade = "fail" if faults and case.need == "required" else "warn"
    finding = _sentence(case, worst, len(trial.problems) - 1, plain)
    return Outcome(case, grade, finding, trial.sent, slowest)


def _sentence(case: Case, problem: Problem, others: int, plain: Plain) -> str:
    """What happened and what to do; where the document's own event had the very same trouble, its case instead."""
    prefix = case.name.partition("-")[0]
    if case.name.endswith("-documented"):
        plain[prefix, problem.happened] = case.name
    else:
        for known in ("start", "end") if prefix == "call" else (prefix,):
            if (known, problem.happened) in plain:
                return f"The same as in {plain[known, problem.happened]}."
    more = f" ({others} more)" if others else ""
    return f"It {problem.happened}{more}; it should {problem.remedy or case.should}."


def _unreached(handlers: Handlers, case: Case, trial: Trial) -> UnreachableError:
    return UnreachableError(
        f"the handler gives no answer: {trial.error or 'no connection'}",
        hint=f"check that it runs, and the URL {shown_url(handlers.needed(case.kind, 'certify'))}",
    )
