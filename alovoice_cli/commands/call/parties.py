"""The words for who is called, shared by the verbs of `alovoice call`."""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Literal

import typer

from alovoice_cli.api.party import Party
from alovoice_cli.commands.call.waiting import follow
from alovoice_cli.errors import ExitCode, UsageError
from alovoice_cli.output.listing import Record
from alovoice_cli.phones import parse_dialled
from alovoice_cli.session import Session

Encoding = Annotated[
    Literal["json", "multipart", "form", "vendor-curl"] | None,
    typer.Option("--encoding", metavar="FORM", help="json, multipart, form or vendor-curl; else the profile's."),
]
ExternalId = Annotated[
    str | None, typer.Option("--extid", metavar="ID", help="Your id of the call; made if left out. Results carry it.")
]


def parse_party(text: str, option: str) -> Party:
    """`PHONE[:LANG]` as a party, the phone as typed. Raises UsageError."""
    phone, colon, lang = text.partition(":")
    if colon and not (lang.isascii() and lang.isalpha()):
        raise UsageError(f"{option} {text!r} names no language", hint="write it as 901234567:uz")
    return Party(parse_dialled(phone, option), lang.lower())


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
