"""`alovoice route override`: sends every caller to one step for a limited time, in place of the rules."""

from datetime import datetime, timedelta
from typing import Annotated

import typer

from alovoice_cli.commands.options import examples
from alovoice_cli.errors import NotReadyError, UsageError
from alovoice_cli.language import mark, tr
from alovoice_cli.moments import parse_span, parse_zone, span_text, zoned_text
from alovoice_cli.output.listing import Column, Record
from alovoice_cli.routing.step import Override, RouteStep
from alovoice_cli.session import Session
from alovoice_cli.stores.override import OverrideFile

EXAMPLES = examples(
    "alovoice route override queue:6000 --for 30m",
    "alovoice route override",
    "alovoice route override --off",
)
_LONGEST = timedelta(days=31)
_COLUMNS = (
    Column("override", "Step"),
    Column("until", "Valid until", words=zoned_text),
    Column("seconds_left", "Time left", words=lambda value: span_text(int(str(value)))),
)


def override_rules(
    ctx: typer.Context,
    step: Annotated[
        str | None, typer.Argument(metavar="[STEP]", help="Step for every caller, such as queue:6000 or hangup.")
    ] = None,
    span: Annotated[str | None, typer.Option("--for", metavar="SPAN", help="Duration: 30m, 2h, up to 31d.")] = None,
    off: Annotated[bool, typer.Option("--off", help="End the override now.", show_default=False)] = False,
) -> None:
    """Send every caller to one step for a limited time.

    Without arguments it shows the override that is in force. A running `alovoice listen` of the same profile obeys
    from the next route question on. The override precedes rules and fallback, ends by itself, and survives a
    restart. Exit code 9: no listener is running; one that starts in time obeys.
    """
    session: Session = ctx.obj
    file = OverrideFile(session.settings.override_path)
    now = session.now()
    if off and (step or span):
        message = tr("--off cannot be used together with a step or --for")
        raise UsageError(message, hint="alovoice route override --off")
    if off:
        _end(session, file, now)
    elif step is not None:
        _begin(session, file, _read(step, span, now))
    elif span is not None:
        raise UsageError(tr("--for needs a step"), hint=tr("such as {example}", example="queue:6000 --for 30m"))
    else:
        found = file.read()
        held = found if found is not None and found.holds(now) else None
        if held is None:
            session.note(tr("no override is in force"))
        _show(session, held, now)
        if held is not None:
            _require_listener(session, file, held)


def _read(step: str, span: str | None, now: datetime) -> Override:
    wanted = RouteStep.from_text(step, tr("the override"))
    if span is None:
        hint = tr("give its length: {example}", example=f"{wanted} --for 30m")
        raise UsageError(tr("an override must end by itself"), hint=hint)
    length = parse_span(span, "--for")
    if not timedelta(0) < length <= _LONGEST:
        message = tr("--for {span} is not between 1s and 31d", span=span)
        raise UsageError(message, hint=tr("for a longer time, change the rules"))
    return Override(wanted, now + length)


def _begin(session: Session, file: OverrideFile, override: Override) -> None:
    profile = session.settings.profile
    if session.options.dry_run:
        text = mark("every caller of profile {profile} would get {step}; nothing was changed")
        session.note(tr(text, profile=profile, step=override.step))
        if not file.has_reader(session.now()):
            text = mark("no listener of profile {profile} is running: the override has no effect until one starts")
            session.warn(tr(text, profile=profile))
        _show(session, override, session.now())
        return
    file.write(override)
    if file.has_reader(session.now()):
        text = mark("every caller of profile {profile} gets {step} from now on")
        session.note(tr(text, profile=profile, step=override.step))
    _show(session, override, session.now())
    _require_listener(session, file, override)


def _require_listener(session: Session, file: OverrideFile, override: Override) -> None:
    """Raises NotReadyError where no listener uses the override: callers then go where they went before."""
    if file.has_reader(session.now()):
        return
    until = override.until.astimezone(parse_zone(session.settings.timezone, tr("the profile's timezone")))
    raise NotReadyError(
        tr(
            "no listener of profile {profile} is running: no caller gets {step}",
            profile=session.settings.profile,
            step=override.step,
        ),
        hint=tr(
            "a listener that starts before {moment} uses the override: `alovoice listen`; to cancel it:"
            " `alovoice route override --off`",
            moment=f"{until:%Y-%m-%d %H:%M}",
        ),
        sent="no",
    )


def _end(session: Session, file: OverrideFile, now: datetime) -> None:
    held = _held(file, now)
    if not session.options.dry_run:
        file.remove()
    if held is None:
        session.note(tr("no override was in force"))
    elif session.options.dry_run:
        session.note(tr("the override would end: {step}", step=held.step))
    else:
        session.note(tr("the override has ended: {step}", step=held.step))
    _show(session, held if session.options.dry_run else None, now)


def _held(file: OverrideFile, now: datetime) -> Override | None:
    """Returns the override in force; removes an unreadable file."""
    try:
        found = file.read()
    except UsageError:
        return None
    return found if found is not None and found.holds(now) else None


def _show(session: Session, override: Override | None, now: datetime) -> None:
    fields: dict[str, object] = {"override": None, "until": None, "seconds_left": None}
    if override is not None:
        zone = parse_zone(session.settings.timezone, tr("the profile's timezone"))
        fields = {
            "override": str(override.step),
            "until": override.until.astimezone(zone).isoformat(timespec="seconds"),
            "seconds_left": max(round((override.until - now).total_seconds()), 0),
        }
    elif session.stdout.isatty() and not session.options.json:
        return  # the note says it
    session.show(Record(fields, title=tr("Override"), ours=True, columns=_COLUMNS))
