"""`alovoice autorule create`: checks everything that can be checked here, then creates the campaign once."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from alovoice_cli.campaigns.audio import inspect_mp3
from alovoice_cli.campaigns.draft import Draft, choose_trunks, read_window
from alovoice_cli.campaigns.files import open_list, open_regular
from alovoice_cli.campaigns.recipients import read_recipients
from alovoice_cli.campaigns.splitting import Layout
from alovoice_cli.commands.autorule.filling import FromFile, Like
from alovoice_cli.commands.autorule.sending import Order, Split, SplitFrom, cut, digest_order, send, tell_pieces
from alovoice_cli.commands.options import examples
from alovoice_cli.session import Session

EXAMPLES = examples(
    "alovoice autorule create --record promo.mp3 --recipients clients.csv --name 'Autumn' "
    "--from tomorrow --to +3d --fromtime 10:00 --totime 19:59 --trunks 712037006",
    "alovoice autorule create --record promo.mp3 --recipient 901234567 --name 'Trial' "
    "--from today --to today --fromtime 10:00 --totime 19:59 --trunks all --dry-run",
    "alovoice autorule create --from-file campaign.toml --from tomorrow --to +3d --split 500/day",
)


def create_campaign(
    ctx: typer.Context,
    record: Annotated[Path, typer.Option("--record", metavar="FILE", help="What is played: an MP3 file.")],
    first: Annotated[
        str, typer.Option("--from", metavar="DAY", help="2026.11.24, 2026-11-24, today, tomorrow or +3d.")
    ],
    last: Annotated[str, typer.Option("--to", metavar="DAY", help="The last day, inclusive.")],
    opens: Annotated[str, typer.Option("--fromtime", metavar="HH:MM", help="When calls begin, each day.")],
    closes: Annotated[str, typer.Option("--totime", metavar="HH:MM", help="The last minute of calls, inclusive.")],
    recipients: Annotated[
        str | None, typer.Option("--recipients", metavar="FILE", help="Whom to call: a CSV file, or - for stdin.")
    ] = None,
    numbers: Annotated[
        list[str] | None, typer.Option("--recipient", metavar="NUMBER", help="Whom to call, one by one; repeatable.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", metavar="TEXT", help="Else the audio's name and an id.")] = None,
    trunks: Annotated[
        str | None, typer.Option("--trunks", metavar="A,B|all", help="By which lines; else the profile's.")
    ] = None,
    maxline: Annotated[int | None, typer.Option("--maxline", min=1, help="Most lines at once; the PBX says 1.")] = None,
    goodtime: Annotated[
        int | None, typer.Option("--goodtime", min=0, help="Seconds that make a call successful; the PBX says 3.")
    ] = None,
    tryes: Annotated[int | None, typer.Option("--tryes", min=1, help="Attempts a number; the PBX says 2.")] = None,
    paused: Annotated[bool, typer.Option("--paused/--no-paused", help="Do not start by itself.")] = False,
    timezone: Annotated[
        str | None,
        typer.Option("--timezone", metavar="ZONE", help="'utc +5', +05:00 or Asia/Tashkent; else the profile's."),
    ] = None,
    from_file: FromFile = None,
    like: Like = None,
    split: Split = None,
    split_from: SplitFrom = 1,
) -> None:
    """Create an auto-dial campaign. What is wrong with files, days or lines is said before anything is sent.

    There is no way to change or delete a campaign through the API: look at it with --dry-run first.
    """
    session: Session = ctx.obj
    settings = session.settings
    window = read_window(first, last, opens, closes, timezone or settings.timezone, session.now())
    with ExitStack() as files:
        audio = files.enter_context(open_regular(record))
        people, source = open_list(recipients, numbers, session.stdin)
        files.enter_context(people)
        sound, whom = inspect_mp3(audio, str(record)), read_recipients(people, source or "the list")
        draft = Draft(
            name=name or f"{record.stem} {session.ledger.make_id()}",
            window=window,
            trunks=choose_trunks(trunks, settings.trunks, session.client.trunks.list),
            maxline=maxline,
            goodtime=goodtime,
            tryes=tryes,
            paused=paused,
        )
        layout = Layout(whom.encoding, whom.delimiter, whom.column, whom.header)
        pieces = cut(files, draft, people, source, layout, split, split_from)
        digest = digest_order(draft, audio, people, named=name is not None, split=split)
        order = Order(pieces, split_from, audio, record, layout, numbers or (), digest)
        for remark in whom.notes:
            session.note(remark)
        session.note(f"{draft.summary(whom, sound)} on PBX {settings.profile}")
        tell_pieces(session, order)
        session.display.confirm(f"Create this campaign on PBX {settings.profile}? It cannot be changed afterwards.")
        send(session, order)
