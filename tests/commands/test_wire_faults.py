"""Every way to dial meets every fault of the wire: nobody is called twice, and all that is told of it is true.

The exit code, the ledger and the journal agree. The soak tries every pair, in tests/soak/test_wire_soak.py.
"""

from pathlib import Path

import pytest
from dialling_ways import WAYS, furnish
from front_door import TOKEN, FrontDoor
from raw_server import Connection, RawServer, Seen
from wire_attack import check_cell
from wire_faults import FAULTS

from alovoice_cli.commands.command_effects import COMMAND_EFFECTS

NAMES = list(WAYS)
PAIRS = [(NAMES[number % len(NAMES)], fault) for number, fault in enumerate(FAULTS)]
"""Each fault once, each way several times."""


@pytest.mark.parametrize(("way", "fault"), PAIRS)
def test_a_fault_of_the_wire_dials_nobody_twice_and_is_told_as_it_is(
    alovoice: FrontDoor, certificate: Path, way: str, fault: str
) -> None:
    check_cell(alovoice, WAYS[way], FAULTS[fault], certificate)


class Patient(RawServer):
    """Answers whatever comes on a connection until the client closes it; notes the requests of each."""

    def __init__(self, good: bytes) -> None:
        self._good = good
        self.shared: list[list[Seen]] = []
        super().__init__([self._take])

    def _take(self, connection: Connection) -> None:
        own: list[Seen] = []
        self.shared.append(own)
        while (seen := connection.read()) is not None:
            own.append(seen)
            is_look = seen.target.endswith("getMyTrunks")
            connection.answer("200 OK", b'["712037006"]' if is_look else self._good)


@pytest.mark.parametrize("way", NAMES)
def test_a_request_that_dials_has_a_connection_of_its_own(alovoice: FrontDoor, way: str) -> None:
    alovoice.environ["ALOVOICE_TOKEN"] = TOKEN
    furnish(alovoice, 12)
    WAYS[way].prepare(alovoice)
    pbx = Patient(WAYS[way].good)
    alovoice.environ["ALOVOICE_BASE_URL"] = pbx.url
    done = alovoice(*WAYS[way].words, *(("--jobs", "4") if WAYS[way].is_batch else ()))
    assert done.code == (6 if "--wait=1s" in WAYS[way].words else 0), done.err
    pbx.stop()
    assert pbx.effects
    alone = [requests for requests in pbx.shared if any(seen in pbx.effects for seen in requests)]
    assert [(len(requests), requests[0].header("Connection")) for requests in alone] == [(1, "close")] * len(
        pbx.effects
    )


def test_every_command_that_dials_creates_or_costs_is_attacked() -> None:
    dangerous = {name for name, effect in COMMAND_EFFECTS.items() if effect in ("dials", "creates", "costs")}
    assert {way.command for way in WAYS.values()} == dangerous
    assert {way for way, _ in PAIRS} == set(WAYS)
    assert len(FAULTS) >= 60
