"""Auto-dial campaigns (document, "Методы для запуска и настройки автообзвонов по API")."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypedDict, cast

from alovoice_cli.api.endpoints import ADD_AUTORULE, GET_AUTORULE
from alovoice_cli.api.reply import Reply
from alovoice_cli.api.request import FilePart, Multipart, Request, segment
from alovoice_cli.api.transport import Progress
from alovoice_cli.errors import AlovoiceError, NotFoundError, RefusedError
from alovoice_cli.language import tr
from alovoice_cli.masking import disarm
from alovoice_cli.phones import canonical

if TYPE_CHECKING:
    from alovoice_cli.api.client import Client

_GONE = 410
_UNKNOWN_WORDS = (
    "not found",
    "notfound",
    "no such",
    "there is no",
    "does not exist",
    "не найден",
    "не существует",
    "topilmadi",
)


class Campaign(TypedDict, total=False):
    """The answer of addAutorule and getAutorule. Numbers may be text: `maxline` is in both samples.

    `from` and `to` are `YYYY-MM-DD`, `totime` ends with `:59`, `trunks` are the server's own ids.
    """

    id: int | str
    name: str
    fromtime: str
    totime: str
    trunks: list[str]
    record: str
    recipients: int | str
    maxline: int | str
    goodtime: int | str
    tryes: int | str
    paused: int | str
    status: str
    timezone: int | str
    updatedAt: str
    createdAt: str


class AutoruleApi:
    """`client.autorule`."""

    def __init__(self, client: "Client") -> None:
        self._client = client

    def create(
        self,
        fields: Mapping[str, str],
        *,
        record: FilePart,
        recipients: FilePart,
        numbers: Sequence[str] = (),
        campaign: object = None,
        planned: int = 1,
        progress: Progress | None = None,
    ) -> Campaign:
        """Creates a campaign (addAutorule).

        `fields` are the form's texts as the document spells them: name, from and to (`YYYY.MM.DD`), fromtime and totime
        (`HH:MM`), trunks (`A,B`), and optional maxline, goodtime (seconds), tryes, paused (`0` or `1`), timezone (`utc
        +5`). For the ledger: `numbers`, if they are few; `campaign`, the record beside the form; `planned`, the number
        of campaigns of this command.
        """
        files = {"record": record.filename, "recipients": recipients.filename}
        request = Request(
            ADD_AUTORULE,
            ADD_AUTORULE.path,
            # The order of the vendor's curl example.
            Multipart((("record", record), ("recipients", recipients), *fields.items())),
            command="autorule create",
            numbers=tuple(canonical(number) for number in numbers),
            summary={**files, **fields},
            campaign=campaign,
            planned=planned,
        )
        return self._client.send(request, _read, progress=progress)

    def get(self, autorule_id: str) -> Campaign:
        """Returns a campaign by its id (getAutorule). Raises NotFoundError for an unknown id."""
        path = f"/mapi/getAutorule/{segment(str(autorule_id))}"
        try:
            return self._client.send(
                Request(GET_AUTORULE, path, command="autorule get"), lambda reply: _read_known(reply, autorule_id)
            )
        except NotFoundError as error:
            raise _no_campaign(autorule_id, error) from error
        except RefusedError as error:
            if error.status == _GONE or _says_unknown(error.detail):
                raise _no_campaign(autorule_id, error) from error
            raise


def _no_campaign(autorule_id: str, error: AlovoiceError | None = None) -> NotFoundError:
    return NotFoundError(
        tr("there is no campaign {id}", id=disarm(str(autorule_id))),
        hint=tr(
            "`alovoice autorule list` shows the campaigns that were created from here; `alovoice status` shows whether"
            " this is the right PBX"
        ),
        detail=error.detail if error else "",
        status=error.status if error else None,
    )


def _says_unknown(answer: str) -> bool:
    """Returns whether a refusal means an unknown campaign. The document names no answer for an unknown id."""
    text = answer.strip().strip('"').lower()
    return text == "false" or any(words in text for words in _UNKNOWN_WORDS)


def _read_known(reply: Reply, autorule_id: str) -> Campaign:
    """Returns the campaign; an empty answer of any form means that the campaign does not exist."""
    if not reply.text().strip() or reply.json_or_text() in (None, [], {}, ""):
        raise _no_campaign(autorule_id)
    return _read(reply)


def _read(reply: Reply) -> Campaign:
    return cast(Campaign, reply.json_object())
