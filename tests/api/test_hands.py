"""Threads for exchanges: kept for the next one, never waited for."""

import threading
from collections.abc import Callable

from alovoice_cli.api.hands import Hands


def _carried(hands: Hands, work: Callable[[], None] = lambda: None) -> threading.Thread:
    """The thread in which the work was done, once it is."""
    found: list[threading.Thread] = []
    ended = threading.Event()

    def noted() -> None:
        found.append(threading.current_thread())
        work()

    hands.carry(noted, ended.set)
    assert ended.wait(5)
    return found[0]


def test_one_exchange_after_the_other_is_carried_by_one_thread() -> None:
    hands = Hands()
    assert len({_carried(hands) for _ in range(20)}) == 1
    hands.close()


def test_one_that_hangs_keeps_no_other_waiting() -> None:
    hands, let_go, ended = Hands(), threading.Event(), threading.Event()
    hands.carry(lambda: let_go.wait(5) and None, ended.set)
    first, second = _carried(hands), _carried(hands)
    assert first is second
    assert not ended.is_set()
    let_go.set()
    assert ended.wait(5)
    hands.close()


def test_no_thread_stays_when_they_are_closed_not_even_one_that_was_at_work() -> None:
    hands, let_go, ended = Hands(), threading.Event(), threading.Event()
    at_work: list[threading.Thread] = []

    def hang() -> None:
        at_work.append(threading.current_thread())
        let_go.wait(5)

    idle = _carried(hands)
    hands.carry(hang, ended.set)
    hands.carry(lambda: None, lambda: None)
    hands.close()
    let_go.set()
    assert ended.wait(5)
    for thread in (idle, *at_work):
        thread.join(5)
        assert not thread.is_alive()
