"""The gaps of a replay, on a clock of its own."""

from collections.abc import Mapping

import pytest

from alovoice_cli.errors import UsageError
from alovoice_cli.events.event import Delivery
from alovoice_cli.events.handler import Handlers
from alovoice_cli.events.sending import EventSender, in_order, read_speed, replay
from alovoice_cli.posts import Posted

AT = 1_750_000_000_000_000
DELIVERIES = [
    Delivery(f"E{place}", "callend", AT + after, b"{}", seq=place)
    for place, after in enumerate((0, 100_000, 400_000, 300_000, 400_000))
]


class _World:
    """A clock, and a handler whose answers take 0.15 seconds of it."""

    def __init__(self) -> None:
        self.now = 100.0
        self.posted: list[tuple[str, float]] = []

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def post(self, url: str, body: bytes, *, headers: Mapping[str, str], timeout: float) -> Posted:
        self.posted.append((headers["webhook-id"], round(self.now - 100.0, 6)))
        self.now += 0.15
        return Posted(200, b"true")


@pytest.mark.parametrize(
    ("speed", "moments"),
    [
        ("1", [0, 0.15, 0.3, 0.45, 0.6]),  # what is late catches up, without a pause
        ("0.1", [0, 1, 3, 4, 4.15]),
        ("max", [0, 0.15, 0.3, 0.45, 0.6]),
        ("0", [0, 0.15, 0.3, 0.45, 0.6]),
    ],
)
def test_none_goes_before_it_is_due_and_all_in_order(speed: str, moments: list[float]) -> None:
    world = _World()
    sender = EventSender(world, sleep=world.sleep, monotonic=lambda: world.now)
    handlers = Handlers("http://127.0.0.1/x")
    sent = list(replay(in_order(reversed(DELIVERIES)), handlers, sender, read_speed(speed), "--to"))
    assert world.posted == list(zip(["E0", "E1", "E3", "E2", "E4"], moments, strict=True))
    assert [each.place for each in sent] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("text", ["fast", "-1", "nan", "inf", "", "1e999"])
def test_what_is_no_speed_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a valid speed"):
        read_speed(text)
