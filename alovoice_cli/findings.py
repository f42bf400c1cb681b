"""Findings of a check, in a campaign or a rules file: severity, place, and advice."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from alovoice_cli.language import spaced

_LINES_NAMED = 5


class Severity(StrEnum):
    """An error stops the campaign or keeps the rules from being served; a warning asks the operator or is most likely
    a mistake; a note is for information."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class RulePlace(NamedTuple):
    """A character's place in a rules file; line and column count from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}, column {self.column}"


class Finding(NamedTuple):
    """One finding. `lines` are all the lines it refers to; `column` counts from 1."""

    severity: Severity
    code: str
    message: str
    hint: str = ""
    file: str = ""
    lines: Sequence[int] = ()
    column: int | None = None
    limit: str = ""
    """The exceeded limit of the profile, for `--override-limit`."""
    needs: str = ""
    """The option with which a script continues in spite of the finding, such as `--night-ok`."""

    @classmethod
    def at(cls, severity: Severity, code: str, place: RulePlace, message: str, hint: str = "") -> "Finding":
        """A finding about one place of a rules file."""
        return cls(severity, code, message, hint, place.file, (place.line,), place.column)

    @property
    def line(self) -> int | None:
        """Returns the first line of the finding."""
        return self.lines[0] if self.lines else None

    @property
    def place(self) -> str:
        """Returns `clients.csv:12:2`, or the known part of it."""
        parts = [self.file, *(str(part) for part in (self.line, self.column) if part)]
        return ":".join(part for part in parts if part)

    @property
    def sentence(self) -> str:
        """Returns the finding on one line: place, message, advice."""
        named = not self.file or self.file in self.message
        place = "" if named else f"{self.file}: "
        return place + self.message + (f" ({self.hint})" if self.hint else "")

    def as_dict(self) -> dict[str, object]:
        """Returns the finding as JSON prints it, with every line."""
        return {
            "severity": str(self.severity),
            "code": self.code,
            "file": self.file or None,
            "line": self.line,
            "column": self.column,
            "place": self.place,
            "message": self.message,
            "hint": self.hint,
            "lines": list(self.lines),
        }

    def as_rule_json(self) -> dict[str, object]:
        """The object that `route check --json` and `ai score --check --json` print."""
        return {
            "severity": str(self.severity),
            "code": self.code,
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "message": self.message,
            "hint": self.hint,
        }

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}, column {self.column}: {self.message}"


class Findings:
    """Collects findings while a file is read: reading continues, so that one run shows all errors."""

    def __init__(self) -> None:
        self.items: list[Finding] = []

    def error(self, code: str, place: RulePlace, message: str, hint: str = "") -> None:
        """Adds a finding that makes the file unusable."""
        self.items.append(Finding.at(Severity.ERROR, code, place, message, hint))

    def warning(self, code: str, place: RulePlace, message: str, hint: str = "") -> None:
        """Adds a finding that is most likely a mistake."""
        self.items.append(Finding.at(Severity.WARNING, code, place, message, hint))


def errors(findings: Iterable[Finding]) -> list[Finding]:
    """Returns the findings that stop the campaign, or make the rules unusable."""
    return [finding for finding in findings if finding.severity is Severity.ERROR]


def has_errors(findings: Iterable[Finding]) -> bool:
    """Returns whether any finding is an error."""
    return any(finding.severity is Severity.ERROR for finding in findings)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Returns the findings in the order of the file."""
    return tuple(sorted(findings, key=lambda found: (found.file, found.line or 0, found.column or 0)))


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """Returns a hint with the nearest known word, else all words after `otherwise`."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a misspelt word needs it

    names = list(known)
    near = get_close_matches(word, names, n=1, cutoff=0.5)
    if near:
        return f"did you mean {near[0]}?"
    return f"{otherwise}{', '.join(names)}" if names else ""


def name_lines(lines: Sequence[int]) -> str:
    """`line 3`, or `lines 3, 7, 12 and 40 more`."""
    if len(lines) == 1:
        return f"line {lines[0]}"
    named = [str(line) for line in lines[:_LINES_NAMED]]
    rest = len(lines) - len(named)
    if rest:
        return f"lines {', '.join(named)} and {spaced(rest)} more"
    return f"lines {', '.join(named[:-1])} and {named[-1]}"


def count(number: int, one: str, many: str = "") -> str:
    """`1 number`, `4 812 numbers`."""
    return f"{spaced(number)} {one if number == 1 else many or one + 's'}"
