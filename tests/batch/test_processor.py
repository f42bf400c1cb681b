"""The threads of a batch stay on one processor, and nothing else does."""

import os
import sys
import threading

import pytest

from alovoice_cli.batching.processor import on_one_processor


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a thread choose")
def test_threads_that_are_started_meanwhile_share_one_processor_and_later_ones_have_all() -> None:
    before, found = os.sched_getaffinity(0), []

    def note() -> None:
        found.append(os.sched_getaffinity(0))

    with on_one_processor():
        threads = [threading.Thread(target=note) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(set.union(*found)) == 1
    assert found[0] <= before
    assert os.sched_getaffinity(0) == before
