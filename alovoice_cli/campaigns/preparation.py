"""Prepares a campaign: from its options to a campaign that is ready to be sent, with the findings.

The functions are called in their order. Facts from the PBX and the stores are arguments.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO, TextIO

from alovoice_cli.campaigns.audio import Audio, audio_findings, inspect_mp3
from alovoice_cli.campaigns.campaign_record import (
    CampaignRecord,
    CreatedCampaign,
    KeptList,
    SubmittedFile,
    make_digest,
)
from alovoice_cli.campaigns.cleaning import cleaned_file
from alovoice_cli.campaigns.draft import (
    CampaignDraft,
    CampaignPart,
    SplitLayout,
    choose_trunks,
    line_words,
    means_all_lines,
    parse_split,
    read_window,
    split,
)
from alovoice_cli.campaigns.files import ListFile, open_list, open_regular, sha256_of
from alovoice_cli.campaigns.kept_list import ListReading, keep, keep_recipients
from alovoice_cli.campaigns.list_check import CalledSince, CheckReport, ListScreen, read_list
from alovoice_cli.campaigns.list_findings import list_findings, own_line_findings, reading_notes
from alovoice_cli.campaigns.options import CampaignOptions
from alovoice_cli.campaigns.preflight import (
    CampaignLimits,
    PbxAnswer,
    busy_findings,
    limit_findings,
    maxline_findings,
    pbx_findings,
    twin_findings,
)
from alovoice_cli.campaigns.recipients import Recipients
from alovoice_cli.campaigns.schedule import Window, quiet_findings
from alovoice_cli.campaigns.sheet import Moved
from alovoice_cli.errors import UsageError
from alovoice_cli.findings import Finding, Severity
from alovoice_cli.language import tr
from alovoice_cli.moments import DailyHours
from alovoice_cli.phones import number_of

Hide = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class CampaignContext:
    """The facts to check a campaign against: the profile's settings, `now` (aware), earlier campaigns."""

    profile: str
    trunks: tuple[str, ...]
    quiet_hours: str
    timezone: str | None
    limits: CampaignLimits
    now: datetime
    made_today: int
    """How many campaigns were created in the last 24 hours."""
    called_since: CalledSince
    busy_lines: Callable[[Sequence[str], datetime, datetime], Sequence[tuple[str, str]]]
    """The lines that other campaigns dial by from one aware moment to another, each with its campaign's id."""
    find_twin: Callable[[CampaignRecord], CreatedCampaign | None]
    """The same campaign, if it was created in the last 24 hours."""
    make_id: Callable[[], str]
    hide: Hide
    """Masks secrets as the ledger does: a path may contain a secret pasted by mistake."""


@dataclass(frozen=True, slots=True)
class CampaignFiles:
    """The recording and the list of a campaign, and the result of reading both."""

    audio: BinaryIO
    record: SubmittedFile
    sound: Audio | None
    people: ListFile
    """The given list."""
    whom: Recipients | None
    """The result of reading the list; None for an unreadable list."""
    uploads_cleaned: bool

    @property
    def numbers_to_call(self) -> int:
        """Returns how many different numbers will be called."""
        return self.whom.people(cleaned=self.uploads_cleaned) if self.whom is not None else 0

    def make_upload(self) -> ListFile:
        """Returns the list for the PBX: cleaned on request, or where needed."""
        return cleaned_file(self.whom) if self.whom is not None and self.uploads_cleaned else self.people

    def changed(self, known: Mapping[str, str]) -> Iterator[str]:
        """Returns the paths of files whose SHA-256 differs from the known value."""
        for path, digest in ((self.record.path, self.record.sha256), (self.people.path, self.people.sha256)):
            if known.get(path, digest) != digest:
                yield path


@dataclass(frozen=True, slots=True)
class PreparedCampaign:
    """A campaign before it is sent, with its findings."""

    options: CampaignOptions
    context: CampaignContext
    draft: CampaignDraft
    files: CampaignFiles
    upload: ListFile
    digest: str
    """The same for campaigns that are the same in all fields, both files and how they are split."""
    report: CheckReport

    @property
    def numbers_to_call(self) -> int:
        """Returns how many different numbers will be called."""
        return self.files.numbers_to_call

    @property
    def summary(self) -> str:
        """Returns the campaign in plain words."""
        return self.draft.summary(self.numbers_to_call, self.context.profile)

    @property
    def remarks(self) -> Iterator[str]:
        """Sentences for stderr: how the list was read, then the campaign in plain words."""
        if self.files.whom is not None:
            yield from reading_notes(self.files.whom)
        yield self.summary

    def as_dict(self) -> dict[str, object]:
        """Returns the whole check as JSON prints it."""
        whom, sound = self.files.whom, self.files.sound
        return {
            "ok": self.report.problem is None,
            "summary": self.summary,
            "findings": [finding.as_dict() for finding in self.report.in_order],
            "recipients": whom.as_dict() if whom is not None else None,
            "audio": sound.as_dict() if sound is not None else None,
            "campaign": self.draft.to_wire(),
        }

    def parts(self) -> Sequence[CampaignPart]:
        """Returns the campaigns to send: one, or all that `--split` makes. Raises UsageError."""
        options, whom = self.options, self.files.whom
        if whom is None:
            raise UsageError(tr("the list cannot be read"))
        if options.split is None:
            if options.split_from > 1:
                message = tr("--split-from needs --split")
                raise UsageError(message, hint=tr("give the same --split as before"))
            numbers = tuple(whom.dialled(cleaned=self.files.uploads_cleaned))
            return [CampaignPart(self.draft, self.upload, numbers)]
        encoding = "utf-8" if self.files.uploads_cleaned else whom.sheet.encoding
        layout = SplitLayout(encoding, whom.layout.delimiter, whom.layout.columns, whom.layout.header is not None)
        parts = split(self.draft, self.upload.file, layout, parse_split(options.split))
        if options.split_from > len(parts):
            message = tr(
                "--split-from {part}: the campaign has only {parts} parts", part=options.split_from, parts=len(parts)
            )
            raise UsageError(message, hint=tr("the first part is 1"))
        return parts

    def record_of(self, part: CampaignPart) -> CampaignRecord:
        """Returns the ledger's record of one campaign beside its form, which the ledger takes from the request."""
        return CampaignRecord(
            fields={},
            digest=self.digest,
            record=self._masked(self.files.record),
            recipients=self._masked(_submitted(part.people)),
            numbers=tuple(map(str, part.numbers)),
            allow_duplicate=self.options.allow_duplicate,
            kept=self._kept(part),
        )

    def _kept(self, part: CampaignPart) -> KeptList | None:
        """Returns the list for the report: as it was given, or the rows of one part of several."""
        whom, people = self.files.whom, part.people.file
        if whom is None:
            return None
        if self.options.split is None:
            return keep_recipients(whom)
        layout, gone = whom.layout, tuple(sorted(whom.left_out))
        header = 1 if layout.header is not None else 0
        return keep(people, ListReading("utf-8", layout.delimiter, layout.columns, layout.width, header, 0, gone))

    def as_twin(self) -> CampaignRecord:
        """Returns the values by which a campaign is compared with an earlier one."""
        fields = {name: self.context.hide(text) for name, text in self.draft.to_wire().items()}
        record = SubmittedFile(self.files.record.name, "", "")
        recipients = SubmittedFile(self.upload.name, "", "")
        return CampaignRecord(fields, self.digest, self._masked(record), self._masked(recipients))

    def _masked(self, file: SubmittedFile) -> SubmittedFile:
        path = str(Path(file.path).absolute()) if file.path else ""
        return SubmittedFile(self.context.hide(file.name), self.context.hide(path), file.sha256)


def check_window(options: CampaignOptions, context: CampaignContext, report: CheckReport) -> Window:
    """Returns the campaign's days and hours; finds quiet hours, Sundays and holidays, also with --no-check."""
    zone = options.timezone or context.timezone
    window = read_window(options.first, options.last, options.opens, options.closes, zone, context.now)
    if report.strict:
        window.check(context.now)
    found = [Finding(Severity.ERROR, code, error.message, error.hint) for code, error in window.problems(context.now)]
    report.add(found)
    if not found and not options.night_ok:
        report.add(quiet_findings(window, DailyHours.parse(context.quiet_hours)))
    return window


def read_files(
    options: CampaignOptions,
    context: CampaignContext,
    window: Window,
    report: CheckReport,
    *,
    stdin: TextIO,
    opened: ExitStack,
    moved: Moved,
) -> CampaignFiles:
    """Reads the recording and the list (once); `opened` closes the recording.

    Raises UsageError for a file that cannot be opened.
    """
    path = str(options.record)
    audio = opened.enter_context(open_regular(options.record))
    people = open_list(options.recipients, options.numbers or None, stdin)
    sound = report.attempt("audio", path, partial(inspect_mp3, audio, path))
    if sound is not None:
        report.add(audio_findings(sound, path, options.goodtime))
    named = options.trunks.split(",") if options.trunks else context.trunks
    screen = ListScreen(window.first, context.now, context.called_since, whole_numbers([*named, *context.trunks]))
    whom = read_list(people, options.of_list, screen, report, moved)
    cleaned = options.of_list.uploads_cleaned or (whom is not None and bool(whom.needs_cleaning))
    if whom is not None:
        report.add(list_findings(whom, cleaned=options.of_list.uploads_cleaned))
        report.add(own_line_findings(whom, whole_numbers(named)))
    planned = 1 if options.split is None or whom is None else -(-whom.rows // parse_split(options.split))
    report.add(limit_findings(context.limits, whom, context.made_today, planned, cleaned=cleaned))
    record = SubmittedFile(options.record.name, path, sha256_of(audio))
    return CampaignFiles(audio, record, sound, people, whom, cleaned)


def whole_numbers(lines: Sequence[str]) -> frozenset[int]:
    """Returns the whole numbers of lines, without words that are no numbers."""
    return frozenset(filter(None, map(number_of, lines)))


def prepare_campaign(
    options: CampaignOptions,
    context: CampaignContext,
    window: Window,
    files: CampaignFiles,
    report: CheckReport,
    *,
    ask_pbx: Callable[[], PbxAnswer],
    rehearsed: bool,
) -> PreparedCampaign:
    """Returns the campaign, ready to be sent, compared with the PBX's lines and with earlier campaigns.

    Calls `ask_pbx` once; for a `rehearsed` campaign only for `--trunks all`. If the report is strict, raises the first
    error that stops the campaign.
    """
    words, answer = line_words(options.trunks, context.trunks), None
    if means_all_lines(words):
        answer = ask_pbx()
        if answer.problem is not None:
            raise answer.problem
    trunks = choose_trunks(words, (answer and answer.lines) or ())
    if answer is not None and files.whom is not None:  # the lines are known only now
        report.add(own_line_findings(files.whom, whole_numbers(trunks)))
        report.stop()
    name = options.name or options.record.stem
    if options.name is None and report.strict:
        name = f"{name} {context.make_id()}"
    draft = CampaignDraft(name, window, trunks, options.maxline, options.goodtime, options.tryes, options.paused)
    upload = files.make_upload()
    fields = draft.to_wire() | ({"split": options.split} if options.split else {})
    # A generated name differs each time.
    digest = make_digest(fields, files.record.sha256, upload.sha256, named=options.name is not None)
    ready = PreparedCampaign(options, context, draft, files, upload, digest, report)
    if answer is None and not rehearsed:
        answer = ask_pbx()
    if answer is not None:
        report.add(pbx_findings(trunks, answer, strict=report.strict))
    _compare_with_earlier(ready)
    if options.no_check:
        report.keep_what_stops()
    report.stop()
    return ready


def _compare_with_earlier(ready: PreparedCampaign) -> None:
    options, context, draft, report = ready.options, ready.context, ready.draft, ready.report
    report.add(maxline_findings(draft.trunks, options.maxline))
    if not options.no_check:
        report.add(busy_findings(context.busy_lines(draft.trunks, *draft.window.span)))
    if not options.allow_duplicate and ready.files.whom is not None:
        report.add(twin_findings(context.find_twin(ready.as_twin())))


def _submitted(people: ListFile) -> SubmittedFile:
    return SubmittedFile(people.name, people.path, people.sha256)
