"""From the words of `autorule create` and `autorule check` to a campaign that is ready, and what was found on it."""

from contextlib import ExitStack
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from alovoice_cli.api.endpoints import ADD_AUTORULE
from alovoice_cli.campaigns.audio import audio_findings, inspect_mp3
from alovoice_cli.campaigns.cleaning import cleaned_file, write_lists
from alovoice_cli.campaigns.draft import Draft, choose_trunks, read_window
from alovoice_cli.campaigns.files import open_list, open_regular
from alovoice_cli.campaigns.findings import Severity
from alovoice_cli.campaigns.list_findings import list_findings, own_line_findings, reading_notes
from alovoice_cli.campaigns.papers import Paper, Papers
from alovoice_cli.campaigns.preflight import (
    Limits,
    Report,
    busy_findings,
    clock_findings,
    limit_findings,
    line_findings,
    maxline_findings,
    stops_creating,
    twin_findings,
    unasked_finding,
)
from alovoice_cli.campaigns.rest import QuietHours, rest_findings
from alovoice_cli.campaigns.screening import Screen
from alovoice_cli.campaigns.splitting import SplitLayout, parse_split
from alovoice_cli.campaigns.wishes import CampaignWish
from alovoice_cli.commands.autorule.sending import digest_order
from alovoice_cli.consent import Reach, check_confirmed
from alovoice_cli.dialling import DAY
from alovoice_cli.phones import number_of
from alovoice_cli.session import Session
from alovoice_cli.spreadsheet import format_for

if TYPE_CHECKING:
    from alovoice_cli.api.client import Client
    from alovoice_cli.api.trunks import Probe


class Preparation:
    """One campaign on its way. `strict` is for `create`: what cannot be read raises, errors stop before the PBX is
    asked. Otherwise everything is gone through, and gathered in the report."""

    def __init__(
        self, session: Session, wish: CampaignWish, files: ExitStack, *, strict: bool, confirm: int | None = None
    ) -> None:
        self._session, self._wish, self._strict = session, wish, strict
        settings = session.settings
        self.report = Report(strict=strict)
        self._adopt_older_campaigns()
        self._limits = Limits(
            settings.max_recipients,
            settings.allowed_prefixes,
            settings.max_campaigns_per_day,
            frozenset(wish.override_limit),
        )
        zone = wish.timezone or settings.timezone
        window = read_window(wish.first, wish.last, wish.opens, wish.closes, zone, session.now())
        can_ring = self.report.take_window(window, session.now())
        if can_ring and not wish.night_ok:  # also with --no-check: quiet hours hold always
            self.report.add(rest_findings(window, QuietHours.parse(settings.quiet_hours)))
        self.audio: BinaryIO = files.enter_context(open_regular(wish.record))
        self.people, self.source = open_list(wish.recipients, wish.numbers or None, session.stdin)
        files.enter_context(self.people)
        self._look_at_files(window.first)
        self._stop()
        if confirm is not None:  # before the PBX is asked for anything
            check_confirmed(Reach(self.numbers_to_call, ""), confirm)
        name = wish.name or (f"{wish.record.stem} {session.ledger.make_id()}" if strict else wish.record.stem)
        trunks = choose_trunks(wish.trunks, settings.trunks, self._ask_lines)
        if self.whom is not None and "_probe" in self.__dict__:  # `--trunks all`: which lines these are is known now
            self.report.add(own_line_findings(self.whom, frozenset(filter(None, map(number_of, trunks)))))
            self._stop()
        self.draft = Draft(name, window, trunks, wish.maxline, wish.goodtime, wish.tryes, wish.paused)
        self._clean(files)
        self._look_around()
        if wish.no_check:
            self.report.findings = [
                found for found in self.report.findings if found.severity is Severity.ERROR or found.needs
            ]
        self._stop()

    def _adopt_older_campaigns(self) -> None:
        """Campaigns that an older version created within a day count too: as twins, and against the limit."""
        session, since = self._session, self._session.now() - DAY
        session.campaigns.adopt(session.ledger.placed(session.settings.profile, since, ADD_AUTORULE.path))

    def _stop(self) -> None:
        if self._strict and (problem := self.report.problem) is not None:
            raise problem

    def _look_at_files(self, first_day: date) -> None:
        session, wish, report = self._session, self._wish, self.report
        record = str(wish.record)
        self.sound = report.attempt("audio", record, lambda: inspect_mp3(self.audio, record))
        if self.sound is not None:
            report.add(audio_findings(self.sound, record, wish.goodtime))
        usual = session.settings.trunks or ()
        named = tuple(wish.trunks.split(",")) if wish.trunks else usual
        screen = Screen(
            wish.whom,
            session.settings.profile,
            first_day,
            session.now(),
            lambda: session.campaigns,
            own_lines=frozenset(filter(None, map(number_of, (*named, *usual)))),
        )
        with session.display.transfer("reading") as moved:
            self.whom = screen.read(self.people, self.source or "the list", report, moved)
        if self.whom is not None:
            report.add(list_findings(self.whom, cleaned=wish.whom.uploads_cleaned))
            report.add(own_line_findings(self.whom, frozenset(filter(None, map(number_of, named)))))
        report.add(
            limit_findings(self._limits, self.whom, self._made_today, self._planned, cleaned=self.uploads_cleaned)
        )

    def _clean(self, files: ExitStack) -> None:
        """The layout of what will be uploaded; with `--clean` alone that is the cleaned list."""
        if self.whom is None:
            return
        found = self.whom.layout
        encoding = self.whom.sheet.encoding
        if self.uploads_cleaned:
            self.people, encoding = files.enter_context(cleaned_file(self.whom)), "utf-8"
            self.source = ""
        self.layout = SplitLayout(encoding, found.delimiter, found.columns, found.header is not None)

    def _look_around(self) -> None:
        """Lines, clock, what was created before."""
        session, wish, report = self._session, self._wish, self.report
        if self._asks_pbx:
            self._look_at_pbx()
        profile, store = session.settings.profile, session.campaigns
        report.add(maxline_findings(self.draft.trunks, wish.maxline))
        if not wish.no_check:
            report.add(busy_findings(store, profile, self.draft))
        if not wish.allow_duplicate and self.whom is not None:
            report.add(twin_findings(store, profile, self._papers(), session.now()))

    def _papers(self) -> Papers:
        """The campaign as far as another one is compared with it."""
        hide = self._session.masker.hide  # as the ledger has it
        fields = {name: hide(text) for name, text in self.draft.to_wire().items()}
        record = Paper(hide(self._wish.record.name), "", "")
        recipients = Paper(hide(Path(self.source or "recipients.csv").name), "", "")
        return Papers(fields, self.digest, record, recipients)

    @property
    def _asks_pbx(self) -> bool:
        """A rehearsal opens no connection of its own; where `--trunks all` opened one, its answer is used."""
        rehearses = self._strict and self._session.options.dry_run
        return not rehearses or "_probe" in self.__dict__

    def _look_at_pbx(self) -> None:
        problem = self._probe.problem
        if problem is not None and self._strict and stops_creating(problem):
            raise problem
        if problem is not None:
            self.report.add(iter([unasked_finding(problem)]))
        elif self._probe.lines is not None:
            self.report.add(line_findings(self.draft.trunks, self._probe.lines))
        self.report.add(clock_findings(self._probe.skew_seconds))

    @cached_property
    def digest(self) -> str:
        """By what the same campaign is known when it comes twice."""
        wish = self._wish
        return digest_order(self.draft, self.audio, self.people, named=wish.name is not None, split=wish.split)

    @cached_property
    def client(self) -> "Client":
        """The client that the PBX is asked by, and the campaign sent."""
        return self._session.client_for(override_limits=frozenset(self._wish.override_limit))

    @cached_property
    def _probe(self) -> "Probe":
        from alovoice_cli.api.trunks import probe  # noqa: PLC0415 - help needs no client

        return probe(self.client, self._session.now())

    def _ask_lines(self) -> tuple[str, ...]:
        if self._probe.problem is not None:
            raise self._probe.problem
        return self._probe.lines or ()

    def _made_today(self) -> int:
        return self._session.campaigns.created_count(self._session.settings.profile, self._session.now() - DAY)

    def _planned(self) -> int:
        """How many campaigns this order makes."""
        if self._wish.split is None or self.whom is None:
            return 1
        return -(-self.whom.rows // parse_split(self._wish.split))

    # --- what is said of it ------------------------------------------------------------------------------------------

    @property
    def numbers_to_call(self) -> int:
        """How many different numbers will be called."""
        return self.whom.people(cleaned=self.uploads_cleaned) if self.whom is not None else 0

    @property
    def uploads_cleaned(self) -> bool:
        """Whether the PBX gets the cleaned list: where that is asked for, or it would not understand the other."""
        return self._wish.whom.uploads_cleaned or (self.whom is not None and bool(self.whom.needs_cleaning))

    @property
    def summary(self) -> str:
        """The campaign in plain words."""
        return self.draft.summary(self.numbers_to_call, self._session.settings.profile)

    def write_lists(self) -> None:
        """Writes what `--clean OUT` and `--rejected OUT` ask for."""
        wish = self._wish.whom
        if self.whom is not None and (wish.clean_name or wish.rejected):
            write_lists(self.whom, wish.clean_name, wish.rejected, format_for(excel=wish.excel))
            names = [str(path) for path in (wish.clean_name, wish.rejected) if path]
            self._session.note(f"written: {', '.join(names)}")

    def tell(self) -> None:
        """Says on stderr how the list was read, then the campaign in plain words."""
        if self.whom is not None:
            for note in reading_notes(self.whom):
                self._session.note(note)
        self._session.note(self.summary)

    def as_dict(self) -> dict[str, object]:
        """All of it as JSON prints it."""
        return {
            "ok": self.report.problem is None,
            "summary": self.summary,
            "findings": [finding.as_dict() for finding in self.report.in_order],
            "recipients": self.whom.as_dict() if self.whom is not None else None,
            "audio": self.sound.as_dict() if self.sound is not None else None,
            "campaign": self.draft.to_wire(),
        }
