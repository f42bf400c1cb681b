"""The same against the sandbox and its faults, in few cases; `tests/soak/` runs many."""

from front_door import FrontDoor
from sandbox_calls import FAULTS, check, fault_of, judge_case

SEEDS = (2, 6, 7, 15, 18, 23, 25, 29, 32, 61)
"""One call with each fault."""


def test_whatever_the_sandbox_loses_no_answer_permits_a_second_call(alovoice: FrontDoor) -> None:
    assert {fault_of(seed) for seed in SEEDS} == set(FAULTS)
    judged = []
    for seed in SEEDS:
        folder = alovoice.home / str(seed)
        folder.mkdir()
        own = {"ALOVOICE_CONFIG_DIR": str(folder / "config"), "ALOVOICE_STATE_DIR": str(folder / "state")}
        judged += judge_case(seed, folder, {**alovoice.environ, **own})
    for call in judged:
        check(call)
    assert {call.after["answer"] for call in judged} >= {"rang", "did_not_ring", "no_trace_yet"}
    assert {call.outcome for call in judged} >= {"done", "unknown", "unsent", "refused"}
