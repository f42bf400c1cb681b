"""What the tests start by a fork is like what a shell starts."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from front_door import FrontDoor
from listening.conftest import START, Listening, listen

__all__ = ["listen"]  # a fixture


@pytest.mark.parametrize(
    "words", [("version",), ("nosuch",), ("config", "path"), ("events", "list"), ("trunks",), ("numbers", "check", "-")]
)
def test_a_forked_process_prints_and_ends_as_a_started_one(alovoice: FrontDoor, words: tuple[str, ...]) -> None:
    started = alovoice.process(*words)
    forked = alovoice.start(*words)
    out, err = forked.communicate(timeout=60)
    assert (forked.returncode, out, err) == (started.returncode, started.stdout, started.stderr)


def test_forked_listeners_draw_different_ids(listen: Callable[..., Listening]) -> None:
    ids = [listen().post("callstart", START | {"number": f"99890000000{digit}"})[1] for digit in range(2)]
    assert ids[0][-16:] != ids[1][-16:], "the second listener draws what the first one drew"


def test_a_forked_process_is_killed_as_a_started_one_and_its_parent_leaves_it_nothing(alovoice: FrontDoor) -> None:
    with alovoice.start("sandbox", "serve") as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"the sandbox")
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.01)
        assert process.poll() is None
        assert Path(f"/proc/{process.pid}/cwd").readlink() == alovoice.home
        other = alovoice.start("version")
        assert other.communicate(timeout=60)[0].startswith(b"alovoice ")
        process.kill()
        assert process.wait(60) == -signal.SIGKILL
        with pytest.raises(ProcessLookupError):
            os.kill(process.pid, 0)
