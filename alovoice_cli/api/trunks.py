"""The PBX's lines."""

from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, NamedTuple

from alovoice_cli.api.endpoints import GET_MY_TRUNKS
from alovoice_cli.api.reply import Reply, UnreadableError
from alovoice_cli.api.request import Request
from alovoice_cli.errors import AlovoiceError, ServerError, TokenMissingError
from alovoice_cli.language import tr

if TYPE_CHECKING:
    from alovoice_cli.api.client import Client

LIST = Request(GET_MY_TRUNKS, GET_MY_TRUNKS.path, command="trunks")


class TrunksApi:
    """`client.trunks`."""

    def __init__(self, client: "Client") -> None:
        self._client = client

    def list(self) -> list[str | int]:
        """Returns the numbers of the lines (getMyTrunks) unchanged: text, by the document's sample."""
        return self._client.send(LIST, read_lines)


def read_lines(reply: Reply) -> list[str | int]:
    """Returns the lines in an answer of getMyTrunks. Raises UnreadableError for another answer."""
    value = reply.json()
    if not isinstance(value, list) or not all(isinstance(item, (str, int)) for item in value):
        raise UnreadableError(tr("the response is not a list of lines"))
    return value


class Probe(NamedTuple):
    """The result of one request. `skew_seconds` is this machine's clock minus the server's, None without a Date.

    `problem` is the error of the request: not reached, token refused, a failing server. Without a token no request is
    made, and `reachable` is None.
    """

    reachable: bool | None
    answer_ms: int | None = None
    skew_seconds: int | None = None
    problem: AlovoiceError | None = None
    lines: tuple[str, ...] | None = None
    """The numbers of the PBX's lines, if the answer has them."""


def probe(client: "Client", now: datetime) -> Probe:
    """Makes one request (with the retries of every read).

    Raises nothing for a failing PBX: the failure is the result.
    """
    try:
        answer = client.raw(LIST)
    except AlovoiceError as problem:
        return Probe(None if isinstance(problem, TokenMissingError) else False, problem=problem)
    reply = answer.reply
    skew = _skew(reply.header("Date"), now)
    found = Probe(True, round(reply.seconds * 1000), skew, answer.problem)
    if answer.problem is not None:
        return found
    try:
        return found._replace(lines=tuple(str(line) for line in read_lines(reply)))
    except UnreadableError as error:
        return found._replace(
            problem=ServerError(
                tr("the PBX did not list its lines: {problem}", problem=error), hint=tr("does the URL belong to a PBX?")
            )
        )


def _skew(date: str, now: datetime) -> int | None:
    try:
        server = parsedate_to_datetime(date)
    except ValueError:
        return None
    return round((now - server).total_seconds()) if server.tzinfo else None
