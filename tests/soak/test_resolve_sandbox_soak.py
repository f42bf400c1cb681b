"""Cases of `call resolve` against the sandbox and its faults."""

import os
from pathlib import Path

import pytest
from sandbox_calls import check, judge_case
from strength import rounds


@pytest.mark.parametrize("part", range(4))
def test_no_call_that_rang_is_said_not_to_have_rung(part: int, tmp_path: Path) -> None:
    for seed in range(part, rounds(12), 4):
        home = tmp_path / str(seed)
        home.mkdir()
        environ = {"HOME": str(home), "PATH": os.environ.get("PATH", ""), "ALOVOICE_CONFIG_DIR": str(home / "config")}
        for call in judge_case(seed, home, {**environ, "ALOVOICE_STATE_DIR": str(home / "state")}):
            try:
                check(call)
            except AssertionError as error:
                raise AssertionError(f"seed {seed}: {call}") from error
