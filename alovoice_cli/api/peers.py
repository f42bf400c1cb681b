"""The PBX's extensions."""

from typing import TYPE_CHECKING

from alovoice_cli.api.endpoints import GETPEERS
from alovoice_cli.api.reply import Reply, UnreadableError
from alovoice_cli.api.request import Request
from alovoice_cli.api.types import Peer

if TYPE_CHECKING:
    from alovoice_cli.api.client import Client

LIST = Request(GETPEERS, GETPEERS.path, command="peers")


class PeersApi:
    """`client.peers`."""

    def __init__(self, client: "Client") -> None:
        self._client = client

    def list(self) -> list[Peer]:
        """The extensions (getpeers), secrets included: who shows them masks them."""
        return self._client.send(LIST, _read)


def _read(reply: Reply) -> list[Peer]:
    value = reply.json()
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise UnreadableError("the answer is no list of extensions")
    return value
