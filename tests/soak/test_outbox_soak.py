"""Fifty kills of the listener at work, some minutes: `python -m pytest -n 0 tests/soak/test_outbox_soak.py -s`."""

from collections.abc import Callable

from front_door import FrontDoor
from listening.conftest import Handler, Listening, crm, listen
from outbox_kills import KillPlay

__all__ = ["crm", "listen"]  # fixtures


def test_fifty_kills(alovoice: FrontDoor, listen: Callable[..., Listening], crm: Handler) -> None:
    print(KillPlay(alovoice, listen, crm).run(50))
