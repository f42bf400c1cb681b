"""What waits to be derived: nothing is lost, doubled or overtaken, whether it waits in memory or is read again."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alovoice_cli.events.duplicates import Recent
from alovoice_cli.events.event import Delivery
from alovoice_cli.events.noting import Note
from alovoice_cli.stores import backlog
from alovoice_cli.stores.backlog import Backlog
from alovoice_cli.stores.event_rows import Stretch


class Store:
    """Deliveries by number; can be made to fail."""

    def __init__(self) -> None:
        self.deliveries: dict[int, Delivery] = {}
        self.is_away = False

    def add(self) -> Delivery:
        seq = len(self.deliveries) + 1
        self.deliveries[seq] = Delivery(f"e{seq}", "callend", seq, b'{"call_id": %d}' % seq, seq=seq)
        return self.deliveries[seq]

    def load(self, first: int, last: int) -> Sequence[Delivery]:
        if self.is_away:
            raise OSError("away")
        return [self.deliveries[seq] for seq in range(first, last + 1)]


STEP = st.one_of(
    st.tuples(st.sampled_from(["plain", "note", "own"]), st.integers(1, 6)),
    st.tuples(st.sampled_from(["take", "take and put back", "take in vain"]), st.integers(1, 7)),
)


@given(st.lists(STEP, max_size=40))
def test_each_comes_once_in_its_order(steps: list[tuple[str, int]]) -> None:
    store = Store()
    waiting = Backlog(Recent(lambda: 0.0), lambda event: [], store.load)
    taken: list[int] = []
    answers: dict[int, object] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backlog, "_MOST_NOTES", 3)
        for step, count in [*steps, ("take", 10_000)]:
            if step in ("plain", "note", "own"):
                for _ in range(count):
                    delivery = store.add()
                    if step == "plain":
                        waiting.add_stored(delivery, delivery.seq)
                    else:
                        waiting.add([Note(delivery, answer={"id": "its own"} if step == "own" else {})])
                    answers[delivery.seq] = {"id": "its own"} if step == "own" else {}
                continue
            store.is_away = step == "take in vain"
            try:
                derived = waiting.next(count)
            except OSError:
                continue
            if step == "take and put back":
                waiting.put_back(derived)
            else:
                taken += [event.delivery.seq for event in derived.events]
                assert all(event.answer == answers[event.delivery.seq] for event in derived.events)
    assert taken == list(store.deliveries)
    assert waiting.is_empty


def test_a_flood_is_not_held_in_memory() -> None:
    store = Store()
    waiting = Backlog(Recent(lambda: 0.0), lambda event: [], store.load)
    waiting.add([Stretch(1, 5)])
    for _ in range(5):
        store.add()
    for _ in range(10_000):
        delivery = store.add()
        waiting.add_stored(delivery, delivery.seq)
    assert len(waiting._waiting) <= backlog._MOST_NOTES + 1
    numbers: list[int] = []
    while not waiting.is_empty:
        numbers += [event.delivery.seq for event in waiting.next(50).events]
    assert numbers == list(range(1, 10_006))
