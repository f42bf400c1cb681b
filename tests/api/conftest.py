"""Clients of raw servers, with a ledger in memory."""

import io
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from raw_server import Act, RawServer

from alovoice_cli.api.call import Party
from alovoice_cli.api.client import Client
from alovoice_cli.api.request import FilePart
from alovoice_cli.receipts import Intent, RequestOutcome

TOKEN = "22dfbb22-d073-4422-b322-22949d14a022"


@pytest.fixture
def serve() -> Iterator[Callable[..., RawServer]]:
    """serve(act, …, context=None): a running server, stopped at the end."""
    servers: list[RawServer] = []

    def start(*acts: Act, context: ssl.SSLContext | None = None) -> RawServer:
        servers.append(RawServer(list(acts), context))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


class Book:
    """A ledger in memory."""

    def __init__(self) -> None:
        self.intents: list[Intent] = []
        self.outcomes: dict[str, RequestOutcome] = {}

    def intend(self, intent: Intent) -> str:
        self.intents.append(intent)
        return f"R-{len(self.intents):04}"

    def settle(self, receipt: str, outcome: RequestOutcome) -> None:
        self.outcomes[receipt] = outcome


@pytest.fixture
def book() -> Book:
    return Book()


@pytest.fixture
def client(book: Book) -> Iterator[Callable[..., Client]]:
    """client(server_or_url, …): a client that does not sleep between tries and knows no proxy."""
    clients: list[Client] = []

    def make(where: "RawServer | str", **options: object) -> Client:
        settings: dict[str, object] = {"environ": {}, "ledger": book, "profile": "test", "sleep": lambda _: None}
        url = where if isinstance(where, str) else where.url
        clients.append(Client(url, **{"token": TOKEN, "timeout": 5.0, **settings, **options}))  # type: ignore[arg-type] # any of its options
        return clients[-1]

    yield make
    for each in clients:
        each.close()


def small_files() -> dict[str, Any]:
    return {
        "record": FilePart("x.mp3", "audio/mpeg", io.BytesIO(b"\xff\xfb" + b"\0" * 600)),
        "recipients": FilePart("r.csv", "text/csv", io.BytesIO(b"998901234567\n")),
    }


CAMPAIGN = {
    "name": "Test",
    "from": "2025.04.25",
    "to": "2025.04.25",
    "fromtime": "18:00",
    "totime": "20:59",
    "trunks": "712037006",
}

UNSAFE: dict[str, Callable[[Client], object]] = {
    "outcall": lambda c: c.call.out(inner_phone="2424", number="+998994412860", call_id="7"),
    "conference": lambda c: c.call.conference(callfrom=Party("712037006"), callto=[Party("994412860")], extid="8"),
    "ivr": lambda c: c.call.ivr(callto="712037006", ivrid="222", fromline="712037006", extid="9"),
    "addAutorule": lambda c: c.autorule.create(CAMPAIGN, **small_files()),
    "callsendai": lambda c: c.ai.send("1716209468.17"),
}
READING: dict[str, Callable[[Client], object]] = {
    "getAutorule": lambda c: c.autorule.get("123"),
    "getMyTrunks": lambda c: c.trunks.list(),
    "getpeers": lambda c: c.peers.list(),
    "callgetaireresult": lambda c: c.ai.result("1716209468.17"),
}


@pytest.fixture
def unsafe() -> dict[str, Callable[[Client], object]]:
    """A call of every method that dials, creates or costs."""
    return UNSAFE


@pytest.fixture
def reading() -> dict[str, Callable[[Client], object]]:
    """A call of every method that reads."""
    return READING


@pytest.fixture(scope="session")
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context
