"""Calls: conference and IVR on request, and the call from the CRM (document, "Конференц-звонок", "Звонок из CRM")."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from alovoice_cli.api.endpoints import OUTCALL, REQUESTCALL
from alovoice_cli.api.reply import Reply
from alovoice_cli.api.request import Fields, Request, number_or_text
from alovoice_cli.phones import canonical

if TYPE_CHECKING:
    from alovoice_cli.api.client import Client


class Party(NamedTuple):
    """A person to ring, and the language of the sound files; without `lang` the server uses `ru`."""

    phone: str
    lang: str = ""

    def as_json(self) -> dict[str, str]:
        """Returns the form on the wire."""
        return {"phone": self.phone, "lang": self.lang} if self.lang else {"phone": self.phone}


class CallApi:
    """`client.call`. All three methods dial: a request is repeated only if it certainly never left."""

    def __init__(self, client: "Client") -> None:
        self._client = client

    def conference(self, *, callfrom: Party, callto: Sequence[Party] = (), queue: str = "", extid: str = "") -> object:
        """Rings `callfrom`, then each of `callto` until one answers, or a queue (requestcall).

        Returns the whole answer: it is not documented.
        """
        targets: list[dict[str, str]] = [{"queue": queue}] if queue else [party.as_json() for party in callto]
        fields: dict[str, object] = {"callfrom": callfrom.as_json(), "callto": targets}
        numbers = [callfrom.phone, *(party.phone for party in callto)]
        return self._request("call conference", fields, numbers, extid)

    def ivr(self, *, callto: str, ivrid: str | int, fromline: str | int, extid: str = "", lang: str = "") -> object:
        """Rings `callto` from a line and plays a voice menu (requestcall). Returns the whole answer."""
        fields: dict[str, object] = {
            "callto": callto,  # text in the vendor's sample, where the other two are numbers
            "ivrid": number_or_text(ivrid),
            "fromline": number_or_text(fromline),
        }
        if lang:
            fields["lang"] = lang
        return self._request("call ivr", fields, [callto], extid)

    def out(self, *, inner_phone: str | int, number: str, call_id: str = "", user_id: str | int | None = None) -> bool:
        """Rings an extension, then the number (outcall). Returns True; raises RefusedError for `false`."""
        fields: dict[str, object] = {"call_id": call_id} if call_id else {}
        fields |= {"inner_phone": number_or_text(inner_phone), "number": number}
        if user_id is not None:
            fields["user_id"] = number_or_text(user_id)
        request = Request(
            OUTCALL,
            OUTCALL.path,
            Fields(fields),
            command="call out",
            numbers=(canonical(number),),
            our_id=call_id,
            summary=fields,
        )
        return self._client.send(request, Reply.accepted)

    def _request(self, command: str, fields: dict[str, object], numbers: Sequence[str], extid: str) -> object:
        if extid:
            fields["extid"] = extid
        request = Request(
            REQUESTCALL,
            REQUESTCALL.path,
            Fields(fields),
            command=command,
            numbers=tuple(canonical(number) for number in numbers),
            our_id=extid,
            summary=fields,
        )
        return self._client.send(request, Reply.json_or_text)
