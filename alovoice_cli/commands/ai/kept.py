"""`alovoice ai list`, `ai show`, `ai prune`: the analyses that are stored on this machine, without asking the PBX."""

from collections.abc import Iterator
from datetime import tzinfo
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from alovoice_cli.commands.ai import Peer, Since, Tags, Until, WithoutTags, calls_of, read_wanted
from alovoice_cli.commands.ai.showing import COLUMNS, AiShowOptions, Force, Format, MaskNumbers, Output, show_talks
from alovoice_cli.commands.global_options import shows_list
from alovoice_cli.commands.options import examples
from alovoice_cli.errors import UsageError
from alovoice_cli.language import mark, ngettext, spaced, tr
from alovoice_cli.moments import minute_text, parse_span
from alovoice_cli.output.listing import Column, ListedItem, Listing
from alovoice_cli.session import Session
from alovoice_cli.speech.exports import FoundTalk
from alovoice_cli.speech.measures import measure
from alovoice_cli.speech.talk import Wanted, clock

if TYPE_CHECKING:
    from alovoice_cli.events.event import Call
    from alovoice_cli.events.peer_names import PeerNames
    from alovoice_cli.stores.analyses import Kept

LIST_EXAMPLES = examples(
    "alovoice ai list --since 7d --without-tag Приветствие",
    "alovoice ai list --since 7d --tag Жалоба --json | jq -r '.[].call_id'",
)
_OF_CALL = {
    "number": mark("Number"),
    "line": mark("Line"),
    "direction": mark("Direction"),
    "status": mark("Status"),
    "duration": mark("Seconds"),
    "event_call_id": mark("Event call id"),
}
_AT_ONCE = 200
LIST_COLUMNS = (
    Column("call_id", "Call"),
    Column("began", "Began"),
    Column("peer", "Extension"),
    Column("length", "Length", numeric=True),
    Column("operator", "Operator", numeric=True),
    Column("tags", "Tags"),
    Column("phrases", "Phrases", shown=False, numeric=True),
    Column("silence", "Silence", shown=False, numeric=True),
    *(Column(name, title, shown=False) for name, title in _OF_CALL.items()),
)


@shows_list(LIST_COLUMNS)
def list_analyses(
    ctx: typer.Context,
    since: Since = None,
    until: Until = None,
    tags: Tags = None,
    without_tags: WithoutTags = None,
    peer: Peer = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=0, help="Maximum number of rows; 0: all.")] = 50,
) -> None:
    """List the stored analyses, newest call first.

    Nothing is sent. The extension and, with --json or --columns, number, line, direction, status and seconds come
    from the event store, which knows calls by the id of the PBX.
    """
    session: Session = ctx.obj
    wanted = read_wanted(session, since, until, tags, without_tags, peer)
    if limit and (count := session.analyses.count(wanted)) > limit:
        session.note(tr("the latest {limit} of {all} are shown; --limit 0 shows all", limit=limit, all=spaced(count)))
    nothing = tr("no analysis is stored on this computer; `alovoice ai result` stores them")
    if wanted != Wanted():
        nothing = tr("no stored analysis matches")
    session.show(Listing(_rows(session, wanted, limit), LIST_COLUMNS, nothing=nothing))


def _rows(session: Session, wanted: Wanted, limit: int) -> Iterator[ListedItem]:
    kept = session.analyses.all(wanted, limit=limit)
    while part := list(islice(kept, _AT_ONCE)):
        calls = calls_of(session, [one.call_id for one in part])
        yield from (_row(one, calls.get(one.call_id), session.peer_names, session.clock.zone) for one in part)


def _row(kept: "Kept", call: "Call | None", names: "PeerNames", zone: tzinfo) -> ListedItem:
    talk = kept.talk
    figures = measure(talk)
    whole: dict[str, object] = {
        "call_id": kept.call_id,
        "begun_at": kept.begun_at,
        "kept_at": kept.kept_at,
        "peer": kept.peer,
        "peer_name": names.names.get(kept.peer or ""),
        "phrases": len(talk.fragments),
        "tags": list(talk.tag_names),
        **figures.as_json(),
        **{name: getattr(call, name, None) for name in _OF_CALL if name != "event_call_id"},
        "event_call_id": getattr(call, "call_id", None),
    }
    cells = {
        "began": minute_text(kept.begun_at, zone),
        "peer": names.label(kept.peer),
        "length": clock(figures.length_ms),
        "operator": _percent(figures.talk_ratio),
        "silence": _percent(figures.silence_share),
    }
    return ListedItem({**whole, **cells}, whole)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"


SHOW_EXAMPLES = examples(
    "alovoice ai show 8001", "alovoice ai show 8001 8002 --format html -o calls.html --mask-numbers"
)


@shows_list(COLUMNS)
def show_stored(
    ctx: typer.Context,
    call_ids: Annotated[list[str], typer.Argument(metavar="CALL_ID...", help="Id of the call, as `ai list` shows it.")],
    form: Format = None,
    output: Output = None,
    force: Force = False,
    mask_numbers: MaskNumbers = False,
) -> None:
    """Show analyses that are stored on this computer.

    Nothing is sent.
    """
    session: Session = ctx.obj
    call_ids = list(dict.fromkeys(call_ids))
    shown = AiShowOptions(form, output, force, mask_numbers)
    shown.check(session, call_ids)
    kept = {call_id: session.analyses.get(call_id) for call_id in call_ids}
    if missing := [call_id for call_id, one in kept.items() if one is None]:
        raise UsageError(
            tr(
                "PBX {profile}: no analysis is stored on this computer for call {calls}",
                profile=session.analyses.profile,
                calls=", ".join(missing),
            ),
            hint=tr(
                "`alovoice ai result {call}` fetches it; `alovoice ai list` shows the stored analyses", call=missing[0]
            ),
        )
    found = [FoundTalk(one.call_id, one.answer, one.peer) for one in kept.values() if one is not None]
    whole: object = found[0].answer
    if len(found) > 1:
        whole = [{"call_id": one.call_id, "answer": one.answer} for one in found]
    show_talks(session, found, shown, whole=whole)


PRUNE_EXAMPLES = examples("alovoice ai prune --older-than 90d --dry-run", "alovoice ai prune --older-than 90d --yes")


def prune_analyses(
    ctx: typer.Context,
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="SPAN", help="Delete analyses of calls older than this: 90d, 26w.")
    ],
) -> None:
    """Delete the analyses of old calls.

    They are deleted permanently, for the profile in use. --dry-run counts them and deletes nothing.
    """
    session: Session = ctx.obj
    span = parse_span(older_than, "--older-than")
    try:
        before = int((session.now() - span).timestamp())
    except OverflowError:
        message = tr("--older-than {span!r} is too long", span=older_than)
        raise UsageError(message, hint=tr("give 90d, 26w")) from None
    store = session.analyses
    count = store.count(Wanted(until=before))
    if session.options.dry_run:
        words = ngettext(
            "{n} analysis of PBX {profile} would be deleted",
            "{n} analyses of PBX {profile} would be deleted",
            count,
            profile=store.profile,
        )
        session.report(words, pruned=0, would_prune=count)
        return
    if not count:
        session.report(tr("no analysis is that old"), pruned=0)
        return
    session.display.confirm_on_terminal(
        ngettext(
            "Delete {n} analysis of PBX {profile} permanently?",
            "Delete {n} analyses of PBX {profile} permanently?",
            count,
            profile=store.profile,
        )
    )
    count = store.prune(before)
    words = ngettext(
        "{n} analysis of PBX {profile} deleted", "{n} analyses of PBX {profile} deleted", count, profile=store.profile
    )
    session.report(words, pruned=count)
