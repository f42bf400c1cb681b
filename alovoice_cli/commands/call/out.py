"""`alovoice call out`: rings an extension, then the number."""

from functools import partial
from typing import Annotated, Any

import typer

from alovoice_cli.commands import many
from alovoice_cli.commands.call.parties import Encoding, NoCheck, check_hours, parse_id, place_and_show, read_number
from alovoice_cli.commands.call.waiting import Wait, read_patience
from alovoice_cli.commands.options import examples
from alovoice_cli.session import Session

EXAMPLES = examples(
    "alovoice call out --inner-phone 2424 --number +998901234567",
    "alovoice call out --inner-phone 2424 --number +998901234567 --wait",
    "alovoice call out --batch clients.csv --map number=Телефон --inner-phone 2424 --rate 10/m --confirm 312",
)


@many.takes_batch("dials")
def place_call(
    ctx: typer.Context,
    inner_phone: Annotated[
        str | None, typer.Option("--inner-phone", "--from", metavar="N", help="The extension, rung first.")
    ] = None,
    number: Annotated[
        str | None, typer.Option("--number", "--to", metavar="PHONE", help="Who is rung when it answers.")
    ] = None,
    call_id: Annotated[
        str | None, typer.Option("--call-id", metavar="ID", help="Your id of the call; made if left out.")
    ] = None,
    user_id: Annotated[str | None, typer.Option("--user-id", metavar="ID", help="Your CRM's id of the user.")] = None,
    encoding: Encoding = None,
    wait: Wait = None,
    no_check: NoCheck = False,
    **words: Any,
) -> int:
    """Ring an extension and, when it answers, a number, as a click in a CRM does. Refused: exit code 1."""
    session: Session = ctx.obj
    if words["batch"] is not None:
        many.refuse_with_batch(wait=wait, no_check=no_check)
        given = {"inner_phone": inner_phone, "number": number, "call_id": call_id, "user_id": user_id}
        return many.run(session, "call out", {**words, "encoding": encoding}, given)
    many.refuse_batch_words(words, "night_ok")
    extension = parse_id(many.needed(inner_phone, "--inner-phone"), "--inner-phone")
    phone = read_number(session, many.needed(number, "--number"), "--number", no_check=no_check)
    user = parse_id(user_id, "--user-id") if user_id is not None else None
    check_hours(session, night_ok=words["night_ok"])
    patience, own_id = read_patience(session, wait), call_id or session.ledger.make_id()
    place = partial(
        session.client_for(encoding=encoding).call.out,
        inner_phone=extension,
        number=phone,
        call_id=own_id,
        user_id=user,
    )
    return place_and_show(session, {"call_id": own_id}, place, "Call asked for", patience)
