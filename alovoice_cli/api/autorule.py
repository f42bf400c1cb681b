"""Auto-dial campaigns (document, "Методы для запуска и настройки автообзвонов по API")."""

from collections.abc import Mapping, Sequence
from typing import cast

from alovoice_cli.api.courier import Progress
from alovoice_cli.api.endpoints import ADD_AUTORULE, GET_AUTORULE
from alovoice_cli.api.files import FilePart
from alovoice_cli.api.reply import Reply
from alovoice_cli.api.request import Multipart, Request, segment
from alovoice_cli.api.sending import Sends, read_object
from alovoice_cli.api.types import Campaign
from alovoice_cli.phones import canonical


class Autorule:
    """`client.autorule`."""

    def __init__(self, client: Sends) -> None:
        self._client = client

    def create(
        self,
        fields: Mapping[str, str],
        *,
        record: FilePart,
        recipients: FilePart,
        numbers: Sequence[str] = (),
        progress: Progress | None = None,
    ) -> Campaign:
        """Creates a campaign (addAutorule).

        `fields` are the form's texts as the document spells them: name, from and to (`YYYY.MM.DD`), fromtime and totime
        (`HH:MM`), trunks (`A,B`), and where given maxline, goodtime (seconds), tryes, paused (`0` or `1`), timezone
        (`utc +5`). `numbers` are for the ledger, where they are few enough to be named.
        """
        files = {"record": record.filename, "recipients": recipients.filename}
        request = Request(
            ADD_AUTORULE,
            ADD_AUTORULE.path,
            # The order of the vendor's own curl.
            Multipart((("record", record), ("recipients", recipients), *fields.items())),
            command="autorule create",
            numbers=tuple(canonical(number) for number in numbers),
            summary={**files, **fields},
        )
        return self._client.send(request, _read, progress=progress)

    def get(self, autorule_id: str) -> Campaign:
        """A campaign by its id (getAutorule)."""
        path = f"/mapi/getAutorule/{segment(str(autorule_id), 'the id')}"
        return self._client.send(Request(GET_AUTORULE, path, command="autorule get"), _read)


def _read(reply: Reply) -> Campaign:
    return cast(Campaign, read_object(reply))
