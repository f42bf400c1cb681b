"""An event that its store holds damaged is given up by itself: the other events reach their target."""

import json
from collections.abc import Callable

import pytest
from front_door import FrontDoor
from waiting import wait_until

from .conftest import Handler, Listening, outbox_entries, sql

pytestmark = pytest.mark.usefixtures("profile_store")

DAMAGES = {
    "headers": ("delivery", "headers = '[[\"a\"'"),
    "moment": ("delivery", "received_at = -1"),
    "message": ("outbox", "message = '{'"),
}
OF_FILES = {
    "body": ("delivery", "body = 'a text, not bytes'"),
    "attempts": ("outbox", "attempts = 'many'"),
    "queue": ("outbox", "queue = x'00ff'"),
}
"""On a server a column takes no value of another type."""


def _damage(alovoice: FrontDoor, listening: Listening, crm: Handler, damage: tuple[str, str]) -> list[str]:
    """Queues three events while the target is away, and damages the second; returns their ids."""
    crm.answer = lambda _: (503, b"")
    for number in range(3):
        assert listening.post("callend", {"call_id": f"c{number}"}) == (200, b"true")
    ids = [listening.event()["id"] for _ in range(3)]
    wait_until(lambda: len(outbox_entries(alovoice)) == 3, "the entries")
    listening.stop()
    table, change = damage
    sql(alovoice, f"UPDATE {table} SET {change} WHERE seq = (SELECT seq FROM delivery WHERE id = '{ids[1]}')")
    sql(alovoice, "UPDATE outbox SET due_at = 0")
    crm.seen.clear()
    crm.answer = lambda _: (200, b"")
    return ids


def _check(alovoice: FrontDoor, listen: Callable[..., Listening], crm: Handler, damage: tuple[str, str]) -> None:
    url = f"{crm.url}?key=s3cret"
    ids = _damage(alovoice, listen("--forward", url), crm, damage)
    listening = listen("--forward", url)
    seen = [json.loads(body)["call_id"] for _, body in crm.wait(2, 60)]
    told = listening.wait_for(f"event {ids[1]} is given up: the stored event is damaged", 60)
    assert f"`alovoice events outbox retry {ids[1]} --target " in told
    assert listening.post("callend", {"call_id": "later"}) == (200, b"true")
    seen += [json.loads(body)["call_id"] for _, body in crm.wait(3, 60)[2:]]
    assert sorted(seen) == ["c0", "c2", "later"]
    wait_until(lambda: [row["state"] for row in outbox_entries(alovoice)] == ["dead"], "the dead letter")
    assert [row["id"] for row in outbox_entries(alovoice, "--state", "dead")] == [ids[1]]
    assert not any("cannot be read now" in line for line in listening.errors)


@pytest.mark.both_engines
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_event_is_given_up_and_the_others_are_forwarded(
    alovoice: FrontDoor, listen: Callable[..., Listening], crm: Handler, damage: str
) -> None:
    _check(alovoice, listen, crm, DAMAGES[damage])


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("damage", OF_FILES)
def test_a_value_of_another_type_in_a_file_costs_only_its_event(
    alovoice: FrontDoor, listen: Callable[..., Listening], crm: Handler, damage: str
) -> None:
    _check(alovoice, listen, crm, OF_FILES[damage])
