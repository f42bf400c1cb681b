"""`alovoice call conference`: rings the initiator, then connects them."""

from functools import partial
from typing import Annotated, Any

import typer

from alovoice_cli.commands import many
from alovoice_cli.commands.call.parties import (
    Encoding,
    ExternalId,
    NoCheck,
    check_hours,
    parse_id,
    place_and_show,
    read_party,
)
from alovoice_cli.commands.call.waiting import Wait, read_patience
from alovoice_cli.commands.options import examples
from alovoice_cli.errors import UsageError
from alovoice_cli.session import Session

EXAMPLES = examples(
    "alovoice call conference --callfrom 712037006 --callto 994412860:ru --callto 977076909:uz",
    "alovoice call conference --from 712037006:uz --queue 6000",
    "alovoice call conference --batch - --callfrom 712037006 --rate 2/m < meetings.jsonl",
)


@many.takes_batch("dials")
def place_conference(
    ctx: typer.Context,
    callfrom: Annotated[
        str | None,
        typer.Option("--callfrom", "--from", metavar="PHONE[:LANG]", help="Who is rung first: the initiator."),
    ] = None,
    callto: Annotated[
        list[str] | None,
        typer.Option("--callto", "--to", metavar="PHONE[:LANG]", help="Who is rung then, in turn; repeatable."),
    ] = None,
    queue: Annotated[str | None, typer.Option("--queue", metavar="N", help="A queue instead of phones.")] = None,
    extid: ExternalId = None,
    encoding: Encoding = None,
    wait: Wait = None,
    no_check: NoCheck = False,
    **words: Any,
) -> int:
    """Ring one person and, when they answer, connect them: to whoever of a list answers first, or to a queue."""
    session: Session = ctx.obj
    if words["batch"] is not None:
        many.refuse_with_batch(wait=wait, no_check=no_check)
        given = {"callfrom": callfrom, "callto": callto, "queue": queue, "extid": extid}
        return many.run(session, "call conference", {**words, "encoding": encoding}, given)
    many.refuse_batch_words(words, "night_ok")
    if (queue is None) == (not callto):
        raise UsageError("say once whom to connect", hint="either --callto PHONE, repeated, or --queue N")
    initiator = read_party(session, many.needed(callfrom, "--callfrom"), "--callfrom", no_check=no_check)
    parties = [read_party(session, text, "--callto", no_check=no_check) for text in callto or ()]
    number = parse_id(queue, "--queue") if queue is not None else ""
    check_hours(session, night_ok=words["night_ok"])
    patience, call_id = read_patience(session, wait), extid or session.ledger.make_id()
    ask = session.client_for(encoding=encoding).call.conference
    place = partial(ask, callfrom=initiator, callto=parties, queue=number, extid=call_id)
    return place_and_show(session, {"extid": call_id}, place, "Conference asked for", patience)
