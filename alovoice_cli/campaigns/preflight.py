"""The checks before a campaign is created, besides its files and its days: lines, clock, twins, limits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from alovoice_cli.campaigns.campaign_record import CreatedCampaign, beyond_daily_limit, twin_words
from alovoice_cli.campaigns.recipients import Recipients
from alovoice_cli.errors import AlovoiceError, ExitCode, UsageError
from alovoice_cli.findings import Finding, Severity, name_rows
from alovoice_cli.language import ngettext, spaced, tr

LIMITS = ("max_recipients", "allowed_prefixes", "max_campaigns_per_day")
_TOO_MANY = 429
_SKEW_SECONDS = 120


@dataclass(frozen=True, slots=True)
class CampaignLimits:
    """The profile's limits; None means no limit. `overridden` are the names in `--override-limit`."""

    max_recipients: int | None = None
    allowed_prefixes: tuple[str, ...] | None = None
    max_campaigns_per_day: int | None = None
    overridden: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for name in self.overridden - set(LIMITS):
            message = tr("--override-limit: there is no limit {name!r}", name=name)
            raise UsageError(message, hint=tr("limits: {names}", names=", ".join(LIMITS)))


def maxline_findings(trunks: Sequence[str], maxline: int | None) -> Iterator[Finding]:
    """Returns the finding for more simultaneous calls than the campaign has lines."""
    if maxline is not None and maxline > len(trunks):
        message = ngettext(
            "maxline {maxline} is more than the {n} line of the campaign",
            "maxline {maxline} is more than the {n} lines of the campaign",
            len(trunks),
            maxline=maxline,
        )
        hint = tr("if a line of yours cannot carry several calls, give a smaller --maxline")
        yield Finding(Severity.WARNING, "maxline", message, hint)


@dataclass(frozen=True, slots=True)
class PbxAnswer:
    """The PBX's answer about its lines: None without an answer, with the problem.

    `skew_seconds` is this machine's clock minus the server's, None without a time from the server.
    """

    lines: Sequence[str] | None
    skew_seconds: int | None
    problem: AlovoiceError | None


def pbx_findings(trunks: Sequence[str], answer: PbxAnswer, *, strict: bool) -> Iterator[Finding]:
    """Returns the findings of the PBX's answer: missing lines, a different clock, or why there was no answer.

    Raises the problem if the check is strict and the problem would also stop the campaign's sending.
    """
    problem, skew = answer.problem, answer.skew_seconds
    if problem is not None:
        if strict and _stops_creating(problem):
            raise problem
        message = tr("the lines were not checked: {problem}", problem=problem.message)
        yield Finding(Severity.WARNING, "lines_unchecked", message, problem.hint)
    elif answer.lines is not None:
        there = {line.removeprefix("+") for line in answer.lines}
        if missing := [line for line in trunks if line.removeprefix("+") not in there]:
            message = tr(
                "this PBX has no line {lines}; it has {known}",
                lines=", ".join(missing),
                known=", ".join(answer.lines) or tr("no lines"),
            )
            yield Finding(Severity.ERROR, "unknown_line", message, tr("see `alovoice trunks`"))
    if skew is not None and abs(skew) > _SKEW_SECONDS:
        message = tr("this computer's clock is {seconds} s behind the server's", seconds=-skew)
        if skew > 0:
            message = tr("this computer's clock is {seconds} s ahead of the server's", seconds=skew)
        hint = tr("set the clock: it decides which day is today, and which window is past")
        yield Finding(Severity.WARNING, "clock", message, hint)


def _stops_creating(problem: AlovoiceError) -> bool:
    """Returns whether a PBX that did not list its lines cannot take a campaign: not reached, token refused, failing.

    A PBX that answers without lines may have no such method: then the lines are not checked.
    """
    failing = problem.status is not None and (problem.status >= 500 or 300 <= problem.status < 400)
    return failing or problem.exit_code in (ExitCode.NETWORK, ExitCode.AUTH) or problem.status == _TOO_MANY


def busy_findings(busy: Sequence[tuple[str, str]]) -> Iterator[Finding]:
    """Returns other campaigns on the same lines in the same hours: `busy` are lines, each with its campaign's id."""
    by_campaign: dict[str, list[str]] = {}
    for line, campaign in busy:
        by_campaign.setdefault(campaign, []).append(line)
    for campaign, lines in by_campaign.items():
        message = tr(
            "campaign {campaign} calls from the same lines in the same hours: {lines}",
            campaign=campaign,
            lines=", ".join(lines),
        )
        yield Finding(Severity.WARNING, "busy_line", message, tr("choose other lines or hours, or share them"))


def twin_findings(twin: CreatedCampaign | None) -> Iterator[Finding]:
    """Returns the finding for an equal campaign of the last 24 hours."""
    if twin is not None:
        message, hint = twin_words(twin)
        yield Finding(Severity.ERROR, "twin", message, hint)


def limit_findings(
    limits: CampaignLimits,
    whom: Recipients | None,
    made_today: int,
    planned: int,
    *,
    cleaned: bool,
) -> Iterator[Finding]:
    """Returns exceeded limits: `made_today` campaigns were created in 24 hours, `planned` are to be created.

    `cleaned`: the PBX gets the cleaned list; otherwise cells that are no number count too.
    """
    most, daily = limits.max_recipients, limits.max_campaigns_per_day
    if whom is not None and most is not None and (people := whom.people(cleaned=cleaned)) > most:
        message = ngettext(
            "{n} number, and the profile allows {most}",
            "{n} numbers, and the profile allows {most}",
            people,
            most=spaced(most),
        )
        yield from _beyond(limits, "max_recipients", message)
    if whom is not None and limits.allowed_prefixes:
        lines = whom.lines_outside(limits.allowed_prefixes, cleaned=cleaned)
        if lines:
            message = ngettext(
                "{n} number outside the prefixes {prefixes} that the profile allows: {rows}",
                "{n} numbers outside the prefixes {prefixes} that the profile allows: {rows}",
                len(lines),
                prefixes=", ".join(limits.allowed_prefixes),
                rows=name_rows(lines),
            )
            yield from _beyond(limits, "allowed_prefixes", message, whom.name, lines)
    if daily is not None and made_today + planned > daily:
        yield from _beyond(limits, "max_campaigns_per_day", beyond_daily_limit(made_today, planned, daily))


def _beyond(
    limits: CampaignLimits, name: str, message: str, file: str = "", lines: Sequence[int] = ()
) -> Iterator[Finding]:
    if name in limits.overridden:
        yield Finding(Severity.WARNING, name, message, tr("--override-limit ignores this limit"), file, lines)
    else:
        hint = tr("if this is intended, add --override-limit {limit}", limit=name)
        yield Finding(Severity.ERROR, name, message, hint, file, lines, limit=name)
