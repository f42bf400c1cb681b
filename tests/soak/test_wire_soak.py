"""Every way to dial meets every fault of the wire; a soak of size 1 takes every tenth pair, one of size 10 all."""

from pathlib import Path

import pytest
from dialling_ways import WAYS
from front_door import FrontDoor
from strength import SIZE
from wire_attack import check_cell
from wire_faults import FAULTS

PAIRS = [(way, fault) for way in WAYS for fault in FAULTS]
STRIDE = max(1, round(10 / SIZE))


@pytest.mark.parametrize(("way", "fault"), PAIRS[::STRIDE])
def test_a_fault_of_the_wire_dials_nobody_twice_and_is_told_as_it_is(
    alovoice: FrontDoor, certificate: Path, way: str, fault: str
) -> None:
    check_cell(alovoice, WAYS[way], FAULTS[fault], certificate)
