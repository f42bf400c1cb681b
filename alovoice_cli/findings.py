"""Findings of a check, in a campaign or a rules file: severity, place, and advice."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from alovoice_cli.language import joined, ngettext, tr

_ROWS_NAMED = 5


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
        return tr("{file}, line {line}, column {column}", file=self.file, line=self.line, column=self.column)


class Finding(NamedTuple):
    """One finding. `lines` are all the rows (of a list) or lines (of a rules file) it refers to.

    Rows, lines and columns count from 1.
    """

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
        """Returns a finding about one place of a rules file."""
        return cls(severity, code, message, hint, place.file, (place.line,), place.column)

    @property
    def line(self) -> int | None:
        """Returns the first row or line of the finding."""
        return self.lines[0] if self.lines else None

    @property
    def place(self) -> str:
        """Returns `clients.csv:12:2`, or the known part of it."""
        parts = [self.file, *(str(part) for part in (self.line, self.column) if part)]
        return ":".join(part for part in parts if part)

    @property
    def sentence(self) -> str:
        """Returns the finding on one line: place, message, advice."""
        return joined("", [self.statement, *([" (", self.hint, ")"] if self.hint else [])])

    @property
    def statement(self) -> str:
        """Returns the message, after the name of the file if the message does not name it."""
        is_named = not self.file or self.file in self.message
        return self.message if is_named else joined("", [self.file, ": ", self.message])

    def as_dict(self) -> dict[str, object]:
        """Returns the finding as JSON prints it, with every row."""
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
        """Returns the object that `route check --json` and `ai score --check --json` print."""
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
        place = RulePlace(self.file, self.line or 1, self.column or 1)
        return joined("", [str(place), ": ", self.message])


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


def did_you_mean(word: str, known: Iterable[str], otherwise: str, **values: object) -> str:
    """Returns a hint with the nearest known word.

    Without a near one, returns the marked text `otherwise`, with all known words for `{names}`, or '' for no words.
    """
    from difflib import get_close_matches  # noqa: PLC0415 - only a misspelt word needs it

    names = list(known)
    near = get_close_matches(word, names, n=1, cutoff=0.5)
    if near:
        return tr("did you mean {word}?", word=near[0])
    return tr(otherwise, names=", ".join(names), **values) if names else ""


def name_rows(rows: Sequence[int]) -> str:
    """Returns `row 3`, or `rows 3, 7, 12, 15, 18 and 40 more`."""
    if len(rows) == 1:
        return tr("row {row}", row=rows[0])
    named = [str(row) for row in rows[:_ROWS_NAMED]]
    if rest := len(rows) - len(named):
        return ngettext("rows {rows} and {n} more", "rows {rows} and {n} more", rest, rows=", ".join(named))
    return tr("rows {rows} and {last}", rows=", ".join(named[:-1]), last=named[-1])


def count_of(severity: Severity, number: int) -> str:
    """Returns `1 error`, or `4 812 warnings`."""
    if severity is Severity.ERROR:
        return ngettext("{n} error", "{n} errors", number)
    if severity is Severity.WARNING:
        return ngettext("{n} warning", "{n} warnings", number)
    return ngettext("{n} note", "{n} notes", number)
