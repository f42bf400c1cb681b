"""Runs the cases against a handler, one after another, grades each, and reports rows, JSON and JUnit XML."""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Literal
from xml.etree import ElementTree

from alovoice_cli.errors import UnreachableError, UsageError
from alovoice_cli.events.certify.plays import PLAYS
from alovoice_cli.events.certify.trial import AnswerProblem, Bench, CertifyTrial
from alovoice_cli.events.event import EventType
from alovoice_cli.events.handler import Handlers, shown_url
from alovoice_cli.language import in_english, joined, mark, ngettext, tr
from alovoice_cli.localization import decimal_text

Need = Literal["required", "recommended"]
Kinds = tuple[EventType, ...]


@dataclass(frozen=True, slots=True)
class CertifyCase:
    """`kinds` are the handlers that the case needs, its own first; `should` is the right behaviour of a handler.

    A required case follows from some reading of the document; a recommended case goes beyond it and is cheap to pass.
    """

    name: str
    kinds: Kinds
    sends: str
    should: str
    need: Need = "required"

    @property
    def kind(self) -> EventType:
        """Returns the type of event of the case."""
        return self.kinds[0]

    @property
    def area(self) -> str:
        """Returns the section of the report: a type of event, or `calls` for several events."""
        return "calls" if self.name.startswith("call-") else self.kind


Grade = Literal["pass", "warn", "fail", "skip"]

_SILENT_CASES = 3
Plain = dict[tuple[str, str], str]
"""The cases of the document's own events that had trouble: by the beginning of their names, and what happened."""


@cache
def all_cases() -> tuple[CertifyCase, ...]:
    """The cases of `cases.toml`, in its order."""
    tables = tomllib.loads(files("alovoice_cli.events.certify").joinpath("cases.toml").read_text("utf-8"))
    return tuple(
        CertifyCase(name, tuple(table["needs"]), table["sends"], table["should"], table.get("need", "required"))
        for name, table in tables.items()
    )


@dataclass(frozen=True, slots=True)
class CaseOutcome:
    """How a case ended. `finding` is one sentence unless it simply passed; `slowest` is in seconds."""

    case: CertifyCase
    grade: Grade
    finding: str = ""
    sent: int = 0
    slowest: float = 0.0


def chosen(names: Iterable[str]) -> tuple[CertifyCase, ...]:
    """Returns the cases with these names, or beginnings of names (`route`); all for no names.

    Raises UsageError for a name without cases.
    """
    wanted: set[str] = set()
    for name in names:
        found = {case.name for case in all_cases() if case.name == name or case.name.startswith(f"{name}-")}
        if not found:
            near = get_close_matches(name, [case.name for case in all_cases()], n=1)
            hint = tr("did you mean {word}?", word=near[0]) if near else tr("--dry-run lists all cases")
            raise UsageError(tr("there is no case {name}", name=repr(name)), hint=hint)
        wanted |= found
    return tuple(case for case in all_cases() if not wanted or case.name in wanted)


def run(
    cases: Sequence[CertifyCase], bench: Bench, tell: Callable[[int], None] = lambda done: None
) -> Iterator[CaseOutcome]:
    """Tries the cases in order, and skips those whose handler has no URL.

    Raises UnreachableError if the first three get no answer at all: then there is no handler to judge.
    """
    silent = 0
    reached = False
    plain: Plain = {}
    for place, case in enumerate(cases):
        if any(bench.handlers.url(kind) is None for kind in case.kinds):
            missing = next(kind for kind in case.kinds if bench.handlers.url(kind) is None)
            yield CaseOutcome(case, "skip", tr("there is no URL for {type}", type=missing))
            continue
        trial = CertifyTrial(bench, place, bench.now())
        PLAYS[case.name](trial)
        reached = reached or trial.answered > 0
        silent += not reached
        if not reached and (silent == _SILENT_CASES or place + 1 == len(cases)):
            raise _unreached(bench.handlers, case, trial)
        tell(place + 1)
        yield _graded(case, trial, plain)


def _graded(case: CertifyCase, trial: CertifyTrial, plain: Plain) -> CaseOutcome:
    slowest = max(trial.seconds, default=0.0)
    faults = [problem for problem in trial.problems if not problem.soft]
    if not trial.problems:
        return CaseOutcome(case, "pass", "", trial.sent, slowest)
    worst = (faults or trial.problems)[0]
    grade: Grade = "fail" if faults and case.need == "required" else "warn"
    finding = _sentence(case, worst, len(trial.problems) - 1, plain)
    return CaseOutcome(case, grade, finding, trial.sent, slowest)


def _sentence(case: CertifyCase, problem: AnswerProblem, others: int, plain: Plain) -> str:
    """Returns what happened and what to do; or the document's own case, if it had the same problem."""
    prefix = case.name.partition("-")[0]
    if case.name.endswith("-documented"):
        plain[prefix, problem.happened] = case.name
    else:
        for known in ("start", "end") if prefix == "call" else (prefix,):
            if (known, problem.happened) in plain:
                return tr("The same as in {case}.", case=plain[known, problem.happened])
    remedy = problem.remedy or tr(case.should)
    if not others:
        return tr("It {answer}; it should {behaviour}.", answer=problem.happened, behaviour=remedy)
    return ngettext(
        "It {answer} (and {n} more problem); it should {behaviour}.",
        "It {answer} (and {n} more problems); it should {behaviour}.",
        others,
        answer=problem.happened,
        behaviour=remedy,
    )


def _unreached(handlers: Handlers, case: CertifyCase, trial: CertifyTrial) -> UnreachableError:
    return UnreachableError(
        tr("the handler does not answer: {problem}", problem=trial.error or tr("no connection")),
        hint=tr(
            "check that it is running, and check the URL {url}", url=shown_url(handlers.needed(case.kind, "certify"))
        ),
    )


_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SUITE = "alovoice events certify"


@dataclass(frozen=True, slots=True)
class CertifyReport:
    """All outcomes of one run against the handler at `url` (without secrets)."""

    url: str
    began: datetime
    seconds: float
    outcomes: tuple[CaseOutcome, ...]

    def count(self, grade: str) -> int:
        """Returns how many cases have this grade."""
        return sum(outcome.grade == grade for outcome in self.outcomes)

    @property
    def certified(self) -> bool:
        """Returns whether no required case failed, and at least one was tried."""
        return self.count("fail") == 0 and self.count("skip") < len(self.outcomes)

    @property
    def summary(self) -> str:
        """Returns the verdict in one line."""
        counted = {grade: self.count(grade) for grade in _COUNTED}
        parts = [
            tr(text, number=counted[grade]) for grade, text in _COUNTED.items() if counted[grade] or grade == "pass"
        ]
        sent = ngettext(
            "{n} event in {seconds} s",
            "{n} events in {seconds} s",
            sum(outcome.sent for outcome in self.outcomes),
            seconds=decimal_text(self.seconds),
        )
        verdict = tr("certified") if self.certified else tr("not certified")
        return joined("", [verdict, ": ", joined(", ", parts), "; ", sent])

    def rows(self) -> list[dict[str, object]]:
        """Returns one row for each case."""
        return [row(outcome) for outcome in self.outcomes]

    def as_json(self) -> dict[str, object]:
        """Returns the whole report."""
        return {
            "certified": self.certified,
            "url": self.url,
            "began_at": self.began.astimezone(UTC).isoformat(timespec="seconds"),
            "seconds": round(self.seconds, 3),
            "passed": self.count("pass"),
            "warned": self.count("warn"),
            "failed": self.count("fail"),
            "skipped": self.count("skip"),
            "cases": self.rows(),
        }

    def as_junit(self) -> bytes:
        """Returns JUnit XML for CI servers: a suite for each area. A warning is a passed case with its text."""
        root = ElementTree.Element("testsuites", _totals(self.outcomes, self.seconds), name=_SUITE)
        for area in dict.fromkeys(outcome.case.area for outcome in self.outcomes):
            outcomes = [outcome for outcome in self.outcomes if outcome.case.area == area]
            seconds = sum(outcome.slowest for outcome in outcomes)
            suite = ElementTree.SubElement(root, "testsuite", _totals(outcomes, seconds), name=f"{_SUITE} {area}")
            suite.set("timestamp", self.began.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"))
            suite.set("hostname", _plain(self.url))
            for outcome in outcomes:
                _add_case(suite, outcome)
        ElementTree.indent(root)
        return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


_COUNTED = {
    "pass": mark("{number} passed"),
    "warn": mark("{number} with a warning"),
    "fail": mark("{number} failed"),
    "skip": mark("{number} skipped"),
}


def row(outcome: CaseOutcome) -> dict[str, object]:
    """Returns a case and its outcome as a JSON object."""
    case = outcome.case
    return {
        "case": case.name,
        "grade": outcome.grade,
        "need": case.need,
        "area": case.area,
        "type": case.kind,
        "sends": tr(case.sends),
        "sent": outcome.sent,
        "slowest_ms": round(outcome.slowest * 1000),
        "finding": outcome.finding,
    }


def _totals(outcomes: Sequence[CaseOutcome], seconds: float) -> dict[str, str]:
    return {
        "tests": str(len(outcomes)),
        "failures": str(sum(outcome.grade == "fail" for outcome in outcomes)),
        "errors": "0",
        "skipped": str(sum(outcome.grade == "skip" for outcome in outcomes)),
        "time": f"{seconds:.3f}",
    }


def _add_case(suite: ElementTree.Element, outcome: CaseOutcome) -> None:
    case = ElementTree.SubElement(
        suite,
        "testcase",
        classname=f"{_SUITE.replace(' ', '.')}.{outcome.case.area}",
        name=f"{outcome.case.name}: {_plain(outcome.case.sends)}",
        time=f"{outcome.slowest:.3f}",
    )
    if outcome.grade == "fail":
        ElementTree.SubElement(case, "failure", type=outcome.case.need, message=_plain(outcome.finding))
    elif outcome.grade == "skip":
        ElementTree.SubElement(case, "skipped", message=_plain(outcome.finding))
    elif outcome.grade == "warn":
        ElementTree.SubElement(case, "system-out").text = _plain(f"warning: {in_english(outcome.finding)}")


def _plain(text: str) -> str:
    """Returns the text without characters that XML 1.0 cannot hold."""
    return _NOT_XML.sub("\ufffd", in_english(text))
