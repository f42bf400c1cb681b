"""Rows on their way to the thread that tells: several at a time where they come fast, never more than have room."""

import threading
import time

from alovoice_cli.batch.results import Results


def test_a_row_that_comes_alone_is_told_at_once_and_the_end_without_waiting() -> None:
    results: Results[int] = Results(1)
    results.put(1)
    began = time.monotonic()
    assert results.take(5) == [1]
    assert not results.is_over
    results.end()
    assert results.take(5) == []
    assert results.is_over
    assert time.monotonic() - began < 1


def test_none_come_for_a_while() -> None:
    results: Results[int] = Results(2)
    assert results.take(0.01) == []
    assert not results.is_over


def test_rows_of_several_threads_are_taken_together_and_all_of_them() -> None:
    results: Results[int] = Results(8)

    def work(first: int) -> None:
        for row in range(first, first + 100):
            results.put(row)
        results.end()

    threads = [threading.Thread(target=work, args=(100 * n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    bunches = []
    while not results.is_over:
        bunches.append(results.take(1))
    assert sorted(row for bunch in bunches for row in bunch) == list(range(800))
    assert max(map(len, bunches)) <= 16
    for thread in threads:
        thread.join()


def test_a_teller_that_is_slow_stops_those_that_bring_rows() -> None:
    results: Results[int] = Results(2)
    brought: list[int] = []

    def work() -> None:
        for row in range(10):
            results.put(row)
            brought.append(row)
        results.end()
        results.end()

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(0.2)
    assert len(brought) == 4, "twice the jobs, and no more"
    taken: list[int] = []
    while not results.is_over:
        taken += results.take(1)
    thread.join()
    assert taken == list(range(10))
