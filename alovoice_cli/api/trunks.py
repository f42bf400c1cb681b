"""The PBX's lines."""

from alovoice_cli.api.endpoints import GET_MY_TRUNKS
from alovoice_cli.api.reply import Reply, UnreadableError
from alovoice_cli.api.request import Request
from alovoice_cli.api.sending import Sends

LIST = Request(GET_MY_TRUNKS, GET_MY_TRUNKS.path, command="trunks")


class Trunks:
    """`client.trunks`."""

    def __init__(self, client: Sends) -> None:
        self._client = client

    def list(self) -> list[str | int]:
        """The numbers of the lines (getMyTrunks) as they come: text, by the document's sample."""
        return self._client.send(LIST, read_lines)


def read_lines(reply: Reply) -> list[str | int]:
    """The lines in an answer of getMyTrunks. Raises UnreadableError for another one."""
    value = reply.json()
    if not isinstance(value, list) or not all(isinstance(item, (str, int)) for item in value):
        raise UnreadableError("the answer is no list of lines")
    return value
