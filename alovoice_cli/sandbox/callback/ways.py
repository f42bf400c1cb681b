"""Where an inbound call goes: the step that the route answered, or the number that the handler led it to."""

from dataclasses import dataclass

from alovoice_cli.campaigns.dialer_simulation import lot
from alovoice_cli.routing.step import Step
from alovoice_cli.sandbox.callback.course import (
    ANSWERED,
    DECLINED,
    MISSED,
    UNDEFINED,
    Ringing,
    Staff,
    ring_colleague,
    ring_outside,
    talk,
)

_WAITING_SECONDS = (20, 60)
_SOUND_SECONDS = 6


@dataclass(frozen=True, slots=True)
class Way:
    """Who is rung, and what comes of it. `inner_phone` is what callstart says: an extension, a menu, or 0."""

    went_to: str
    inner_phone: int
    ringing: Ringing
    is_over: bool = False


class Ways:
    """Draws the way of a call by its mark; whoever picks up is busy until the end of it."""

    def __init__(self, staff: Staff, seed: int) -> None:
        self._staff, self._seed = staff, seed

    def by_step(self, step: Step | None, mark: str, at: int) -> Way:
        """The way of a call that took this step at this moment; without a valid one it is over."""
        if step is None:
            return Way("", 0, Ringing(UNDEFINED, 0), is_over=True)
        argument = step.action_data or ""
        match step.action_type:
            case "peer":
                return self._to_extension(argument, mark, at)
            case "queue":
                return self._to_queue(argument, mark, at)
            case "ivr":
                listening = 5 + talk(lot(self._seed, "menu", mark)) // 5
                return Way(f"ivr {argument}", int(argument), Ringing(ANSWERED, 1, listening))
            case "trunk":
                return Way(argument, 0, ring_outside(self._seed, argument, mark))
            case _:
                return Way("", 0, Ringing(DECLINED, _SOUND_SECONDS if argument else 0), is_over=True)

    def by_number(self, number: str, mark: str, at: int) -> Way:
        """The way of a call that is led to this number: an extension, or somebody outside."""
        if self._staff.knows(number):
            return self._to_extension(number, mark, at)
        return Way(number, 0, ring_outside(self._seed, number, mark))

    def _to_extension(self, number: str, mark: str, at: int) -> Way:
        obstacle = self._staff.obstacle(number, at)
        ringing = Ringing(obstacle, 1) if obstacle else ring_colleague(self._seed, number, mark)
        return self._taken(number, ringing, at)

    def _to_queue(self, queue: str, mark: str, at: int) -> Way:
        number = self._staff.free(at, mark)
        if number is None:
            shortest, longest = _WAITING_SECONDS
            waited = shortest + lot(self._seed, "waiting", mark) % (longest - shortest)
            return Way(f"queue {queue}", int(queue), Ringing(MISSED, waited))
        return self._taken(number, ring_colleague(self._seed, number, mark), at)

    def _taken(self, number: str, ringing: Ringing, at: int) -> Way:
        if ringing.talk_seconds:
            self._staff.occupy(number, at + ringing.ring_seconds + ringing.talk_seconds)
        return Way(number, int(number), ringing)
