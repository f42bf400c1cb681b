"""The same against the sandbox and its faults, in few cases; `tests/soak/` runs many."""

from front_door import FrontDoor
from sandbox_calls import check, judge_case


def test_whatever_the_sandbox_loses_no_answer_permits_a_second_call(alovoice: FrontDoor) -> None:
    judged = []
    for seed in (0, 1, 2, 3, 4, 6, 7, 8, 9):  # in which each fault comes; refused calls cost two seconds each
        folder = alovoice.home / str(seed)
        folder.mkdir()
        own = {"ALOVOICE_CONFIG_DIR": str(folder / "config"), "ALOVOICE_STATE_DIR": str(folder / "state")}
        judged += judge_case(seed, folder, {**alovoice.environ, **own})
    for call in judged:
        check(call)
    assert {call.after["answer"] for call in judged} >= {"rang", "did_not_ring", "no_trace_yet"}
    assert {call.outcome for call in judged} >= {"done", "unknown", "unsent", "refused"}
