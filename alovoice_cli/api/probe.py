"""Whether the PBX can be reached and takes the token: one getMyTrunks, looked at closely."""

from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import parsedate_to_datetime

from alovoice_cli.api.client import Client
from alovoice_cli.api.reply import UnreadableError
from alovoice_cli.api.trunks import LIST, read_lines
from alovoice_cli.errors import AlovoiceError, ServerError, TokenMissingError


@dataclass(frozen=True, slots=True)
class Probe:
    """What one request showed. `skew_seconds` is this machine's clock minus the server's, None where it says none.

    `problem` is what kept the PBX from answering well: not reached, token refused, a failing server. Without a token
    nothing is asked, and `reachable` is None.
    """

    reachable: bool | None
    answer_ms: int | None = None
    skew_seconds: int | None = None
    problem: AlovoiceError | None = None
    lines: tuple[str, ...] | None = None
    """The numbers of the PBX's lines, where they were told."""


def probe(client: Client, now: datetime) -> Probe:
    """Asks once (with the retries of every read). Raises nothing for a PBX that fails: that is the finding."""
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
        return replace(found, lines=tuple(str(line) for line in read_lines(reply)))
    except UnreadableError as error:
        return replace(found, problem=ServerError(f"the PBX was asked for its lines: {error}", hint="is it a PBX?"))


def _skew(date: str, now: datetime) -> int | None:
    try:
        server = parsedate_to_datetime(date)
    except ValueError:
        return None
    return round((now - server).total_seconds()) if server.tzinfo else None
