"""PBXs, homes and stores for several files of these tests; what a file defines itself takes the place of one."""

from collections.abc import Iterator
from typing import Any

import pytest
from batch_server import Exchange, point_at
from campaign_check import NOW, set_clock, write_clients
from campaign_server import CSV, MP3, serve_campaigns
from event_rows import Rows
from front_door import FrontDoor
from login_server import answering
from raw_server import RawServer
from reported_campaign import furnish_home


@pytest.fixture
def pbx(alovoice: FrontDoor) -> Iterator[Exchange]:
    """A PBX for batches, which takes every call."""
    server = Exchange()
    point_at(alovoice, server)
    yield server
    server.stop()


@pytest.fixture
def exchanges(alovoice: FrontDoor) -> Iterator[Any]:
    """Makes PBXs that answer in a way of their own."""
    made: list[Exchange] = []

    def make(answer: Any) -> Exchange:
        made.append(Exchange(answer))
        point_at(alovoice, made[-1])
        return made[-1]

    yield make
    for server in made:
        server.stop()


@pytest.fixture
def rows(profile_store: str) -> Rows:
    """The event store of the home."""
    return Rows(profile_store)


@pytest.fixture
def login_pbx(alovoice: FrontDoor) -> Iterator[RawServer]:
    """A PBX that takes any token, for a home that has none."""
    server = RawServer([answering()])
    alovoice.environ["ALOVOICE_BASE_URL"] = server.url
    yield server
    server.stop()


@pytest.fixture
def autorule_pbx(alovoice: FrontDoor) -> Iterator[RawServer]:
    """A PBX that takes campaigns, and the files of one in the home."""
    server = RawServer([serve_campaigns])
    point_at(alovoice, server)
    (alovoice.home / "promo.mp3").write_bytes(MP3)
    (alovoice.home / "clients.csv").write_bytes(CSV)
    yield server
    server.stop()


@pytest.fixture
def check_home(alovoice: FrontDoor) -> FrontDoor:
    """A home with the files of a campaign with nothing wrong, on its day."""
    (alovoice.home / "promo.mp3").write_bytes(MP3)
    write_clients(alovoice, "998901234567", "998912345678")
    set_clock(alovoice, NOW)
    return alovoice


@pytest.fixture
def check_pbx(check_home: FrontDoor) -> Iterator[RawServer]:
    """A PBX that takes the campaigns of that home."""
    server = RawServer([serve_campaigns])
    point_at(check_home, server)
    yield server
    server.stop()


@pytest.fixture
def report_home(alovoice: FrontDoor, engine: str, store_url: str) -> FrontDoor:
    """A home with a list of people and a do-not-call file, on the sandbox, and an event store of a listener."""
    alovoice.environ["ALOVOICE_PROFILE"] = "sandbox"
    if engine == "postgres":
        assert alovoice("config", "set", "store", store_url).code == 0
        alovoice.server_store = store_url
    return furnish_home(alovoice)
