"""Prepares a campaign: asks the stores and the PBX for what `campaigns.preparation` needs to know."""

from contextlib import ExitStack

from alovoice_cli.api.client import Client
from alovoice_cli.api.endpoints import ADD_AUTORULE
from alovoice_cli.api.trunks import Probe, probe
from alovoice_cli.campaigns import preparation
from alovoice_cli.campaigns.check_report import CheckReport
from alovoice_cli.campaigns.cleaning import write_lists
from alovoice_cli.campaigns.draft import CampaignDraft, choose_trunks, means_all_lines
from alovoice_cli.campaigns.list_findings import own_line_findings
from alovoice_cli.campaigns.options import CampaignOptions
from alovoice_cli.campaigns.preflight import (
    CampaignLimits,
    busy_findings,
    maxline_findings,
    pbx_findings,
    twin_findings,
)
from alovoice_cli.campaigns.preparation import CampaignFiles, CampaignRules, PreparedCampaign
from alovoice_cli.campaigns.schedule import Window
from alovoice_cli.consent import Reach, check_confirmed
from alovoice_cli.dialling import DAY
from alovoice_cli.session import Session
from alovoice_cli.spreadsheet import format_for


def prepare(
    session: Session, options: CampaignOptions, opened: ExitStack, *, strict: bool
) -> tuple[PreparedCampaign, Client]:
    """The campaign, ready to be sent, with what was found on it, and the client to send it; `opened` closes its files.

    `strict` is for `create`: what cannot be read raises, and errors stop before the PBX is asked.
    """
    rules, report = _rules(session, options), CheckReport(strict=strict)
    window = preparation.check_window(options, rules, report)
    with session.display.transfer("reading") as moved:
        files = preparation.read_files(options, rules, window, report, stdin=session.stdin, opened=opened, moved=moved)
    report.stop()
    if options.confirm is not None:  # before the PBX is asked for anything
        check_confirmed(Reach(files.numbers_to_call, ""), options.confirm)
    client = session.client_for(override_limits=options.override_limit)
    draft, answer = _draft(session, client, options, rules, window, files, report)
    ready = preparation.prepared(options, rules, draft, preparation.with_upload(files, opened), report)
    if answer is None and not (strict and session.options.dry_run):  # a rehearsal opens no connection of its own
        answer = probe(client, session.now())
    if answer is not None:
        report.add(pbx_findings(draft.trunks, answer.lines, answer.skew_seconds, answer.problem, strict=strict))
    _compare_with_earlier(session, ready)
    if options.no_check:
        report.keep_what_stops()
    report.stop()
    return ready, client


def _rules(session: Session, options: CampaignOptions) -> CampaignRules:
    settings, store, now = session.settings, session.campaigns, session.now()
    # Campaigns that an older version created within a day count too: as twins, and against the limit.
    store.adopt(session.ledger.placed(settings.profile, now - DAY, ADD_AUTORULE.path))
    daily = settings.max_campaigns_per_day
    return CampaignRules(
        profile=settings.profile,
        trunks=tuple(settings.trunks or ()),
        quiet_hours=settings.quiet_hours,
        timezone=settings.timezone,
        limits=CampaignLimits(settings.max_recipients, settings.allowed_prefixes, daily, options.override_limit),
        now=now,
        made_today=0 if daily is None else store.created_count(settings.profile, now - DAY),
        called_since=lambda since: store.called_numbers(settings.profile, since),
    )


def _draft(
    session: Session,
    client: Client,
    options: CampaignOptions,
    rules: CampaignRules,
    window: Window,
    files: CampaignFiles,
    report: CheckReport,
) -> tuple[CampaignDraft, Probe | None]:
    """The campaign's form, and the PBX's answer where it was asked for its lines (`--trunks all`)."""
    name = options.name or options.record.stem
    if options.name is None and report.strict:
        name = f"{name} {session.ledger.make_id()}"
    words, answer = preparation.chosen_line_words(options, rules), None
    if means_all_lines(words):
        answer = probe(client, session.now())
        if answer.problem is not None:
            raise answer.problem
    trunks = choose_trunks(words, (answer and answer.lines) or ())
    if answer is not None and files.whom is not None:  # which lines these are is known only now
        report.add(own_line_findings(files.whom, preparation.whole_numbers(trunks)))
        report.stop()
    return preparation.draft_campaign(options, name, window, trunks), answer


def _compare_with_earlier(session: Session, ready: PreparedCampaign) -> None:
    options, draft, report, store = ready.options, ready.draft, ready.report, session.campaigns
    profile = session.settings.profile
    report.add(maxline_findings(draft.trunks, options.maxline))
    if not options.no_check:
        report.add(busy_findings(store.busy_lines(profile, draft.trunks, *draft.window.span)))
    if not options.allow_duplicate and ready.files.whom is not None:
        twin = ready.as_twin(session.masker.hide)
        label = store.find_twin(profile, ready.digest, session.now() - DAY, twin)
        report.add(twin_findings(None if label is None else store.campaign(profile, label)))


def write_asked_lists(session: Session, ready: PreparedCampaign) -> None:
    """Writes what `--clean OUT` and `--rejected OUT` ask for, and says so."""
    asked, whom = ready.options.of_list, ready.files.whom
    if whom is not None and asked.written:
        write_lists(whom, asked.clean_name, asked.rejected, format_for(excel=asked.excel))
        session.note(f"written: {', '.join(asked.written)}")


def tell_remarks(session: Session, ready: PreparedCampaign) -> None:
    """Says on stderr how the list was read, then the campaign in plain words."""
    for remark in ready.remarks:
        session.note(remark)
