"""`alovoice ai list`: the analyses that are kept on this machine."""

from collections.abc import Iterator
from typing import Annotated

import typer

from alovoice_cli.commands.ai.selection import Peer, Since, Tags, Until, WithoutTags, clock_of, read_wanted
from alovoice_cli.commands.global_options import shows_list
from alovoice_cli.commands.options import examples
from alovoice_cli.output.columns import Column
from alovoice_cli.output.listing import ListedItem, Listing
from alovoice_cli.session import Session
from alovoice_cli.speech.exports import began
from alovoice_cli.speech.measures import measure
from alovoice_cli.speech.talk import Wanted, clock

EXAMPLES = examples(
    "alovoice ai list --since 7d --without-tag Приветствие",
    "alovoice ai list --since 7d --tag Жалоба --json | jq -r '.[].call_id'",
)
COLUMNS = (
    Column("call_id", "Call"),
    Column("began", "Began"),
    Column("peer", "Extension", numeric=True),
    Column("length", "Length", numeric=True),
    Column("operator", "Operator", numeric=True),
    Column("tags", "Tags"),
    Column("phrases", "Phrases", shown=False, numeric=True),
    Column("silence", "Silence", shown=False, numeric=True),
)


@shows_list(COLUMNS)
def list_analyses(
    ctx: typer.Context,
    since: Since = None,
    until: Until = None,
    tags: Tags = None,
    without_tags: WithoutTags = None,
    peer: Peer = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=0, help="The latest N; 0 for all.")] = 50,
) -> None:
    """List the analyses that `ai result` kept, the latest call first. Asks nobody."""
    session: Session = ctx.obj
    wanted = read_wanted(session, since, until, tags, without_tags, peer)
    if limit and (count := session.analyses.count(wanted)) > limit:
        session.note(f"the latest {limit} of {count}; --limit 0 shows all")
    nothing = "no analysis is kept here" + (" that fits" if wanted != Wanted() else "; `alovoice ai result` keeps them")
    session.show(Listing(_rows(session, wanted, limit), COLUMNS, nothing=nothing))


def _rows(session: Session, wanted: Wanted, limit: int) -> Iterator[ListedItem]:
    zone = clock_of(session).zone
    for kept in session.analyses.all(wanted, limit=limit):
        talk = kept.talk
        figures = measure(talk)
        whole: dict[str, object] = {
            "call_id": kept.call_id,
            "begun_at": kept.begun_at,
            "kept_at": kept.kept_at,
            "peer": kept.peer,
            "phrases": len(talk.fragments),
            "tags": list(talk.tag_names),
            **figures.as_json(),
        }
        cells = {
            "began": began(kept.begun_at, zone),
            "length": clock(figures.length_ms),
            "operator": _percent(figures.talk_ratio),
            "silence": _percent(figures.silence_share),
        }
        yield ListedItem({**whole, **cells}, whole)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"
