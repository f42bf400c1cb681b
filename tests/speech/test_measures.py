"""Measures against a second opinion on 200 generated dialogues, and by hand where that has none."""

import random

import pytest
from call_ai_metrics import analyze
from speech_cases import answer

from alovoice_cli.speech.measures import Measures, measure
from alovoice_cli.speech.talk import Talk, read_talk


def _talk(*phrases: tuple[int, int, str]) -> Talk:
    talk = read_talk("1", answer(*((begin, end, who, "x") for begin, end, who in phrases)))
    assert talk is not None
    return talk


def _generated(seed: int) -> Talk:
    """Turns with gaps, overlaps, backchannels and phrases that begin together."""
    chance, end, phrases = random.Random(seed), 0, []
    for _ in range(chance.randrange(1, 40)):
        begin = max(end + chance.choice((chance.randrange(-3000, 3000), chance.randrange(-300, 300), 0)), 0)
        end = begin + chance.randrange(130, 6000)
        phrases.append((begin, end, chance.choice(("operator", "client"))))
    return _talk(*phrases)


@pytest.mark.parametrize("batch", range(10))
def test_the_figures_agree_with_another_tool(batch: int) -> None:
    for seed in range(batch * 20, batch * 20 + 20):
        talk = _generated(seed)
        found = measure(talk)
        spoken = [((part.begin_ms or 0) / 1000, (part.end_ms or 0) / 1000, part.direction) for part in talk.fragments]
        told = analyze(spoken, speakers=["operator", "client"])
        operator, client = told["operator"], told["client"]
        assert found.talk_ratio == pytest.approx(operator.talk_share, abs=0.002), seed
        assert (found.silence_share or 0) == pytest.approx(told.silence_share, abs=0.002), seed
        assert found.overlap_ms / 1000 == pytest.approx(told.overlap_share * told.speech_span_s, abs=0.1), seed
        assert found.longest_silence_ms / 1000 == pytest.approx(told.longest_silence_s, abs=0.002), seed
        assert found.longest_monologue_ms / 1000 == pytest.approx(operator.longest_monologue_s, abs=0.002), seed
        assert (found.operator_interruptions, found.client_interruptions) == (
            operator.interruptions,
            client.interruptions,
        ), seed


def test_a_call_in_which_nobody_spoke_has_no_shares() -> None:
    assert measure(_talk()) == Measures(0, 0, 0, 0, 0, 0, 0, 0, 0, None)
    assert (measure(_talk()).talk_ratio, measure(_talk()).silence_share) == (None, None)


def test_phrases_that_overlap_count_once_and_a_mm_hm_is_no_interruption() -> None:
    found = measure(
        _talk((0, 4000, "operator"), (1000, 5000, "operator"), (2000, 2400, "client"), (9000, 9500, "client"))
    )
    assert (found.operator_ms, found.client_ms, found.silence_ms, found.longest_silence_ms) == (5000, 900, 4000, 4000)
    assert (found.client_interruptions, found.longest_monologue_ms, found.first_operator_ms) == (0, 5000, 0)
    assert measure(_talk((0, 4000, "operator"), (2000, 5000, "client"))).client_interruptions == 1


def test_times_before_the_beginning_and_without_length_say_nothing() -> None:
    found = measure(_talk((-500, 1000, "operator"), (2000, 2000, "client"), (3000, 2500, "client"), (0, 9, "somebody")))
    assert (found.operator_ms, found.client_ms, found.length_ms) == (1000, 0, 1000)


def test_talking_over_the_end_of_a_turn_by_a_tenth_of_a_second_takes_no_floor() -> None:
    over = ((0, 4000, "operator"), (3000, 4080, "client"), (4300, 8000, "operator"))
    assert measure(_talk(*over)).longest_monologue_ms == 8000
    taken = ((0, 4000, "operator"), (3000, 4180, "client"), (4300, 8000, "operator"))
    assert measure(_talk(*taken)).longest_monologue_ms == 4000
