"""`alovoice ai`: speech analyses of recorded calls; here the options that select stored ones, and their calls."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from alovoice_cli.errors import UsageError
from alovoice_cli.language import joined, mark, ngettext, tr
from alovoice_cli.localization import decimal_text
from alovoice_cli.moments import parse_moment
from alovoice_cli.session import Session
from alovoice_cli.speech.talk import Wanted

if TYPE_CHECKING:
    from alovoice_cli.events.event import Call
    from alovoice_cli.speech.score import Group

Since = Annotated[
    str | None,
    typer.Option(
        "--since", metavar="WHEN", help="Calls from this time on: 2h, 7d, today, yesterday, 14:30, 2025-04-25."
    ),
]
Until = Annotated[
    str | None, typer.Option("--until", metavar="WHEN", help="Calls up to this time; a day is included whole.")
]
Tags = Annotated[
    list[str] | None, typer.Option("--tag", metavar="NAME", help="Calls with this tag; repeatable: with all of them.")
]
WithoutTags = Annotated[list[str] | None, typer.Option("--without-tag", metavar="NAME", help="Calls without this tag.")]
Peer = Annotated[str | None, typer.Option("--peer", metavar="N", help="Calls of this extension, where it is known.")]


def read_wanted(
    session: Session,
    since: str | None = None,
    until: str | None = None,
    tags: list[str] | None = None,
    without_tags: list[str] | None = None,
    peer: str | None = None,
) -> Wanted:
    """Returns the filter of the options, and learns the operators of kept calls from the event store first.

    Raises UsageError for an unreadable moment.
    """
    learn_operators(session)
    clock = session.clock
    return Wanted(
        since=None if since in (None, "all") else int(parse_moment(since or "", clock, "--since").at.timestamp()),
        until=None if until is None else int(parse_moment(until, clock, "--until").end.timestamp()),
        tags=tuple(tags or ()),
        without_tags=tuple(without_tags or ()),
        peer=peer,
    )


def calls_of(session: Session, call_ids: Collection[str]) -> "Mapping[str, Call]":
    """Returns the calls of the profile's event store by the PBX's id; none where the store is missing or unreadable."""
    from alovoice_cli.stores.pbx_calls import PbxCalls  # noqa: PLC0415 - not every verb joins calls

    try:
        return PbxCalls(session.event_store_url()).by_id(call_ids)
    except UsageError:
        return {}


def learn_operators(session: Session) -> None:
    """Gives each kept analysis without an extension that of its call, and its time, once the event store knows it."""
    if not (session.analyses.path.exists() and (ids := session.analyses.without_peer())):
        return
    found = {id: (call.peer, call.started_at) for id, call in calls_of(session, ids).items() if call.peer}
    if found:
        session.analyses.join_calls(found)


def refuse_known_otherwise(session: Session, call_ids: Sequence[str]) -> None:
    """Raises UsageError for ids that are not the PBX's, where the event store knows the right ones.

    For requests that cost nothing: an id that the store knows without the PBX's is asked for anyway.
    """
    from alovoice_cli.stores.pbx_calls import PbxCalls  # noqa: PLC0415 - not every verb joins calls

    try:
        strange = PbxCalls(session.event_store_url()).strange_ids(call_ids)
    except UsageError:
        return
    found = [one for one in strange if one.pbx_call_id is not None]
    if found:
        from alovoice_cli.batch.limits import strange_error  # noqa: PLC0415 - only for a wrong id

        raise strange_error(found)


def warn_of_sides(session: Session, sides: Mapping[str, int]) -> None:
    """Warns of speakers that are neither operator nor client; `sides` are their names with the number of calls."""
    if not sides:
        return
    named = joined(
        ", ",
        (
            ngettext("{speaker!r} in {n} call", "{speaker!r} in {n} calls", calls, speaker=side or tr("(no name)"))
            for side, calls in sides.items()
        ),
    )
    text = mark("speakers that are neither operator nor client: {speakers}; measures and checks by speaker ignore them")
    session.warn(tr(text, speakers=named))


def score_word(score: object) -> str:
    """Returns a score as a terminal shows it: `81.2`, in Russian and Uzbek `81,2`."""
    return decimal_text(score) if isinstance(score, float) else str(score)


def average_words(scores: "Group") -> str:
    """Returns `81.2`, where scores were set by hand with the rules' own average; `–` without a score."""
    if scores.average is None:
        return "–"
    average = decimal_text(scores.average)
    if not scores.overridden:
        return average
    by_hand = tr("{average} (set by hand: {number})", average=average, number=scores.overridden)
    if scores.rules_average is None:
        return by_hand
    text = mark("{average} (set by hand: {number}; by rules {rules})")
    return tr(text, average=average, number=scores.overridden, rules=decimal_text(scores.rules_average))
