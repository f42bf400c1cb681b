"""Two listeners on PostgreSQL behind nginx, killed at work: nothing acknowledged is lost, and all is in order.

Its full size, 10,000 pairs and 50 kills, is `tests/soak/run --minutes 30 test_two_listeners_soak.py`.
"""

from collections.abc import Callable

import pytest
from front_door import FrontDoor
from listening.conftest import Handler, Listening, crm, listen
from postgres_server import Cluster
from strength import rounds
from two_listeners import NGINX, TwoListeners

__all__ = ["crm", "listen"]  # fixtures


@pytest.mark.skipif(NGINX is None, reason="nginx is missing")
def test_kills(alovoice: FrontDoor, listen: Callable[..., Listening], crm: Handler, postgres: Cluster) -> None:
    store = postgres.event_store()
    assert alovoice("config", "set", "store", store).code == 0
    print(TwoListeners(alovoice, listen, crm, store, rounds(1000), rounds(5)).run())
