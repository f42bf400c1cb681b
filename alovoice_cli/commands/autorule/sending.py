"""The last step of `autorule create`: one campaign, or the several of `--split`, with their papers for the ledger."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from alovoice_cli.api.files import FilePart
from alovoice_cli.api.types import Campaign
from alovoice_cli.campaigns.called import listed_numbers
from alovoice_cli.campaigns.draft import Draft
from alovoice_cli.campaigns.papers import Paper, Papers, describe, make_digest
from alovoice_cli.campaigns.splitting import Piece, SplitLayout, parse_split, split
from alovoice_cli.errors import UsageError
from alovoice_cli.output.columns import Column
from alovoice_cli.output.listing import Listing, Record
from alovoice_cli.session import Session

if TYPE_CHECKING:
    from alovoice_cli.api.client import Client

_COLUMNS = (
    Column("id", "Id", numeric=True),
    Column("name", "Name"),
    Column("from", "Day"),
    Column("status", "Status"),
)


@dataclass(frozen=True, slots=True)
class Order:
    """What is about to be sent: the `pieces` from the part `first` (of 1) on, all under one `digest`."""

    pieces: Sequence[Piece]
    first: int
    audio: BinaryIO
    record: Path
    layout: SplitLayout
    numbers: Sequence[str]
    digest: str
    allow_duplicate: bool


def digest_order(draft: Draft, audio: BinaryIO, people: BinaryIO, *, named: bool, split: str | None) -> str:
    """By what the same order is known when it comes twice: fields, both files, and how it is split.

    All parts of one order share it. `named`: the name was given, and not made here.
    """
    fields = draft.to_wire() | ({"split": split} if split else {})
    return make_digest(fields, describe(audio, "", ""), describe(people, "", ""), named=named)


def cut(
    files: ExitStack, draft: Draft, people: BinaryIO, source: str, layout: SplitLayout, wanted: str | None, first: int
) -> Sequence[Piece]:
    """The campaigns to send: one, or all that `--split` makes, whose lists `files` closes. Raises UsageError."""
    if wanted is None:
        if first > 1:
            raise UsageError("--split-from goes with --split", hint="give the same --split as before")
        return [Piece(draft, people, source)]
    pieces = split(draft, people, layout, parse_split(wanted))
    for piece in pieces:
        files.enter_context(piece.people)
    if first > len(pieces):
        raise UsageError(f"--split-from {first}: there are {len(pieces)} parts", hint="count from 1")
    return pieces


def tell_pieces(session: Session, order: Order) -> None:
    """Says before the question what will be sent where it is more than one campaign."""
    days = [f"{piece.draft.window.first:%Y.%m.%d}" for piece in order.pieces]
    if len(days) > 1:
        remark = f"{len(days)} campaigns, a day each: {days[0]} to {days[-1]}"
        session.note(remark if order.first == 1 else f"{remark}; from part {order.first} on")


def send(session: Session, client: "Client", order: Order) -> None:
    """Sends and shows them, one after the other; what stops it leaves the earlier ones created, and says so."""
    wanted = order.pieces[order.first - 1 :]
    created: list[Campaign] = []
    try:
        for piece in wanted:
            created.append(_send_piece(session, client, order, piece))
            session.note(f"receipt {session.last_receipt}")
    except BaseException:
        if created:
            _tell_rest(session, order, created)
        raise
    if len(order.pieces) == 1:
        session.show(Record(created[0], title=f"Campaign {created[0].get('id', '')}", whole=created[0]))
    else:
        session.show(Listing(created, _COLUMNS))


def _send_piece(session: Session, client: "Client", order: Order, piece: Piece) -> Campaign:
    fields, layout = piece.draft.to_wire(), order.layout
    record = describe(order.audio, order.record.name, str(order.record))
    recipients = describe(piece.people, Path(piece.source or "recipients.csv").name, piece.source)
    papers = Papers(
        fields={},  # the ledger takes them from the request, masked
        digest=order.digest,
        record=_masked(session, record),
        recipients=_masked(session, recipients),
        numbers=listed_numbers(piece.people, layout.encoding, layout.delimiter, layout.columns),
        allow_duplicate=order.allow_duplicate,
    )
    with session.display.transfer("uploading") as moved:
        return client.autorule.create(
            fields,
            record=FilePart(record.name, "audio/mpeg", order.audio, str(order.record)),
            recipients=FilePart(recipients.name, "text/csv", piece.people, piece.source),
            numbers=order.numbers,
            campaign=papers,
            planned=len(order.pieces) - order.first + 1,
            progress=moved,
        )


def _masked(session: Session, paper: Paper) -> Paper:
    """A path may hold a secret: somebody's slip of the clipboard."""
    hide = session.masker.hide
    return Paper(hide(paper.name), hide(paper.path), paper.sha256)


def _tell_rest(session: Session, order: Order, created: Sequence[Campaign]) -> None:
    session.show(Listing(created, _COLUMNS))
    stopped = order.first + len(created)
    session.warn(
        f"{len(created)} of {len(order.pieces)} campaigns are created, as shown; part {stopped} was stopped: when it is"
        f" mended, the same line with --split-from {stopped} goes on (after exit code 6, look in the console first)"
    )
