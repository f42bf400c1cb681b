"""`alovoice ai`: speech analyses of recorded calls; here the options by which its verbs choose kept analyses."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from alovoice_cli.moments import parse_moment
from alovoice_cli.session import Session
from alovoice_cli.speech.talk import Wanted

if TYPE_CHECKING:
    from alovoice_cli.speech.score import Group

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


def warn_of_sides(session: Session, sides: Mapping[str, int]) -> None:
    """Warns of speakers that are neither operator nor client; `sides` are their names with the number of calls."""
    if not sides:
        return
    named = ", ".join(
        f"{side or '(no name)'!r} in {count} call{'' if count == 1 else 's'}" for side, count in sides.items()
    )
    session.warn(f"neither operator nor client: {named}; measures and checks by speaker leave out what they say")


def average_words(scores: "Group") -> str:
    """Returns `81.2`, where scores were set by hand with the rules' own average; `–` without a score."""
    by_rules = "" if scores.rules_average is None else f"; by rules {scores.rules_average:.1f}"
    by_hand = f" ({scores.overridden} set by hand{by_rules})" if scores.overridden else ""
    return "–" if scores.average is None else f"{scores.average:.1f}{by_hand}"
