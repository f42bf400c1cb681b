"""What a check finds: how grave it is, where it stands, and what to do about it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from alovoice_cli.errors import AlovoiceError, CheckFailedError, ExitCode, UnopenedListError, UsageError

T = TypeVar("T")

_LINES_NAMED = 5
_SPREADSHEET = ("excel_rounded", "excel_decimal")


class Severity(StrEnum):
    """An error stops the campaign; a warning asks the operator; a note is for his information."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. `lines` are all the lines that it speaks of; `column` counts from 1."""

    severity: Severity
    code: str
    message: str
    hint: str = ""
    file: str = ""
    lines: Sequence[int] = ()
    column: int | None = None
    limit: str = ""
    """The profile's limit that it breaks, for `--override-limit`."""
    needs: str = ""
    """The option that a script must give to go on in spite of it, such as `--night-ok`."""

    @property
    def place(self) -> str:
        """`clients.csv:12:2`, or as much of it as is known."""
        parts = [self.file, *(str(part) for part in (self.lines[0] if self.lines else None, self.column) if part)]
        return ":".join(part for part in parts if part)

    @property
    def sentence(self) -> str:
        """The finding on one line: where it stands, what it is, what to do."""
        named = not self.file or self.file in self.message
        place = "" if named else f"{self.file}: "
        return place + self.message + (f" ({self.hint})" if self.hint else "")

    def as_dict(self) -> dict[str, object]:
        """The finding as JSON prints it, every line named."""
        return {
            "severity": str(self.severity),
            "code": self.code,
            "file": self.file or None,
            "line": self.lines[0] if self.lines else None,
            "column": self.column,
            "place": self.place,
            "message": self.message,
            "hint": self.hint,
            "lines": list(self.lines),
        }


def errors(findings: Iterable[Finding]) -> list[Finding]:
    """Those that stop the campaign."""
    return [finding for finding in findings if finding.severity is Severity.ERROR]


def name_lines(lines: Sequence[int]) -> str:
    """`line 3`, or `lines 3, 7, 12 and 40 more`."""
    if len(lines) == 1:
        return f"line {lines[0]}"
    named = [str(line) for line in lines[:_LINES_NAMED]]
    rest = len(lines) - len(named)
    if rest:
        return f"lines {', '.join(named)} and {spaced(rest)} more"
    return f"lines {', '.join(named[:-1])} and {named[-1]}"


def spaced(number: int) -> str:
    """`4 812`: thousands apart, as is usual in Uzbekistan."""
    return f"{number:,}".replace(",", " ")


def count(number: int, one: str, many: str = "") -> str:
    """`1 number`, `4 812 numbers`."""
    return f"{spaced(number)} {one if number == 1 else many or one + 's'}"


class CheckReport:
    """The findings of one check. `strict`: what cannot even be read raises at once, as `create` wants it."""

    def __init__(self, *, strict: bool) -> None:
        self.findings: list[Finding] = []
        self.strict = strict

    def add(self, findings: Iterable[Finding]) -> None:
        """Adds findings."""
        self.findings += findings

    def attempt(self, code: str, file: str, read: Callable[[], T]) -> T | None:
        """What `read` gives; where it raises UsageError, that is an error found, and None (or it is raised: strict).

        Raises UnopenedListError in any case: a file that cannot be opened is no check that failed.
        """
        try:
            return read()
        except UnopenedListError:
            raise
        except UsageError as problem:
            if self.strict:
                raise
            self.findings.append(Finding(Severity.ERROR, code, problem.message, problem.hint, file=file))
            return None

    def keep_what_stops(self) -> None:
        """Drops the notes and the warnings, but those that a script must agree to by name."""
        self.findings = [found for found in self.findings if found.severity is Severity.ERROR or found.needs]

    def stop(self) -> None:
        """Raises what keeps the campaign from being created, where the check is strict."""
        if self.strict and (problem := self.problem) is not None:
            raise problem

    @property
    def problem(self) -> AlovoiceError | None:
        """What keeps the campaign from being created: errors (8), damaged numbers or a limit (2); None for nothing."""
        found = errors(self.findings)
        if not found:
            return None
        first, rest = found[0], found[1:]
        detail = "\n".join(f"{finding.place}: {finding.message}".removeprefix(": ") for finding in rest)
        # A bad file or a limit is known by its words alone; what was looked for and found is a check that failed.
        usage = all(finding.limit or finding.code in _SPREADSHEET for finding in found)
        kind = UsageError if usage else CheckFailedError
        place = f"{first.file}, " if first.file and not first.message.startswith(first.file) else ""
        return kind(f"{place}{first.message}", hint=first.hint, detail=detail)

    @property
    def in_order(self) -> list[Finding]:
        """The findings, the gravest first."""
        order = list(Severity)
        return sorted(self.findings, key=lambda finding: order.index(finding.severity))

    @property
    def exit_code(self) -> ExitCode:
        """What a check ends with: 8 for errors, 2 where limits of the profile are all that is wrong, 0 for the rest."""
        found = errors(self.findings)
        if not found:
            return ExitCode.DONE
        return ExitCode.USAGE if all(finding.limit for finding in found) else ExitCode.CHECK_FAILED

    @property
    def verdict(self) -> str:
        """How many errors, warnings and notes there are, in one line."""
        by = {severity: sum(found.severity is severity for found in self.findings) for severity in Severity}
        told = ", ".join(count(number, str(severity)) for severity, number in by.items() if number)
        return f"{told}: nothing was sent" if told else "no findings: nothing was sent"

    def without_consent(self) -> AlovoiceError | None:
        """What a script must agree to by name, and has not; None for nothing."""
        found = [finding for finding in self.findings if finding.needs]
        if not found:
            return None
        message = "; ".join(finding.message for finding in found)
        return CheckFailedError(message, hint=f"give {found[0].needs} if that is meant, or choose other days and hours")
