"""10,000 hostile bodies: each gets a valid step. By hand: `python -m pytest -n 0 tests/soak/route_bodies.py`.

The other properties of routing at full strength: `ALOVOICE_SOAK=30 python -m pytest tests/routing`; 10,000 bodies over
HTTP, and a store that is locked for ten seconds: `ALOVOICE_SOAK=250 python -m pytest tests/listening/test_routing.py`.
"""

import json

from hypothesis import HealthCheck, given, settings
from route_cases import BODIES, ISSUE, NOON, rules_of

from alovoice_cli.routing.engine import answer
from alovoice_cli.routing.step import RouteStep

RULES = rules_of(ISSUE)


@settings(deadline=None, max_examples=10_000, suppress_health_check=list(HealthCheck))
@given(BODIES)
def test_whatever_is_asked_the_answer_is_a_valid_step(body: bytes) -> None:
    decision = answer(RULES, body, NOON)
    assert RouteStep.from_wire(json.loads(decision.step.to_bytes())) == decision.step
