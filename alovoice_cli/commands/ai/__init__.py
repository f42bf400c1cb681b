"""`alovoice ai`: speech analyses of recorded calls; here the options by which its verbs choose kept analyses."""

from typing import Annotated

import typer

from alovoice_cli.moments import parse_moment
from alovoice_cli.session import Session
from alovoice_cli.speech.talk import Wanted

Since = Annotated[
    str | None,
    typer.Option("--since", metavar="WHEN", help="Calls from then on: 2h, 7d, today, yesterday, 2025-04-25, 14:30 …"),
]
Until = Annotated[
    str | None, typer.Option("--until", metavar="WHEN", help="Calls up to then; a day alone is included, whole.")
]
Tags = Annotated[
    list[str] | None, typer.Option("--tag", metavar="NAME", help="With this tag; several: with all of them.")
]
WithoutTags = Annotated[list[str] | None, typer.Option("--without-tag", metavar="NAME", help="Without this tag.")]
Peer = Annotated[str | None, typer.Option("--peer", metavar="N", help="Of this extension, where it is known.")]


def read_wanted(
    session: Session,
    since: str | None = None,
    until: str | None = None,
    tags: list[str] | None = None,
    without_tags: list[str] | None = None,
    peer: str | None = None,
) -> Wanted:
    """Returns the filter of the options. Raises UsageError for an unreadable moment."""
    clock = session.clock
    return Wanted(
        since=None if since in (None, "all") else int(parse_moment(since or "", clock, "--since").at.timestamp()),
        until=None if until is None else int(parse_moment(until, clock, "--until").end.timestamp()),
        tags=tuple(tags or ()),
        without_tags=tuple(without_tags or ()),
        peer=peer,
    )
