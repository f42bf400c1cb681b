"""Hostile bodies of route questions: each gets a valid step."""

import json

from hypothesis import HealthCheck, given, settings
from route_cases import BODIES, ISSUE, NOON, rules_of
from strength import rounds

from alovoice_cli.routing.engine import answer
from alovoice_cli.routing.step import RouteStep

RULES = rules_of(ISSUE)


@settings(deadline=None, max_examples=rounds(500), suppress_health_check=list(HealthCheck))
@given(BODIES)
def test_whatever_is_asked_the_answer_is_a_valid_step(body: bytes) -> None:
    decision = answer(RULES, body, NOON)
    assert RouteStep.from_wire(json.loads(decision.step.to_bytes())) == decision.step
