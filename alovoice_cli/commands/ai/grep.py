"""`alovoice ai grep`: finds phrases, in any of their spellings."""

import unicodedata
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import typer

from alovoice_cli.commands.ai import Peer, Since, Tags, Until, WithoutTags, read_wanted
from alovoice_cli.commands.global_options import shows_list
from alovoice_cli.commands.options import examples
from alovoice_cli.errors import UsageError
from alovoice_cli.language import spaced, tr
from alovoice_cli.moments import minute_text
from alovoice_cli.output.listing import Column, Dialogue, ListedItem, Listing, Said, tone_by
from alovoice_cli.session import Session
from alovoice_cli.speech.exports import names, side_of
from alovoice_cli.speech.number_masking import mask_fragments
from alovoice_cli.speech.phrases import SoughtPhrase, find_phrase, read_phrase
from alovoice_cli.speech.talk import Fragment, Wanted, clock

if TYPE_CHECKING:
    from alovoice_cli.stores.analyses import Kept

EXAMPLES = examples(
    "alovoice ai grep \"qo'ng'iroq\" --since 7d",
    "alovoice ai grep возврат --speaker client -C 2",
    "alovoice ai grep karta --json | jq -r '.[].call_id'",
)
COLUMNS = (
    Column("call_id", "Call"),
    Column("time", "Time"),
    Column("direction", "Who", tone=tone_by("direction", {"operator": "first", "client": "second"})),
    Column("text", "Said"),
    Column("match", "Match", shown=False),
    Column("began", "Began", shown=False),
    Column("peer", "Extension", shown=False),
    Column("tags", "Tags", shown=False),
)


class Hit(NamedTuple):
    """A call with the places of its phrases to show: matching ones with marks, and those around without."""

    kept: "Kept"
    phrases: dict[int, list[tuple[int, int]]]


@shows_list(COLUMNS)
def grep_phrases(
    ctx: typer.Context,
    pattern: Annotated[str, typer.Argument(metavar="PATTERN", help="Word, part of a word, or several words in a row.")],
    speaker: Annotated[
        Literal["operator", "client"] | None, typer.Option("--speaker", help="Search only what this side said.")
    ] = None,
    context: Annotated[
        int, typer.Option("--context", "-C", metavar="N", min=0, help="Show N phrases before and after each match.")
    ] = 0,
    word: Annotated[bool, typer.Option("--word", "-w", help="Match whole words only.", show_default=False)] = False,
    since: Since = None,
    until: Until = None,
    tags: Tags = None,
    without_tags: WithoutTags = None,
    peer: Peer = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=0, help="Maximum number of calls; 0: all.")] = 0,
    mask_numbers: Annotated[
        bool, typer.Option("--mask-numbers", help="Mask long numbers, also spoken ones.", show_default=False)
    ] = False,
) -> None:
    """Search the stored analyses for words.

    Nothing is sent. One spelling finds the others, Uzbek in Latin and Cyrillic and Russian: oʻ o' ў, gʻ g' ғ, sh ш,
    ch ч and yo ё are equal; case and punctuation do not count.
    """
    session: Session = ctx.obj
    phrase = read_phrase(pattern, word=word)
    if phrase is None:
        message = tr("{pattern!r} has no word to search for", pattern=pattern)
        raise UsageError(message, hint=tr("give a word, or a part of one"))
    wanted = read_wanted(session, since, until, tags, without_tags, peer)
    found = _search(session, phrase, wanted, speaker, context)
    if limit:
        found = _latest(session, found, limit)
    options = session.options
    if session.stdout.isatty() and not (options.json or options.csv or options.columns is not None):
        _show_dialogues(session, found, hide=mask_numbers)
    else:
        session.show(Listing(_rows(session, found, hide=mask_numbers), COLUMNS))


def _search(session: Session, phrase: SoughtPhrase, wanted: Wanted, speaker: str | None, context: int) -> Iterator[Hit]:
    for kept in session.analyses.candidates(phrase.literals, wanted):
        if phrases := find_phrase(kept.talk, phrase, speaker=speaker, context=context):
            yield Hit(kept, phrases)


def _latest(session: Session, found: Iterator[Hit], limit: int) -> Iterator[Hit]:
    yield from islice(found, limit)
    if next(found, None) is not None:
        session.note(tr("the latest {limit} calls are shown; --limit 0 shows all", limit=limit))


def _show_dialogues(session: Session, found: Iterator[Hit], *, hide: bool) -> None:
    zone, calls, phrases = session.clock.zone, 0, 0
    for hit in found:
        fragments = hit.kept.talk.fragments
        masked = mask_fragments(fragments) if hide else None
        said = [
            _said(session, fragments[place], marks, masked[place] if masked else None)
            for place, marks in hit.phrases.items()
        ]
        session.display.write("\n" if calls else "")
        began = minute_text(hit.kept.begun_at, zone)
        title = ", ".join(filter(None, (tr("Call {call}", call=hit.kept.call_id), began)))
        session.display.dialogue(Dialogue(session.masker.hide(title), said))
        calls, phrases = calls + 1, phrases + sum(map(bool, hit.phrases.values()))
    if calls:
        session.note(tr("phrases found: {phrases}, in calls: {calls}", phrases=spaced(phrases), calls=spaced(calls)))
    else:
        session.note(tr("nothing was found"))


def _said(session: Session, part: Fragment, marks: list[tuple[int, int]], masked: str | None) -> Said:
    text = unicodedata.normalize("NFC", part.text)  # the text whose positions the marks count
    shown = session.masker.hide(text if masked is None else masked)
    return Said(part.direction, clock(part.begin_ms), shown, side_of(part), marks if shown == text else [])


def _rows(session: Session, found: Iterator[Hit], *, hide: bool) -> Iterator[ListedItem]:
    zone = session.clock.zone
    for hit in found:
        fragments = hit.kept.talk.fragments
        masked = mask_fragments(fragments) if hide else None
        for place, marks in hit.phrases.items():
            part = fragments[place]
            whole = {
                "call_id": hit.kept.call_id,
                "begun_at": hit.kept.begun_at,
                "peer": hit.kept.peer,
                "begin": part.begin_ms,
                "end": part.end_ms,
                "direction": part.direction,
                "text": part.text if masked is None else masked[place],
                "tags": names(part.tags),
                "match": bool(marks),
            }
            cells = {
                "time": clock(part.begin_ms),
                "began": minute_text(hit.kept.begun_at, zone),
                "peer": session.peer_names.label(hit.kept.peer),
            }
            yield ListedItem({**whole, **cells}, whole)
