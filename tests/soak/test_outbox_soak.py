"""Kills of the listener at work: no event is lost, and each is forwarded in order."""

from collections.abc import Callable

from front_door import FrontDoor
from listening.conftest import Handler, Listening, crm, listen
from outbox_kills import KillPlay
from strength import rounds

__all__ = ["crm", "listen"]  # fixtures


def test_kills(alovoice: FrontDoor, listen: Callable[..., Listening], crm: Handler) -> None:
    print(KillPlay(alovoice, listen, crm).run(rounds(2)))
