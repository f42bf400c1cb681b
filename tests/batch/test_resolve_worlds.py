"""Did it ring? In no invented world *did not ring* for a call that rang, whatever was lost, late, or out of order."""

import random
from dataclasses import replace

from calling_worlds import CLOCK, MICRO, World, make_world
from hypothesis import given
from hypothesis import strategies as st
from strength import examples, rounds

from alovoice_cli.batch.resolve import CallVerdict
from alovoice_cli.batch.verdict_text import as_json, sentence

SEEDS = st.integers(0, 2**32)


def _moments(world: World) -> list[float]:
    """After each event, and long after the last."""
    return [*(event.at + 0.001 for event in world.heard), world.ends]


def _judge_world(world: World) -> list[CallVerdict]:
    """Every request at every moment: whatever is said must be true, and what permits a second call must be proven."""
    verdicts = []
    for now in _moments(world):
        traces = world.traces(now)
        for asked in traces.asked:
            verdict = world.verdict(asked, now, traces)
            verdicts.append(verdict)
            allowed = verdict.resend_safe or verdict.exit_code in (1, 2, 5)
            assert allowed is (verdict.answer == "did_not_ring")
            if verdict.answer == "did_not_ring":
                assert not world.rings(asked), (asked, verdict)
                assert world.status[asked.receipt] is not None or not asked.may_have_rung
            if verdict.answer == "no_trace_yet":
                assert sentence(verdict, CLOCK).count("This is not proof.") == 1
            assert list(as_json(verdict)) == list(as_json(verdicts[0]))
    return verdicts


@examples(60)
@given(SEEDS)
def test_never_did_not_ring_for_a_call_that_rang(seed: int) -> None:
    _judge_world(make_world(seed))


def test_many_histories_hold_all_five_answers() -> None:
    verdicts = [verdict for seed in range(rounds(60)) for verdict in _judge_world(make_world(seed))]
    answers = {verdict.answer for verdict in verdicts}
    assert answers == {"rang", "did_not_ring", "no_trace_yet", "cannot_know", "two_candidates"}
    assert {verdict.basis for verdict in verdicts} == {"id", "number_and_time", "receipt", None}


@examples(60)
@given(SEEDS, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(seed: int, order: random.Random) -> None:
    world = make_world(seed)
    usual, other = world.traces(), world.traces(order=order)
    for asked in world.asked:
        assert world.verdict(asked, world.ends, usual) == world.verdict(asked, world.ends, other)


@examples(60)
@given(SEEDS)
def test_what_an_id_has_proven_stays_proven(seed: int) -> None:
    world = make_world(seed)
    for asked in world.asked:
        before: CallVerdict | None = None
        for now in _moments(world):
            if asked.begun_at > now * MICRO:
                continue
            verdict = world.verdict(asked, now)
            if before is not None and before.basis == "id" and before.is_over:
                assert (verdict.answer, verdict.is_over) == (before.answer, True)
            is_alone = sum(other.our_id == asked.our_id for other in world.asked) == 1  # else an id was used again
            before = verdict if is_alone else None


@examples(60)
@given(SEEDS)
def test_a_token_revoked_afterwards_and_an_end_before_our_own_answer_change_nothing(seed: int) -> None:
    world = make_world(seed)
    later = [
        replace(
            asked,
            receipt=f"{asked.receipt}-later",
            begun_at=round(world.ends * MICRO) + place,
            outcome="refused",
            status=401,
        )
        for place, asked in enumerate(world.asked)
    ]
    for asked in world.asked:
        verdict = world.verdict(asked, world.ends)
        assert world.verdict(asked, world.ends, world.traces(more=later)) == verdict
        if asked.outcome == "unknown":
            answered = replace(asked, outcome="done")
            world.asked[world.asked.index(asked)] = answered
            assert replace(world.verdict(answered, world.ends), asked=asked) == verdict
