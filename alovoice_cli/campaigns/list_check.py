"""Reads a list of numbers without the people who must not be called; also checks a list without a campaign."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import TypeVar

from alovoice_cli.campaigns.cleaning import write_lists
from alovoice_cli.campaigns.exclusion import called_from, parse_do_not_call
from alovoice_cli.campaigns.files import ListFile, open_regular
from alovoice_cli.campaigns.list_findings import list_findings, reading_notes
from alovoice_cli.campaigns.options import ListOptions
from alovoice_cli.campaigns.recipients import Exclusion, Recipients, read_recipients
from alovoice_cli.campaigns.sheet import Moved
from alovoice_cli.errors import AlovoiceError, CheckFailedError, ExitCode
from alovoice_cli.findings import Finding, Severity, count_of, errors
from alovoice_cli.language import joined, tr
from alovoice_cli.spreadsheet import format_for

T = TypeVar("T")


class CheckReport:
    """The findings of one check. `strict`: unreadable input raises at once, as `create` needs it."""

    def __init__(self, *, strict: bool) -> None:
        self.findings: list[Finding] = []
        self.strict = strict

    def add(self, findings: Iterable[Finding]) -> None:
        """Adds findings."""
        self.findings += findings

    def attempt(self, code: str, file: str, read: Callable[[], T]) -> T | None:
        """Returns the result of `read`; a CheckFailedError becomes an error finding and None (strict: is raised).

        Raises UsageError in any case: a file that cannot be opened is not a failed check.
        """
        try:
            return read()
        except CheckFailedError as problem:
            if self.strict:
                raise
            self.findings.append(Finding(Severity.ERROR, code, problem.message, problem.hint, file=file))
            return None

    def keep_what_stops(self) -> None:
        """Drops notes and warnings, except those that a script must accept by name."""
        self.findings = [found for found in self.findings if found.severity is Severity.ERROR or found.needs]

    def stop(self) -> None:
        """Raises the error that stops the campaign, if the check is strict."""
        if self.strict and (problem := self.problem) is not None:
            raise problem

    @property
    def problem(self) -> AlovoiceError | None:
        """Returns the error that stops the campaign: errors (8), damaged numbers or a limit (2); or None."""
        found = errors(self.findings)
        if not found:
            return None
        first, rest = found[0], found[1:]
        details = (
            joined(": ", [finding.place, finding.message]) if finding.place else finding.message for finding in rest
        )
        return CheckFailedError(first.statement, hint=first.hint, detail=joined("\n", details))

    @property
    def in_order(self) -> list[Finding]:
        """Returns the findings, the gravest first."""
        order = list(Severity)
        return sorted(self.findings, key=lambda finding: order.index(finding.severity))

    @property
    def exit_code(self) -> ExitCode:
        """Returns 8 for errors, else 0."""
        return ExitCode.CHECK_FAILED if errors(self.findings) else ExitCode.DONE

    @property
    def verdict(self) -> str:
        """Returns the numbers of errors, warnings and notes, in one line."""
        return tr("{findings}: nothing was sent", findings=self.counts)

    @property
    def counts(self) -> str:
        """Returns `1 error, 3 notes`."""
        by = {severity: sum(found.severity is severity for found in self.findings) for severity in Severity}
        told = [count_of(severity, number) for severity, number in by.items() if number]
        return joined(", ", told) if told else tr("no findings")

    def without_consent(self) -> AlovoiceError | None:
        """Returns the error for warnings that a script must accept by name, or None."""
        found = [finding for finding in self.findings if finding.needs]
        if not found:
            return None
        hint = tr("if this is intended, add {option}; if not, choose other days and hours", option=found[0].needs)
        return CheckFailedError(joined("; ", (finding.message for finding in found)), hint=hint)


CalledSince = Callable[[datetime], Iterable[str]]
"""Returns the whole numbers (998901234567) that campaigns called at an aware moment or later."""


@dataclass(frozen=True, slots=True)
class ListScreen:
    """The people to leave out: do-not-call lists as of `first_day`, earlier campaigns as of `now` (aware).

    `called_since` is called only for `--exclude-called`. `own_lines` are the whole numbers of the PBX's lines; a column
    of them is no list of people.
    """

    first_day: date
    now: datetime
    called_since: CalledSince
    own_lines: Collection[int] = ()


def read_list(
    people: ListFile, options: ListOptions, screen: ListScreen, report: CheckReport, moved: Moved
) -> Recipients | None:
    """Returns the list without the excluded people; None where it is unreadable, which is then a finding."""
    name = people.path or tr("the list")
    exclusions = list(_exclusions(options, screen, report))
    read = partial(
        read_recipients,
        people.file,
        name,
        encoding=options.encoding,
        column=options.column,
        tab=options.tab,
        header_line=options.header_line,
        exclusions=exclusions,
        own_lines=screen.own_lines,
        moved=moved,
    )
    return report.attempt("list", name, read)


def _exclusions(options: ListOptions, screen: ListScreen, report: CheckReport) -> Iterator[Exclusion]:
    for path in options.exclude:
        with open_regular(path) as file:
            read = partial(parse_do_not_call, file, str(path), screen.first_day, unread_ok=options.exclude_unread_ok)
            listed = report.attempt("exclude", str(path), read)
        if listed is not None:
            report.add(listed.findings())
            yield Exclusion(str(path), listed.numbers, listed.note)
    if options.exclude_called is not None:
        called = screen.called_since(called_from(options.exclude_called, screen.now))
        yield Exclusion(tr("called within {span}", span=options.exclude_called), set(map(int, called)))


@dataclass(frozen=True, slots=True)
class CheckedList:
    """The findings on a list; `whom` is None where the list is unreadable."""

    report: CheckReport
    whom: Recipients | None
    written: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        """Returns the check as JSON prints it."""
        return {
            "ok": self.report.problem is None,
            "findings": [finding.as_dict() for finding in self.report.in_order],
            "recipients": self.whom.as_dict() if self.whom is not None else None,
        }

    @property
    def remarks(self) -> Iterator[str]:
        """Returns sentences for stderr: how the list was read, what was written, the number of findings."""
        if self.whom is not None:
            yield from reading_notes(self.whom)
        if self.written:
            yield tr("written: {files}", files=", ".join(self.written))
        yield self.report.counts


def check_list(people: ListFile, options: ListOptions, screen: ListScreen, moved: Moved) -> CheckedList:
    """Checks a list by itself, and writes the files of the options.

    Raises UsageError for a file that cannot be opened or written; an error within a file is a finding.
    """
    report, written = CheckReport(strict=False), tuple[str, ...]()
    whom = read_list(people, options, screen, report, moved)
    if whom is not None:
        report.add(list_findings(whom, cleaned=options.clean))
        write_lists(whom, options.clean_name, options.rejected, format_for(excel=options.excel))
        written = options.written
    return CheckedList(report, whom, written)
