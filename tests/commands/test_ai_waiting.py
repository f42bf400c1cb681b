"""Waiting: soon at first, then ever less often, and never beyond the budget."""

from alovoice_cli.commands.ai.result import PollPace


def test_the_pauses_grow_to_half_a_minute_and_the_last_one_fits() -> None:
    pauses: list[float] = []
    for pause in PollPace(budget=100, first=2).pauses(lambda: sum(pauses)):
        pauses.append(pause)
    assert [round(pause, 1) for pause in pauses] == [2, 3, 4.5, 6.8, 10.1, 15.2, 22.8, 30, 5.7]


def test_without_a_budget_there_is_no_pause() -> None:
    assert list(PollPace(budget=0, first=2).pauses(lambda: 0.0)) == []
