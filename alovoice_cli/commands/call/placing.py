"""`alovoice call out`, `ivr` and `conference`: places one call, or those of a list.

A single call loads neither batches nor events: the modules for `--batch` and `--wait` are imported when needed.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from alovoice_cli.commands.batch_options import (
    CALL_PANEL,
    REQUIRED_PANEL,
    DiallingCommand,
    batch_options,
    need_all,
    refuse_batch_options,
    refuse_with_batch,
    run,
)
from alovoice_cli.commands.call import CallWaitingCommand, Wait
from alovoice_cli.commands.options import examples
from alovoice_cli.errors import CheckFailedError, ExitCode, UsageError
from alovoice_cli.language import joined, joined_hints, mark, tr
from alovoice_cli.moments import DailyHours, parse_zone
from alovoice_cli.output.listing import Column, Record
from alovoice_cli.phones import canonical, parse_dialled, read_cell, sent_as, trouble_text
from alovoice_cli.session import Session

if TYPE_CHECKING:
    from alovoice_cli.api.call import Party

_COLUMNS = (Column("receipt", "Receipt"), Column("answer", "Answer"))
OUT_EXAMPLES = examples(
    "alovoice call out --inner-phone 2424 --number +998901234567",
    "alovoice call out --inner-phone 2424 --number +998901234567 --wait",
    "alovoice call out --batch clients.csv --map number=Телефон --inner-phone 2424 --rate 10/m --confirm 312",
)
IVR_EXAMPLES = examples(
    "alovoice call ivr --callto 901234567 --ivrid 222 --fromline 712037006 --lang uz",
    "alovoice call ivr --batch debtors.csv --ivrid 222 --fromline 712037006 --window 10:00-19:00 --confirm 48",
)
CONFERENCE_EXAMPLES = examples(
    "alovoice call conference --callfrom 712037006 --callto 994412860:ru --callto 977076909:uz",
    "alovoice call conference --from 712037006:uz --queue 6000",
    "alovoice call conference --batch - --callfrom 712037006 --rate 2/m < meetings.jsonl",
)
EXTENSION_LENGTHS = range(2, 6)


_option: Any = partial(typer.Option, rich_help_panel=CALL_PANEL)
_required: Any = partial(typer.Option, rich_help_panel=REQUIRED_PANEL)


Encoding = Annotated[
    Literal["json", "multipart", "form", "vendor-curl"] | None,
    _option("--encoding", metavar="FORM", help="Format: json, multipart, form or vendor-curl."),
]
ExternalId = Annotated[
    str | None, _option("--extid", metavar="ID", help="Your id of the call, for its result (default: new).")
]
NoCheck = Annotated[bool, _option("--no-check", help="Call numbers that no numbering plan knows.", show_default=False)]


class PlacingCommand(CallWaitingCommand, DiallingCommand):
    """Places one call, followed by `--wait`, or those of a list."""


def place_call(
    ctx: typer.Context,
    inner_phone: Annotated[
        str | None,
        _required("--inner-phone", "--from", metavar="N", help="Extension that is called first."),
    ] = None,
    number: Annotated[
        str | None,
        _required(
            "--number",
            "--to",
            metavar="PHONE",
            help="Number that is called when the extension answers.",
        ),
    ] = None,
    call_id: Annotated[
        str | None, _option("--call-id", metavar="ID", help="Your id of the call (default: new).")
    ] = None,
    user_id: Annotated[str | None, _option("--user-id", metavar="ID", help="Id of the user in your CRM.")] = None,
    encoding: Encoding = None,
    wait: Wait = None,
    no_check: NoCheck = False,
) -> int:
    """Call an extension and, when it answers, a number. Exit code 1: refused."""
    session: Session = ctx.obj
    given = {"inner_phone": inner_phone, "number": number, "call_id": call_id, "user_id": user_id}
    if batch_options(ctx).source is not None:
        return _place_batch(ctx, given, encoding, wait=wait, no_check=no_check)
    refuse_batch_options(batch_options(ctx), "night_ok", "store")
    typed_extension, typed_phone = need_all(ctx, inner_phone=inner_phone, number=number)
    extension = parse_id(typed_extension, "--inner-phone")
    phone = read_number(session, typed_phone, "--number", no_check=no_check)
    user = parse_id(user_id, "--user-id") if user_id is not None else None

    def place(own_id: str) -> object:
        call = session.client_for(encoding=encoding).call
        return call.out(inner_phone=extension, number=phone, call_id=own_id, user_id=user)

    return _place_one(ctx, place, mark("Call requested"), ("call_id", call_id), wait)


def place_menu_call(
    ctx: typer.Context,
    callto: Annotated[str | None, _required("--callto", "--to", metavar="PHONE", help="Number to call.")] = None,
    ivrid: Annotated[
        str | None,
        _required("--ivrid", "--ivr", metavar="ID", help="Id of the voice menu, from the web console."),
    ] = None,
    fromline: Annotated[
        str | None, _required("--fromline", "--line", metavar="LINE", help="Line to call from.")
    ] = None,
    lang: Annotated[str | None, _option("--lang", metavar="LANG", help="Language of the menu: ru, uz.")] = None,
    extid: ExternalId = None,
    encoding: Encoding = None,
    wait: Wait = None,
    no_check: NoCheck = False,
) -> int:
    """Call a number and play it a voice menu."""
    session: Session = ctx.obj
    given = {"callto": callto, "ivrid": ivrid, "fromline": fromline, "lang": lang, "extid": extid}
    if batch_options(ctx).source is not None:
        return _place_batch(ctx, given, encoding, wait=wait, no_check=no_check)
    refuse_batch_options(batch_options(ctx), "night_ok", "store")
    typed_phone, typed_menu, typed_line = need_all(ctx, callto=callto, ivrid=ivrid, fromline=fromline)
    phone = read_number(session, typed_phone, "--callto", no_check=no_check)
    menu = parse_id(typed_menu, "--ivrid")
    line = parse_dialled(typed_line, "--fromline")

    def place(own_id: str) -> object:
        call = session.client_for(encoding=encoding).call
        return call.ivr(callto=phone, ivrid=menu, fromline=line, lang=lang or "", extid=own_id)

    return _place_one(ctx, place, mark("Voice menu call requested"), ("extid", extid), wait)


def place_conference(
    ctx: typer.Context,
    callfrom: Annotated[
        str | None,
        _required(
            "--callfrom",
            "--from",
            metavar="PHONE[:LANG]",
            help="Initiator: the number that is called first.",
        ),
    ] = None,
    callto: Annotated[
        list[str] | None,
        _required(
            "--callto",
            "--to",
            metavar="PHONE[:LANG]",
            help="Numbers that are called then, in turn; repeatable.",
        ),
    ] = None,
    queue: Annotated[
        str | None, _required("--queue", metavar="N", help="Queue to connect, instead of --callto.")
    ] = None,
    extid: ExternalId = None,
    encoding: Encoding = None,
    wait: Wait = None,
    no_check: NoCheck = False,
) -> int:
    """Call one person, then connect them to others or to a queue.

    When the initiator answers, the numbers of --callto are called in turn until one answers.
    """
    session: Session = ctx.obj
    given = {"callfrom": callfrom, "callto": callto, "queue": queue, "extid": extid}
    if batch_options(ctx).source is not None:
        return _place_batch(ctx, given, encoding, wait=wait, no_check=no_check)
    refuse_batch_options(batch_options(ctx), "night_ok", "store")
    if (queue is None) == (not callto):
        raise UsageError(
            tr("name whom to connect, once"), hint=tr("give either --callto PHONE, which is repeatable, or --queue N")
        )
    (typed_initiator,) = need_all(ctx, callfrom=callfrom)
    initiator = read_party(session, typed_initiator, "--callfrom", no_check=no_check)
    parties = [read_party(session, text, "--callto", no_check=no_check) for text in callto or ()]
    number = parse_id(queue, "--queue") if queue is not None else ""

    def place(own_id: str) -> object:
        call = session.client_for(encoding=encoding).call
        return call.conference(callfrom=initiator, callto=parties, queue=number, extid=own_id)

    return _place_one(ctx, place, mark("Conference requested"), ("extid", extid), wait)


def _place_batch(
    ctx: typer.Context,
    given: Mapping[str, str | Sequence[str] | None],
    encoding: str | None,
    *,
    wait: str | None,
    no_check: bool,
) -> int:
    """Places the calls of a list; `given` are values for rows without their own."""
    refuse_with_batch(wait=wait, no_check=no_check)
    return run(ctx.obj, f"call {ctx.command.name}", batch_options(ctx)._replace(encoding=encoding), given)


def _place_one(
    ctx: typer.Context, place: Callable[[str], object], title: str, own_id: tuple[str, str | None], wait: str | None
) -> int:
    """Places a call by `place(id)` and shows its receipt, its id, and the PBX's whole answer.

    `own_id` is the field of the call's id, and the given id. With `wait` the call is followed to its end. Returns the
    exit code.
    """
    session: Session = ctx.obj
    check_hours(session, night_ok=batch_options(ctx).night_ok)
    field, given = own_id
    if wait is None:
        named = {field: given or session.ledger.make_id()}
        answer = place(named[field])
        fields = {"receipt": session.last_receipt, **named, "answer": answer}
        session.show(Record(fields, title=tr(title), columns=_COLUMNS))
        return ExitCode.DONE
    from alovoice_cli.commands.call.waiting import follow, read_patience

    patience = read_patience(session, wait)
    named = {field: given or session.ledger.make_id()}
    return follow(session, named, partial(place, named[field]), patience)


def read_number(session: Session, text: str, option: str, *, no_check: bool) -> str:
    """Returns the number to ring, read as in lists: any spelling, or an extension of 2 to 5 digits.

    Raises UsageError for text that is no number, CheckFailedError for a number outside all telephone plans.
    """
    key, typed = canonical(text), text.strip()
    if len(key) in EXTENSION_LENGTHS:
        sent = key
    elif (verdict := read_cell(text)).number:
        sent = sent_as(verdict.number, text)
    elif no_check or not any(letter.isdigit() for letter in text):
        return parse_dialled(text, option)
    else:
        trouble, advice = trouble_text(verdict.code, text)
        unchecked = tr("--no-check calls it as it is written")
        hint = joined_hints(advice, unchecked) if advice else unchecked
        raise CheckFailedError(tr("{option} {problem}: nothing was sent", option=option, problem=trouble), hint=hint)
    if sent != typed:
        session.note(tr("{option} {value} is sent as {number}", option=option, value=repr(typed), number=sent))
    return sent


def read_party(session: Session, text: str, option: str, *, no_check: bool) -> "Party":
    """Returns `PHONE[:LANG]` as a party, see `read_number`."""
    from alovoice_cli.api.call import Party
    from alovoice_cli.batch.plan import BadCellError, split_party

    try:
        phone, lang = split_party(text)
    except BadCellError as problem:
        raise UsageError(joined(" ", (option, problem.message)), hint=problem.hint) from problem
    return Party(read_number(session, phone, option, no_check=no_check), lang.lower())


def check_hours(session: Session, *, night_ok: bool) -> None:
    """Raises CheckFailedError in quiet hours of the profile; in the default quiet hours prints a remark."""
    settings = session.settings
    quiet = DailyHours.parse(settings.quiet_hours)
    local = session.now().astimezone(parse_zone(settings.timezone))
    if night_ok or quiet is None or not quiet.hold(local):
        return
    now = f"{local:%H:%M}"
    if settings.origin["quiet_hours"].startswith("profile") and not session.options.dry_run:
        raise CheckFailedError(
            tr("it is {time}, in the profile's quiet hours {hours}: nothing was sent", time=now, hours=quiet),
            hint=tr("if this is intended, give --night-ok"),
        )
    session.note(tr("it is {time}, in the quiet hours {hours}", time=now, hours=quiet))


def parse_id(text: str, option: str) -> str:
    """Returns a typed number or name of the PBX (extension, queue, menu, user). Raises UsageError for spaces or ''."""
    typed = text.strip()
    if not typed or not typed.isprintable() or " " in typed:
        raise UsageError(
            tr("{option} {value} is not a number of the PBX", option=option, value=repr(text)),
            hint=tr("see `alovoice peers`, or the web console"),
        )
    return typed
