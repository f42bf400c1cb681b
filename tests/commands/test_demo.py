"""The tour runs to its end, and its day has the same calls each time."""

import pytest
from front_door import FrontDoor


@pytest.mark.soak
def test_the_whole_tour_runs_where_nobody_is_at_a_terminal_and_hears_the_same_day_each_time(
    alovoice: FrontDoor,
) -> None:
    toured = alovoice.process("demo")
    shown, notes = toured.stdout.decode(), toured.stderr.decode()
    assert toured.returncode == 0, notes
    assert "alovoice login" in shown
    assert "\n$ alovoice -p sandbox listen --port 0 --fallback queue:6000 --ready-file urls &\n" in shown
    assert "\n$ alovoice sandbox serve --events-to http://127.0.0.1:" in shown
    assert "\nnote: 212 calls: answered 160, missed 29 " in notes
    assert "\n603-S\t19\t0\n" in shown
    assert ", no listener since " in notes
