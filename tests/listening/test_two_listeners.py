"""Two listeners on one server behind a real nginx: either may be killed at any moment."""

import json
from collections.abc import Callable

import pytest
from front_door import FrontDoor
from postgres_server import Cluster
from two_listeners import NGINX, TwoListeners

from .conftest import Handler, Listening


@pytest.mark.skipif(NGINX is None, reason="nginx is missing")
def test_no_acknowledged_event_is_lost_where_one_of_two_listeners_is_killed(
    alovoice: FrontDoor, listen: Callable[..., Listening], crm: Handler, postgres: Cluster
) -> None:
    store = postgres.event_store()
    assert alovoice("config", "set", "store", store).code == 0
    play = TwoListeners(alovoice, listen, crm, store, pairs=60, kills=2, senders=4)
    account = play.run()
    assert "120 acknowledged: none lost" in account, account
    assert set(play.answers) == {200}, "nginx asked the other one"
    gaps = alovoice("events", "gaps", "--since", "1h", "--json")
    assert [row for row in json.loads(gaps.out) if row["what"] == "no listener"] == []
