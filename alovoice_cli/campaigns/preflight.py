"""What is looked at before a campaign is created, beyond its files and its days: lines, clock, twins, limits."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from alovoice_cli.campaigns.creation_guard import KnownCampaign, beyond_daily_limit, twin_words
from alovoice_cli.campaigns.draft import Draft
from alovoice_cli.campaigns.findings import Finding, Severity, count, errors, name_lines, spaced
from alovoice_cli.campaigns.papers import Papers
from alovoice_cli.campaigns.recipients import Recipients
from alovoice_cli.campaigns.schedule import Window
from alovoice_cli.errors import AlovoiceError, CheckFailedError, ExitCode, UnopenedListError, UsageError

LIMITS = ("max_recipients", "allowed_prefixes", "max_campaigns_per_day")
_TWIN_WITHIN = timedelta(hours=24)
_TOO_MANY = 429
_SKEW_SECONDS = 120
_SPREADSHEET = ("excel_rounded", "excel_decimal")

T = TypeVar("T")


class CampaignStore(Protocol):
    """What was created before. Campaigns that were certainly not created do not count. Moments are aware."""

    def called_numbers(self, profile: str, since: datetime) -> Iterator[str]:
        """The whole numbers (998901234567) of the campaigns since then."""

    def find_twin(self, profile: str, digest: str, since: datetime, like: Papers | None = None) -> str | None:
        """The id, or the receipt, of a campaign with this digest, or one of an older version that says the same."""

    def campaign(self, profile: str, label: str) -> KnownCampaign | None:
        """The latest campaign of this id or receipt."""

    def created_count(self, profile: str, since: datetime) -> int:
        """How many campaigns there were since then."""

    def busy_lines(
        self, profile: str, lines: Sequence[str], opens: datetime, closes: datetime
    ) -> list[tuple[str, str]]:
        """The lines that another campaign dials by in the same hours, each with its id."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The profile's limits; None where there is none. `overridden` are the names that `--override-limit` gives."""

    max_recipients: int | None = None
    allowed_prefixes: tuple[str, ...] | None = None
    max_campaigns_per_day: int | None = None
    overridden: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for name in self.overridden - set(LIMITS):
            raise UsageError(f"--override-limit {name!r} is no limit", hint=f"limits: {', '.join(LIMITS)}")


class Report:
    """The findings of one check. `strict`: what cannot even be read raises at once, as `create` wants it."""

    def __init__(self, *, strict: bool) -> None:
        self.findings: list[Finding] = []
        self._strict = strict

    def add(self, findings: Iterator[Finding]) -> None:
        """Takes findings up."""
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
            if self._strict:
                raise
            self.findings.append(Finding(Severity.ERROR, code, problem.message, problem.hint, file=file))
            return None

    def take_window(self, window: Window, now: datetime) -> bool:
        """Checks the window; False where it cannot ring."""
        if self._strict:
            window.check(now)
        found = [Finding(Severity.ERROR, code, error.message, error.hint) for code, error in window.problems(now)]
        self.findings += found
        return not found

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


def line_findings(trunks: Sequence[str], known: Sequence[str]) -> Iterator[Finding]:
    """Lines that the PBX does not have."""
    there = {line.removeprefix("+") for line in known}
    missing = [line for line in trunks if line.removeprefix("+") not in there]
    if missing:
        message = f"this PBX has no line {', '.join(missing)}; it has {', '.join(known) or 'none'}"
        yield Finding(Severity.ERROR, "unknown_line", message, "see `alovoice trunks`")


def maxline_findings(trunks: Sequence[str], maxline: int | None) -> Iterator[Finding]:
    """More calls at once than the campaign has lines."""
    if maxline is not None and maxline > len(trunks):
        message = f"maxline {maxline} is more than the {count(len(trunks), 'line')} of the campaign"
        yield Finding(Severity.WARNING, "maxline", message, "a line may carry several calls; else give --maxline less")


def stops_creating(problem: AlovoiceError) -> bool:
    """Whether a PBX that could not be asked for its lines can't be sent a campaign either: not reached, token refused,
    out of order. One that answers, but not with lines, perhaps has no such method; then they are not checked."""
    failing = problem.status is not None and (problem.status >= 500 or 300 <= problem.status < 400)
    return failing or problem.exit_code in (ExitCode.NETWORK, ExitCode.AUTH) or problem.status == _TOO_MANY


def unasked_finding(problem: AlovoiceError) -> Finding:
    """Where the PBX could not be asked for its lines and its clock."""
    message = f"the lines were not checked: {problem.message}"
    return Finding(Severity.WARNING, "lines_unchecked", message, problem.hint)


def clock_findings(skew_seconds: int | None) -> Iterator[Finding]:
    """This machine's clock against the server's: today and tomorrow are reckoned by it."""
    if skew_seconds is not None and abs(skew_seconds) > _SKEW_SECONDS:
        ahead = "ahead of" if skew_seconds > 0 else "behind"
        message = f"this machine's clock is {abs(skew_seconds)} s {ahead} the server's"
        yield Finding(Severity.WARNING, "clock", message, "set the clock: `today` and `past` are reckoned by it")


def busy_findings(store: CampaignStore, profile: str, draft: Draft) -> Iterator[Finding]:
    """Other campaigns on the same lines in the same hours."""
    busy = store.busy_lines(profile, draft.trunks, *draft.window.span)
    by_campaign: dict[str, list[str]] = {}
    for line, campaign in busy:
        by_campaign.setdefault(campaign, []).append(line)
    for campaign, lines in by_campaign.items():
        message = f"campaign {campaign} dials by {', '.join(lines)} in the same hours"
        yield Finding(Severity.WARNING, "busy_line", message, "choose other lines or hours, or share them")


def twin_findings(store: CampaignStore, profile: str, papers: Papers, now: datetime) -> Iterator[Finding]:
    """The same campaign, created within the last 24 hours."""
    label = store.find_twin(profile, papers.digest, now - _TWIN_WITHIN, papers)
    twin = None if label is None else store.campaign(profile, label)
    if twin is not None:
        message, hint = twin_words(twin)
        yield Finding(Severity.ERROR, "twin", message, hint)


def limit_findings(
    limits: Limits, whom: Recipients | None, today: Callable[[], int], planned: Callable[[], int], *, cleaned: bool
) -> Iterator[Finding]:
    """What goes beyond the profile's limits: `today` counts the campaigns of the last 24 hours, `planned` these.

    `cleaned`: the PBX gets the cleaned list; else cells that are no number count too.
    """
    most, daily = limits.max_recipients, limits.max_campaigns_per_day
    if whom is not None and most is not None and (people := whom.people(cleaned=cleaned)) > most:
        yield from _beyond(limits, "max_recipients", f"{spaced(people)} numbers, and the profile allows {spaced(most)}")
    if whom is not None and limits.allowed_prefixes:
        lines = whom.lines_outside(limits.allowed_prefixes, cleaned=cleaned)
        if lines:
            allowed = ", ".join(limits.allowed_prefixes)
            message = f"{count(len(lines), 'number')} outside the prefixes {allowed} that the profile allows"
            yield from _beyond(limits, "allowed_prefixes", f"{message}: {name_lines(lines)}", whom.name, lines)
    if daily is not None and (made := today()) + planned() > daily:
        yield from _beyond(limits, "max_campaigns_per_day", beyond_daily_limit(made, planned(), daily))


def _beyond(limits: Limits, name: str, message: str, file: str = "", lines: Sequence[int] = ()) -> Iterator[Finding]:
    if name in limits.overridden:
        yield Finding(Severity.WARNING, name, message, "--override-limit lets it pass", file, lines)
    else:
        yield Finding(
            Severity.ERROR, name, message, f"--override-limit {name}, if that is meant", file, lines, limit=name
        )
