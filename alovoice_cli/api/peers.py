"""The PBX's extensions."""

from typing import TYPE_CHECKING, TypedDict

from alovoice_cli.api.endpoints import GETPEERS
from alovoice_cli.api.reply import Reply, UnreadableError
from alovoice_cli.api.request import Request
from alovoice_cli.language import tr

if TYPE_CHECKING:
    from alovoice_cli.api.client import Client


class Peer(TypedDict, total=False):
    """An extension, in the long or the short form. `secret`, `windowsapp` and `mobileqr` are secrets."""

    id: int
    number: int | str
    username: int | str
    secret: str
    type: str
    paystatus: str
    status: str
    block: int
    dnd: bool
    isws: bool
    lastip: str | None
    isdef: object
    extnumber: str
    rule: int
    trunk_id: int
    amoid: object
    bxid: object
    windowsapp: str
    mobileqr: str
    payto: int


LIST = Request(GETPEERS, GETPEERS.path, command="peers")


class PeersApi:
    """`client.peers`."""

    def __init__(self, client: "Client") -> None:
        self._client = client

    def list(self) -> list[Peer]:
        """Returns the extensions (getpeers) with their secrets: the caller masks them."""
        return self._client.send(LIST, _read)


def _read(reply: Reply) -> list[Peer]:
    value = reply.json()
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise UnreadableError(tr("the response is not a list of extensions"))
    return value
