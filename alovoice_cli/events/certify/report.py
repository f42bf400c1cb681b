"""The report of a certification: as rows, as one JSON object, as JUnit XML."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree import ElementTree

from alovoice_cli.events.certify.run import Outcome

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SUITE = "alovoice events certify"


@dataclass(frozen=True, slots=True)
class Report:
    """All outcomes of one run against the handler at `url` (which shows no secret)."""

    url: str
    began: datetime
    seconds: float
    outcomes: tuple[Outcome, ...]

    def count(self, grade: str) -> int:
        """How many cases have this grade."""
        return sum(outcome.grade == grade for outcome in self.outcomes)

    @property
    def certified(self) -> bool:
        """Whether no required case failed, and one at least was tried."""
        return self.count("fail") == 0 and self.count("skip") < len(self.outcomes)

    @property
    def summary(self) -> str:
        """The verdict in one line."""
        parts = [f"{self.count('pass')} passed"]
        parts += [f"{self.count(grade)} {word}" for grade, word in _COUNTED if self.count(grade)]
        sent = sum(outcome.sent for outcome in self.outcomes)
        verdict = "certified" if self.certified else "not certified"
        return f"{verdict}: {', '.join(parts)}; {sent} events in {self.seconds:.1f} s"

    def rows(self) -> list[dict[str, object]]:
        """One row a case."""
        return [row(outcome) for outcome in self.outcomes]

    def as_json(self) -> dict[str, object]:
        """The whole report."""
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
        """JUnit XML, as CI servers read it: a suite an area. A warning is a passed case with its text."""
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


_COUNTED: Sequence[tuple[str, str]] = (("warn", "with a warning"), ("fail", "failed"), ("skip", "skipped"))


def row(outcome: Outcome) -> dict[str, object]:
    """A case and how it ended, as a JSON object."""
    case = outcome.case
    return {
        "case": case.name,
        "grade": outcome.grade,
        "need": case.need,
        "area": case.area,
        "type": case.kind,
        "sends": case.sends,
        "sent": outcome.sent,
        "slowest_ms": round(outcome.slowest * 1000),
        "finding": outcome.finding,
    }


def _totals(outcomes: Sequence[Outcome], seconds: float) -> dict[str, str]:
    return {
        "tests": str(len(outcomes)),
        "failures": str(sum(outcome.grade == "fail" for outcome in outcomes)),
        "errors": "0",
        "skipped": str(sum(outcome.grade == "skip" for outcome in outcomes)),
        "time": f"{seconds:.3f}",
    }


def _add_case(suite: ElementTree.Element, outcome: Outcome) -> None:
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
        ElementTree.SubElement(case, "system-out").text = _plain(f"warning: {outcome.finding}")


def _plain(text: str) -> str:
    """The text without what XML 1.0 cannot hold."""
    return _NOT_XML.sub("\ufffd", text)
