"""What is wrong with a rules file, and where: a place, a code for scripts, a sentence, and what to do."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

Severity = Literal["error", "warning", "note"]
"""An error keeps the file from being served; a warning is most likely a mistake; a note is for the writer to know."""


@dataclass(frozen=True, slots=True)
class Place:
    """A character in a file; line and column count from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}, column {self.column}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found."""

    severity: Severity
    code: str
    place: Place
    message: str
    hint: str = ""

    def as_json(self) -> dict[str, object]:
        """The object that `route check --json` prints."""
        return {
            "severity": self.severity,
            "code": self.code,
            "file": self.place.file,
            "line": self.place.line,
            "column": self.place.column,
            "message": self.message,
            "hint": self.hint,
        }

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class Findings:
    """Gathers findings while a file is read: reading goes on, so that one run shows all that is wrong."""

    def __init__(self) -> None:
        self.items: list[Finding] = []

    def error(self, code: str, place: Place, message: str, hint: str = "") -> None:
        """Something that keeps the file from being served."""
        self.items.append(Finding("error", code, place, message, hint))

    def warning(self, code: str, place: Place, message: str, hint: str = "") -> None:
        """Something that is most likely a mistake."""
        self.items.append(Finding("warning", code, place, message, hint))

    def note(self, code: str, place: Place, message: str, hint: str = "") -> None:
        """Something for the writer to know."""
        self.items.append(Finding("note", code, place, message, hint))


def has_errors(findings: Iterable[Finding]) -> bool:
    """Whether any finding keeps the file from being served."""
    return any(finding.severity == "error" for finding in findings)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings as a reader of the file meets them."""
    return tuple(sorted(findings, key=lambda found: (found.place.file, found.place.line, found.place.column)))


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """A hint with the nearest known word, else all of them after `otherwise`."""
    names = list(known)
    near = get_close_matches(word, names, n=1, cutoff=0.5)
    if near:
        return f"did you mean {near[0]}?"
    return f"{otherwise}{', '.join(names)}" if names else ""
