"""Every way to dial meets every fault of the wire: nobody is called twice, and all that is told of it is true.

The exit code, the ledger and the journal agree. The soak tries every pair, in tests/soak/test_wire_soak.py.
"""

from pathlib import Path

import pytest
from dialling_ways import WAYS
from front_door import FrontDoor
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


def test_every_command_that_dials_creates_or_costs_is_attacked() -> None:
    dangerous = {name for name, effect in COMMAND_EFFECTS.items() if effect in ("dials", "creates", "costs")}
    assert {way.command for way in WAYS.values()} == dangerous
    assert {way for way, _ in PAIRS} == set(WAYS)
    assert len(FAULTS) >= 60
