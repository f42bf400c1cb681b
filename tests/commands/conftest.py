"""PBXs for batches: one that takes every call, and such as answer in a way of their own."""

from collections.abc import Iterator
from typing import Any

import pytest
from batch_server import Exchange, point_at
from front_door import FrontDoor


@pytest.fixture
def pbx(alovoice: FrontDoor) -> Iterator[Exchange]:
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
