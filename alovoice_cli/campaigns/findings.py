"""What a check finds: how grave it is, where it stands, and what to do about it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

_LINES_NAMED = 5


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
