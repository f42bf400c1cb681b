"""From the options of a campaign to a campaign that is ready to be sent, and what was found on the way.

The functions are called in their order. What the PBX and the stores know comes as arguments.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO, TextIO

from alovoice_cli.campaigns.audio import Audio, audio_findings, inspect_mp3
from alovoice_cli.campaigns.campaign_record import (
    CampaignRecord,
    SubmittedFile,
    describe,
    listed_numbers,
    make_digest,
)
from alovoice_cli.campaigns.check_report import CheckReport
from alovoice_cli.campaigns.cleaning import cleaned_file
from alovoice_cli.campaigns.draft import (
    CampaignDraft,
    CampaignPart,
    SplitLayout,
    line_words,
    parse_split,
    read_window,
    split,
)
from alovoice_cli.campaigns.files import open_list, open_regular
from alovoice_cli.campaigns.list_check import CalledSince, ListScreen, read_list
from alovoice_cli.campaigns.list_findings import list_findings, own_line_findings, reading_notes
from alovoice_cli.campaigns.options import CampaignOptions
from alovoice_cli.campaigns.preflight import CampaignLimits, limit_findings
from alovoice_cli.campaigns.quiet_hours import quiet_findings
from alovoice_cli.campaigns.recipients import Recipients
from alovoice_cli.campaigns.schedule import Window
from alovoice_cli.campaigns.sheet import Moved
from alovoice_cli.errors import UsageError
from alovoice_cli.findings import Finding, Severity
from alovoice_cli.moments import DailyHours
from alovoice_cli.phones import number_of

Hide = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class CampaignRules:
    """What a campaign is checked against: the profile's settings, the aware `now`, the campaigns of before."""

    profile: str
    trunks: tuple[str, ...]
    quiet_hours: str
    timezone: str | None
    limits: CampaignLimits
    now: datetime
    made_today: int
    """How many campaigns were created in the last 24 hours."""
    called_since: CalledSince


@dataclass(frozen=True, slots=True)
class CampaignFiles:
    """The recording and the list of a campaign, open, and what was read of both."""

    audio: BinaryIO
    sound: Audio | None
    people: BinaryIO
    """The list that the PBX gets."""
    source: str
    """The path of that list, or nothing for a list from stdin or made here."""
    whom: Recipients | None
    """The list as read; None where it cannot be read."""
    uploads_cleaned: bool

    @property
    def numbers_to_call(self) -> int:
        """How many different numbers will be called."""
        return self.whom.people(cleaned=self.uploads_cleaned) if self.whom is not None else 0

    @property
    def list_name(self) -> str:
        """The name under which the list is uploaded."""
        return Path(self.source or "recipients.csv").name

    def split_layout(self) -> SplitLayout:
        """How the list that the PBX gets is laid out. Raises UsageError where the list cannot be read."""
        if self.whom is None:
            raise UsageError("the list cannot be read")
        layout, encoding = self.whom.layout, "utf-8" if self.uploads_cleaned else self.whom.sheet.encoding
        return SplitLayout(encoding, layout.delimiter, layout.columns, layout.header is not None)


def check_window(options: CampaignOptions, rules: CampaignRules, report: CheckReport) -> Window:
    """The days and hours of the campaign; quiet hours, Sundays and holidays are found, also with --no-check."""
    zone = options.timezone or rules.timezone
    window = read_window(options.first, options.last, options.opens, options.closes, zone, rules.now)
    if report.strict:
        window.check(rules.now)
    problems = window.problems(rules.now)
    found = [Finding(Severity.ERROR, code, error.message, error.hint) for code, error in problems]
    report.add(found)
    if not found and not options.night_ok:
        report.add(quiet_findings(window, DailyHours.parse(rules.quiet_hours)))
    return window


def read_files(
    options: CampaignOptions,
    rules: CampaignRules,
    window: Window,
    report: CheckReport,
    *,
    stdin: TextIO,
    opened: ExitStack,
    moved: Moved,
) -> CampaignFiles:
    """Opens and reads the recording and the list; `opened` closes both. Raises UsageError for a file not opened."""
    record = str(options.record)
    audio = opened.enter_context(open_regular(options.record))
    people, source = open_list(options.recipients, options.numbers or None, stdin)
    opened.enter_context(people)
    sound = report.attempt("audio", record, partial(inspect_mp3, audio, record))
    if sound is not None:
        report.add(audio_findings(sound, record, options.goodtime))
    named = options.trunks.split(",") if options.trunks else rules.trunks
    screen = ListScreen(window.first, rules.now, rules.called_since, whole_numbers([*named, *rules.trunks]))
    whom = read_list(people, source or "the list", options.of_list, screen, report, moved)
    cleaned = options.of_list.uploads_cleaned or (whom is not None and bool(whom.needs_cleaning))
    if whom is not None:
        report.add(list_findings(whom, cleaned=options.of_list.uploads_cleaned))
        report.add(own_line_findings(whom, whole_numbers(named)))
    planned = 1 if options.split is None or whom is None else -(-whom.rows // parse_split(options.split))
    report.add(limit_findings(rules.limits, whom, rules.made_today, planned, cleaned=cleaned))
    return CampaignFiles(audio, sound, people, source, whom, cleaned)


def whole_numbers(lines: Sequence[str]) -> frozenset[int]:
    """The whole numbers of lines; words that are no numbers are left out."""
    return frozenset(filter(None, map(number_of, lines)))


def with_upload(files: CampaignFiles, opened: ExitStack) -> CampaignFiles:
    """The files with the list that the PBX gets: cleaned where that is asked for or needed; `opened` closes it."""
    if files.whom is None or not files.uploads_cleaned:
        return files
    return replace(files, people=opened.enter_context(cleaned_file(files.whom)), source="")


def draft_campaign(options: CampaignOptions, name: str, window: Window, trunks: tuple[str, ...]) -> CampaignDraft:
    """The campaign's form."""
    return CampaignDraft(name, window, trunks, options.maxline, options.goodtime, options.tryes, options.paused)


def chosen_line_words(options: CampaignOptions, rules: CampaignRules) -> list[str]:
    """The words for the lines to dial by, see `line_words`."""
    return line_words(options.trunks, rules.trunks)


@dataclass(frozen=True, slots=True)
class PreparedCampaign:
    """A campaign on its way to the PBX, and what was found on it."""

    options: CampaignOptions
    profile: str
    draft: CampaignDraft
    files: CampaignFiles
    record_file: SubmittedFile
    list_file: SubmittedFile
    digest: str
    """The same for campaigns that are the same in all fields, both files and how they are split."""
    report: CheckReport

    @property
    def numbers_to_call(self) -> int:
        """How many different numbers will be called."""
        return self.files.numbers_to_call

    @property
    def summary(self) -> str:
        """The campaign in plain words."""
        return self.draft.summary(self.numbers_to_call, self.profile)

    @property
    def remarks(self) -> Iterator[str]:
        """Sentences for stderr: how the list was read, then the campaign in plain words."""
        if self.files.whom is not None:
            yield from reading_notes(self.files.whom)
        yield self.summary

    def as_twin(self, hide: Hide) -> CampaignRecord:
        """The campaign as far as an earlier one is compared with it; `hide` masks as the ledger does."""
        fields = {name: hide(text) for name, text in self.draft.to_wire().items()}
        record = SubmittedFile(hide(self.options.record.name), "", "")
        return CampaignRecord(fields, self.digest, record, SubmittedFile(hide(self.files.list_name), "", ""))

    def as_dict(self) -> dict[str, object]:
        """The whole check as JSON prints it."""
        whom, sound = self.files.whom, self.files.sound
        return {
            "ok": self.report.problem is None,
            "summary": self.summary,
            "findings": [finding.as_dict() for finding in self.report.in_order],
            "recipients": whom.as_dict() if whom is not None else None,
            "audio": sound.as_dict() if sound is not None else None,
            "campaign": self.draft.to_wire(),
        }


def prepared(
    options: CampaignOptions, rules: CampaignRules, draft: CampaignDraft, files: CampaignFiles, report: CheckReport
) -> PreparedCampaign:
    """The campaign with the digests of its files, each of which is read once for that."""
    record_file = describe(files.audio, options.record.name, str(options.record))
    list_file = describe(files.people, files.list_name, files.source)
    fields = draft.to_wire() | ({"split": options.split} if options.split else {})
    # A name that was made here is another one each time.
    digest = make_digest(fields, record_file, list_file, named=options.name is not None)
    return PreparedCampaign(options, rules.profile, draft, files, record_file, list_file, digest, report)


def campaign_parts(ready: PreparedCampaign, opened: ExitStack) -> Sequence[CampaignPart]:
    """The campaigns to send: one, or all that `--split` makes, whose lists `opened` closes. Raises UsageError."""
    options, files = ready.options, ready.files
    if options.split is None:
        if options.split_from > 1:
            raise UsageError("--split-from goes with --split", hint="give the same --split as before")
        return [CampaignPart(ready.draft, files.people, files.source)]
    parts = split(ready.draft, files.people, files.split_layout(), parse_split(options.split))
    for part in parts:
        opened.enter_context(part.people)
    if options.split_from > len(parts):
        raise UsageError(f"--split-from {options.split_from}: there are {len(parts)} parts", hint="count from 1")
    return parts


def record_of_part(ready: PreparedCampaign, part: CampaignPart, hide: Hide) -> CampaignRecord:
    """What the ledger keeps of one campaign; `hide` masks: a path may hold a secret, by a slip of the clipboard."""
    layout, files = ready.files.split_layout(), ready.files
    is_whole = part.people is files.people
    recipients = ready.list_file if is_whole else describe(part.people, "recipients.csv", part.source)
    encoding = layout.encoding if is_whole else "utf-8"
    return CampaignRecord(
        fields={},  # the ledger takes them from the request, masked
        digest=ready.digest,
        record=_masked(ready.record_file, hide),
        recipients=_masked(recipients, hide),
        numbers=listed_numbers(part.people, encoding, layout.delimiter, layout.columns),
        allow_duplicate=ready.options.allow_duplicate,
    )


def _masked(file: SubmittedFile, hide: Hide) -> SubmittedFile:
    return SubmittedFile(hide(file.name), hide(file.path), file.sha256)
