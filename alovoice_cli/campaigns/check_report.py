"""The findings of one check of a list or a campaign, and what follows from them: an error, an exit code, a verdict."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from alovoice_cli.errors import AlovoiceError, CheckFailedError, ExitCode, UnopenedListError, UsageError
from alovoice_cli.findings import Finding, Severity, count, errors

T = TypeVar("T")

_SPREADSHEET = ("excel_rounded", "excel_decimal")


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
