"""The five steps of section 9, and nothing else."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.errors import UsageError
from alovoice_cli.routing.step import ACTION_TYPES, RouteStep


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        ("peer:2000", {"action_type": "peer", "action_data": "2000"}),
        ("queue:6000", {"action_type": "queue", "action_data": "6000"}),
        ("ivr:111", {"action_type": "ivr", "action_data": "111"}),
        ("trunk:998765432", {"action_type": "trunk", "action_data": "998765432"}),
        ("hangup:123", {"action_type": "hangup", "action_data": "123"}),
        ("hangup", {"action_type": "hangup"}),
    ],
)
def test_the_documents_five_steps_go_out_as_strict_json(text: str, wire: dict[str, str]) -> None:
    step = RouteStep.from_text(text)
    assert json.loads(step.to_bytes()) == step.as_wire() == wire
    assert RouteStep.from_wire(wire) == step
    assert str(step) == text


@pytest.mark.parametrize(
    "text",
    ["", "peer", "peer:", "queue:abc", "hangup:", "transfer:1", "peer:20 00", "ivr:-1", "trunk:1", "peer:２０００"],
)
def test_a_step_that_would_end_the_call_can_not_be_made(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        RouteStep.from_text(text)
    assert "--fallback" in caught.value.message
    assert "queue:6000" in caught.value.hint


@examples(100)
@given(st.one_of(st.sampled_from(ACTION_TYPES), st.text(), st.none(), st.integers()), st.one_of(st.none(), st.text()))
def test_what_the_validator_passes_is_one_of_five_with_digits(action_type: object, action_data: str | None) -> None:
    try:
        step = RouteStep(action_type, action_data)  # type: ignore[arg-type] # hostile on purpose
    except UsageError:
        return
    assert step.action_type in ACTION_TYPES
    assert step.action_data is None or step.action_data.lstrip("+").isascii()
    assert (step.action_data is None) <= (step.action_type == "hangup")


def test_what_is_no_object_or_has_a_number_for_an_argument_is_no_step() -> None:
    with_a_number = {"action_type": "peer", "action_data": 2000}
    answers: tuple[object, ...] = (None, [], "hangup", with_a_number, {"action_data": "1"})
    for answer in answers:
        with pytest.raises(UsageError):
            RouteStep.from_wire(answer)
