"""Every way to dial, and a listener, on disks with six sizes of room: nobody twice, nobody forgotten.

A soak of a size below 3 takes two of the sizes.
"""

import pytest
from dialling_ways import WAYS
from front_door import FrontDoor
from full_disks import KILOBYTES, attack_listener, attack_way
from strength import SIZE

ROOM = KILOBYTES if SIZE >= 3 else KILOBYTES[::3]


@pytest.mark.parametrize("kilobytes", ROOM)
@pytest.mark.parametrize("way", WAYS)
def test_without_room_nobody_is_called_twice_or_forgotten(alovoice: FrontDoor, way: str, kilobytes: int) -> None:
    attack_way(alovoice, WAYS[way], kilobytes)


@pytest.mark.parametrize("kilobytes", ROOM)
def test_what_a_listener_without_room_has_taken_is_there(alovoice: FrontDoor, kilobytes: int) -> None:
    attack_listener(alovoice, kilobytes)
