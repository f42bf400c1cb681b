"""Made-up histories of calls, judged at every moment of each."""

import random
from collections import Counter

from calling_worlds import MICRO, World, make_world
from strength import IS_SOAK, rounds


def judge(world: World) -> Counter[str]:
    """Counts the answers; raises AssertionError for one that is not true, or that goes back."""
    counts: Counter[str] = Counter()
    before: dict[str, str] = {}
    for now in [*(event.at + 0.001 for event in world.heard), world.ends]:
        traces = world.traces(now, random.Random(int(now)))
        for asked in traces.asked:
            verdict = world.verdict(asked, now, traces)
            counts[verdict.answer] += 1
            assert verdict.answer != "did_not_ring" or not world.rings(asked), (asked, verdict)
            assert verdict.resend_safe is (verdict.answer == "did_not_ring") is (verdict.exit_code == 1)
            proven = before.get(asked.receipt)
            assert proven is None or verdict.answer == proven, (asked, proven, verdict)
            is_alone = sum(other.our_id == asked.our_id for other in world.asked) == 1  # else an id was used again
            if is_alone and verdict.basis == "id" and verdict.is_over and verdict.is_settled:
                before[asked.receipt] = verdict.answer
    assert all(asked.begun_at <= world.ends * MICRO for asked in world.asked)
    return counts


def test_no_history_is_judged_wrong_at_any_moment() -> None:
    first = random.randrange(1_000_000) if IS_SOAK else 0
    for seed in range(first, first + rounds(250)):
        try:
            judge(make_world(seed))
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
