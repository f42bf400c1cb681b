"""Whether the PBX can be reached and takes the token: one getMyTrunks, looked at closely."""

from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

from alovoice_cli.api.client import Client
from alovoice_cli.api.trunks import LIST
from alovoice_cli.errors import AlovoiceError, TokenMissingError


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


def probe(client: Client, now: datetime) -> Probe:
    """Asks once (with the retries of every read). Raises nothing for a PBX that fails: that is the finding."""
    try:
        answer = client.raw(LIST)
    except AlovoiceError as problem:
        return Probe(None if isinstance(problem, TokenMissingError) else False, problem=problem)
    reply = answer.reply
    return Probe(True, round(reply.seconds * 1000), _skew(reply.header("Date"), now), answer.problem)


def _skew(date: str, now: datetime) -> int | None:
    try:
        server = parsedate_to_datetime(date)
    except ValueError:
        return None
    return round((now - server).total_seconds()) if server.tzinfo else None
