"""Three hundred silent and slow connections at once. The full deadline stands in `tests/soak/`."""

from datetime import timedelta

from http_talk import counting
from siege import SAYINGS, besiege

from .conftest import Serving


def test_three_hundred_silent_and_slow_connections_are_all_closed_while_good_ones_are_answered(
    serving: Serving,
) -> None:
    running = serving(counting, request_deadline=timedelta(seconds=1))
    siege = besiege(running.address, list(SAYINGS), 300, patience=5)
    assert len(siege.lives) == 300
    assert len(siege.good) > 3  # each asserted that it was answered
    assert running.complaints == []
