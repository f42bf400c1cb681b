"""`alovoice status`: the settings in force, and whether they work."""

import platform
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from alovoice_cli import __version__
from alovoice_cli.commands.command_classes import CommandApp
from alovoice_cli.commands.options import examples
from alovoice_cli.config.settings import Settings
from alovoice_cli.config.tokens import exposure
from alovoice_cli.errors import AlovoiceError, BadConfigError, CheckFailedError, TokenRefusedError
from alovoice_cli.events.event_table import iso
from alovoice_cli.events.outbox import TargetStanding, target_id, waiting_text
from alovoice_cli.language import joined, pgettext, tr
from alovoice_cli.moments import parse_zone, span_text, unix_microseconds
from alovoice_cli.output.listing import Record
from alovoice_cli.session import Session
from alovoice_cli.stores.override import OverrideFile

if TYPE_CHECKING:
    from alovoice_cli.output.screen import Pieces

app = CommandApp()
_SKEW_SECONDS = 120
_ORIGINS = {"default": "", "flag": "-p"}
"""The words of the profile's line for places that the settings name otherwise."""


@app.command("status", epilog=examples("alovoice status", "alovoice status --offline --json | jq -r .profile"))
def show_status(
    ctx: typer.Context,
    offline: Annotated[bool, typer.Option("--offline", help="Do not contact the PBX.", show_default=False)] = False,
) -> None:
    """Show profile, server and token, and whether they work.

    On a terminal three lines; --verbose and --json show everything. Exit code 3: the token is missing or refused;
    8: the configuration file has an error, and its place is shown.
    """
    session: Session = ctx.obj
    settings, broken = session.settings_or_defaults()
    problem: AlovoiceError | None = CheckFailedError(broken.message, hint=broken.hint) if broken else None
    fields: dict[str, object] = {
        "profile": settings.profile,
        "profile_from": settings.origin["profile"],
        "server": settings.base_url,
        "server_from": settings.origin["base_url"],
        "lang": settings.lang,
        "encoding": settings.encoding,
        "timeout_seconds": settings.timeout,
        "config_file": str(session.paths.config_file),
        "tokens_file": str(session.paths.tokens_file),
        "state": str(session.paths.state),
        "version": __version__,
        "python": platform.python_version(),
        "config_problem": broken.message if broken else None,
        **_override(session, settings),
    }
    if not broken:
        try:
            problem = _add_connection(session, fields, offline=offline)
        except AlovoiceError as found:  # a finding like the others: the known facts are shown first
            problem = found
    outbox, now = None if broken else _outbox(session), session.now()
    fields["unreadable_events"] = None if broken else _unreadable(session)
    if session.options.json or session.options.verbose or not session.stdout.isatty():
        whole = {**fields, "outbox": None if outbox is None else [_as_json(one, now) for one in outbox]}
        shown = {**fields, "outbox": _as_text(outbox or [], now)}
        session.show(Record(shown, title="AloVoice", whole=whole, ours=True))
    else:
        waits = tr("it is not known what waits to be forwarded")
        if outbox is not None:
            waits = _as_text(outbox, now) or tr("nothing waits to be forwarded")
        session.display.screen(_in_words(settings, fields, problem, waits), wrapped=True)
    if problem is not None:
        raise problem


def _in_words(
    settings: Settings, fields: Mapping[str, object], problem: AlovoiceError | None, waits: str
) -> "list[Pieces]":
    """Returns three lines: the profile; the server, and whether it answers; the token, and what waits to be forwarded.

    `waits` is the last of them in words.
    """
    profile_from = _ORIGINS.get(settings.origin["profile"], settings.origin["profile"].removeprefix("environment "))
    server = tr("the sandbox, a PBX inside this program") if settings.embedded else settings.base_url
    labels = tr("Profile"), tr("Server"), tr("Token")
    width = max(map(len, labels)) + 2
    profile, place, token = (label.ljust(width) for label in labels)
    source = tr("(from {place})", place=profile_from) if profile_from else ""
    return [
        [(profile, "bold"), (settings.profile, ""), (f" {source}" if source else "", "dim")],
        [(place, "bold"), (f"{server}: ", ""), _reached(fields, problem)],
        [(token, "bold"), *_token_in_words(settings, fields, problem), (f"; {waits}", "")],
    ]


def _reached(fields: Mapping[str, object], problem: AlovoiceError | None) -> tuple[str, str]:
    """Returns whether the server answers, with the style of the words."""
    reachable = fields.get("reachable")
    if reachable is None:
        return tr("not asked"), ""
    if not reachable:
        return tr("not reachable"), "bad"
    if problem is None or isinstance(problem, TokenRefusedError):
        return tr("answers in {time} ms", time=fields["answer_ms"]), "good"
    return tr("answers with an error in {time} ms", time=fields["answer_ms"]), "bad"


def _token_in_words(
    settings: Settings, fields: Mapping[str, object], problem: AlovoiceError | None
) -> "list[tuple[str, str]]":
    if settings.embedded:
        return [(tr("not needed"), "")]
    if not fields.get("token"):
        is_read = not isinstance(problem, (BadConfigError, CheckFailedError))
        return [(pgettext("token", "none") if is_read else pgettext("token", "not known"), "bad")]
    place = str(fields["token_from"]).removeprefix("environment ")
    told = (tr("{token} (from {place})", token=fields["token"], place=place), "")
    if isinstance(problem, TokenRefusedError):
        return [told, (", ", ""), (pgettext("token", "refused"), "bad")]
    return (
        [told, (", ", ""), (pgettext("token", "accepted"), "good")]
        if fields.get("reachable") and problem is None
        else [told]
    )


def _outbox(session: Session) -> list[TargetStanding] | None:
    """Returns the state of the targets of forwarding; None, with a warning, for an unreadable store.

    A reader of the numbers must not mistake a failing store for one without waiting events.
    """
    try:
        outbox = session.outbox()
        return outbox.standing() if outbox.exists else []
    except AlovoiceError as trouble:
        session.warn(trouble.message)
        return None


def _unreadable(session: Session) -> int | None:
    """Returns how many events of the store could not be read; None without a store."""
    events = session.event_store()
    try:
        return events.unreadable() if events.exists else None
    except AlovoiceError as trouble:
        session.warn(trouble.message)
        return None


def _as_json(one: TargetStanding, now: datetime) -> dict[str, object]:
    return {
        "target": one.label,
        "target_id": target_id(one.name),
        "state": one.state,
        "trouble": one.trouble or None,
        "waiting": one.waiting,
        "dead": one.dead,
        "oldest_seconds": _age(one, now),
        "waits_until": iso(one.waits_until) if one.waits_until > unix_microseconds(now) else None,
    }


def _as_text(standing: Sequence[TargetStanding], now: datetime) -> str | None:
    """Returns the targets with waiting or failed events."""
    parts = []
    for one in standing:
        age = _age(one, now)
        if one.waiting or one.dead or one.state != "taking":
            oldest = [] if age is None else [tr("(the oldest for {age})", age=span_text(age))]
            parts.append(joined(" ", (f"{one.label}:", waiting_text(one), *oldest)))
    return joined("; ", parts) or None


def _age(one: TargetStanding, now: datetime) -> int | None:
    """Returns for how many seconds the oldest event has waited."""
    return None if one.oldest_at is None else max(unix_microseconds(now) - one.oldest_at, 0) // 1_000_000


def _override(session: Session, settings: Settings) -> dict[str, object]:
    """Returns the override if it is in force; the listener ignores an unreadable one too."""
    try:
        override = OverrideFile(settings.override_path).read()
    except AlovoiceError as trouble:
        session.warn(tr("{problem}: there is no override", problem=trouble))
        override = None
    if override is None or not override.holds(session.now()):
        return {"override": None, "override_until": None}
    until = override.until.astimezone(parse_zone(settings.timezone, tr("the profile's timezone")))
    session.warn(tr("an override is in force: every caller gets {step}", step=override.step))
    return {"override": str(override.step), "override_until": until.isoformat(timespec="seconds")}


def _add_connection(session: Session, fields: dict[str, object], *, offline: bool) -> AlovoiceError | None:
    """Adds the state of the token and the PBX to the fields; returns the error, or None."""
    from alovoice_cli.api.trunks import probe  # noqa: PLC0415 - `--help` and a broken file need no client

    settings = session.settings
    if not settings.embedded:
        fields |= {"token_from": settings.token_source() or None, "token_for": settings.token_origin(), "token": None}
        fields["token"] = str(session.token) if session.token else None
    client = session.client
    fields |= {"proxy": client.proxy or None, "authorities": client.authorities or None}
    if warning := exposure(session.paths):
        session.warn(warning)
    if offline:
        return None
    found = probe(client, session.now())
    fields |= {"reachable": found.reachable, "answer_ms": found.answer_ms, "clock_ahead_seconds": found.skew_seconds}
    if found.skew_seconds is not None and abs(found.skew_seconds) > _SKEW_SECONDS:
        session.warn(
            tr(
                "the clocks of this computer and of the server differ by {seconds} s: `tomorrow` may be wrong",
                seconds=found.skew_seconds,
            )
        )
    return found.problem
