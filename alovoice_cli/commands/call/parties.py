"""The words for who is called, shared by the verbs of `alovoice call`."""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Literal

import typer

from alovoice_cli.api.types import Party
from alovoice_cli.batch.fields import BadCellError, read_person, split_party
from alovoice_cli.campaigns.rest import QuietHours
from alovoice_cli.campaigns.schedule import parse_zone
from alovoice_cli.commands.call.waiting import follow
from alovoice_cli.errors import CheckFailedError, ExitCode, UsageError
from alovoice_cli.output.listing import Record
from alovoice_cli.phones import canonical, parse_dialled
from alovoice_cli.session import Session

EXTENSION_LENGTHS = range(2, 6)

Encoding = Annotated[
    Literal["json", "multipart", "form", "vendor-curl"] | None,
    typer.Option("--encoding", metavar="FORM", help="json, multipart, form or vendor-curl; else the profile's."),
]
ExternalId = Annotated[
    str | None, typer.Option("--extid", metavar="ID", help="Your id of the call; made if left out. Results carry it.")
]


NoCheck = Annotated[
    bool, typer.Option("--no-check", help="Call a number that no telephone plan knows.", show_default=False)
]


def read_number(session: Session, text: str, option: str, *, no_check: bool) -> str:
    """The number to ring as it is sent, read as lists are: any spelling, or an extension of 2 to 5 digits.

    Raises UsageError for what is no number, CheckFailedError for a number that no telephone plan knows.
    """
    key = canonical(text)
    try:
        sent = key if len(key) in EXTENSION_LENGTHS else str(read_person(text).value)
    except BadCellError as problem:
        if no_check or not any(letter.isdigit() for letter in text):
            return parse_dialled(text, option)
        hint = f"{problem.hint}; --no-check calls it as it is written".removeprefix("; ")
        raise CheckFailedError(f"{option} {problem.message}: nothing was sent", hint=hint) from problem
    if sent != text.strip():
        session.note(f"{option} {text.strip()!r} is sent as {sent}")
    return sent


def read_party(session: Session, text: str, option: str, *, no_check: bool) -> Party:
    """`PHONE[:LANG]` as a party, see `read_number`."""
    try:
        phone, lang = split_party(text)
    except BadCellError as problem:
        raise UsageError(f"{option} {problem.message}", hint=problem.hint) from problem
    return Party(read_number(session, phone, option, no_check=no_check), lang.lower())


def check_hours(session: Session, *, night_ok: bool) -> None:
    """Raises CheckFailedError in quiet hours that the profile itself sets; says so in the usual ones."""
    settings = session.settings
    quiet = QuietHours.parse(settings.quiet_hours)
    local = session.now().astimezone(parse_zone(settings.timezone))
    if night_ok or quiet is None or not quiet.hold(local):
        return
    message = f"it is {local:%H:%M}, within the quiet hours {quiet}"
    if settings.origin["quiet_hours"].startswith("profile") and not session.options.dry_run:
        raise CheckFailedError(f"{message} of the profile: nothing was sent", hint="give --night-ok if that is meant")
    session.note(message)


def parse_id(text: str, option: str) -> str:
    """A number or name of the PBX (extension, queue, menu, user) as typed. Raises UsageError for spaces or nothing."""
    typed = text.strip()
    if not typed or not typed.isprintable() or " " in typed:
        raise UsageError(f"{option} {text!r} is no number of the PBX", hint="see `alovoice peers`, or the web console")
    return typed


def place_and_show(
    session: Session, named: dict[str, object], place: Callable[[], object], title: str, patience: timedelta | None
) -> int:
    """Places the call and shows what became of the request: its receipt, its id, and the PBX's answer, whole.

    With `patience` it is followed to its end. Returns the exit code.
    """
    if patience is not None:
        return follow(session, named, place, patience)
    answer = place()
    session.show(Record({"receipt": session.last_receipt, **named, "answer": answer}, title=title))
    return ExitCode.DONE
