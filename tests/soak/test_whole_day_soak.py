"""A whole day with a CRM behind the listener.

The CRM names the calls, and gets each event's bytes once (a repetition is not passed on); the books balance as in
`tests/listening/test_day.py`.
"""

from collections import Counter

import pytest
from crm import served
from day import listening, play
from front_door import FrontDoor
from listening.test_day import check_all
from strength import rounds

CHAOS = "dup=3%,late=5%,reorder=1%"


@pytest.mark.parametrize("seed", [str(seed) for seed in range(1, rounds(1) + 1)])
def test_a_whole_day_is_stored_reported_and_forwarded(alovoice: FrontDoor, seed: str) -> None:
    with served() as crm:
        forward = ("--forward", f"callstart={crm.url}/callstart", "--forward", f"{crm.url}/event")
        with listening(alovoice, "--fallback", "queue:6000", *forward) as heard:
            books = play(alovoice, heard, "--speed", "20000", "--seed", seed, "--chaos", CHAOS)
            check_all(alovoice, books)
        asked = Counter(one.body for one in crm.asked if one.path == "/callstart")
        assert asked == Counter(event.delivery.body for event in books.told("callstart"))
        told = Counter(one.body for one in crm.asked if one.path == "/event")
        assert told == Counter(event.delivery.body for event in books.firsts if event.delivery.type != "route")
