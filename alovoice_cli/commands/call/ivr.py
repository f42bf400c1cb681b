"""`alovoice call ivr`: rings somebody and plays them a voice menu."""

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
    read_number,
)
from alovoice_cli.commands.call.waiting import Wait, read_patience
from alovoice_cli.commands.options import examples
from alovoice_cli.phones import parse_dialled
from alovoice_cli.session import Session

EXAMPLES = examples(
    "alovoice call ivr --callto 901234567 --ivrid 222 --fromline 712037006 --lang uz",
    "alovoice call ivr --batch debtors.csv --ivrid 222 --fromline 712037006 --window 10:00-19:00 --confirm 48",
)


@many.takes_batch("dials")
def place_menu_call(
    ctx: typer.Context,
    callto: Annotated[str | None, typer.Option("--callto", "--to", metavar="PHONE", help="Who is rung.")] = None,
    ivrid: Annotated[
        str | None, typer.Option("--ivrid", "--ivr", metavar="ID", help="The menu's id, from the web console.")
    ] = None,
    fromline: Annotated[
        str | None, typer.Option("--fromline", "--line", metavar="LINE", help="The line to call by.")
    ] = None,
    lang: Annotated[str | None, typer.Option("--lang", metavar="LANG", help="The menu's language: ru, uz.")] = None,
    extid: ExternalId = None,
    encoding: Encoding = None,
    wait: Wait = None,
    no_check: NoCheck = False,
    **words: Any,
) -> int:
    """Ring somebody by one of the PBX's lines and play them a voice menu."""
    session: Session = ctx.obj
    if words["batch"] is not None:
        many.refuse_with_batch(wait=wait, no_check=no_check)
        given = {"callto": callto, "ivrid": ivrid, "fromline": fromline, "lang": lang, "extid": extid}
        return many.run(session, "call ivr", {**words, "encoding": encoding}, given)
    many.refuse_batch_words(words, "night_ok")
    phone = read_number(session, many.needed(callto, "--callto"), "--callto", no_check=no_check)
    menu = parse_id(many.needed(ivrid, "--ivrid"), "--ivrid")
    line = parse_dialled(many.needed(fromline, "--fromline"), "--fromline")
    check_hours(session, night_ok=words["night_ok"])
    patience, call_id = read_patience(session, wait), extid or session.ledger.make_id()
    ask = session.client_for(encoding=encoding).call.ivr
    place = partial(ask, callto=phone, ivrid=menu, fromline=line, lang=lang or "", extid=call_id)
    return place_and_show(session, {"extid": call_id}, place, "Menu call asked for", patience)
