"""Generated days of calls for the key figures: the deliveries of each day, and the calls that they tell."""

import random
from dataclasses import dataclass
from typing import Any

from event_rows import event_of
from strength import rounds

from alovoice_cli.events.event import Event
from alovoice_cli.moments import parse_zone

DAYS = min(rounds(80), 400)
ZONE = parse_zone("utc +5")
FIRST = 1_795_374_000  # 2026-11-23 00:00 +05:00
DAY = 86_400
MISSED = ("304", "480", "486", "603", "603-S")
LINES = ("712037006", "712037007")
NUMBERS = (*(f"+99890100000{number}" for number in range(8)), "74951234567", "anonymous", "")


@dataclass
class ToldCall:
    """A call as it was told: what a result says of the answer, too."""

    at: float
    order: int
    direction: str
    number: str
    line: str
    peer: str
    began: int
    ended: int | None = None
    status: str | None = None
    duration: int | None = None

    @property
    def shown(self) -> bool:
        """Whether the number was told."""
        return any(map(str.isdigit, self.number))

    @property
    def held(self) -> int | None:
        """The seconds from its beginning to its end."""
        return None if self.ended is None else self.ended - self.began


class GeneratedDays:
    """Generated days: deliveries, and the calls that they tell."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.calls: list[ToldCall] = []
        self.events: list[tuple[float, int, Event]] = []
        self.results: list[tuple[float, tuple[int, str, str], tuple[int, int] | None]] = []
        self.lonely_ends: list[int] = []
        for day in range(DAYS):
            counts = self.random.choice(("talk", "talk", "total", "both", "both"))
            moments = [
                FIRST + day * DAY + self.random.randrange(7 * 3600, 11 * 3600) for _ in range(self.random.randrange(32))
            ]
            for moment in sorted(moments):
                self._call(moment, counts)
            self._others(FIRST + day * DAY + 8 * 3600)

    def _say(self, kind: Any, at: float, body: object, call_id: str | None = None) -> None:
        self.events.append((at, len(self.events), event_of(kind, at, body, call_id=call_id)))

    def _call(self, moment: int, counts: str) -> None:
        pick = self.random
        number, line, peer = pick.choice(NUMBERS), pick.choice(LINES), pick.choice(("101", "102", "103"))
        direction = pick.choice(("inc", "inc", "inc", "out", "out", "int"))
        began = moment - pick.choice((0, 0, 1, 1, 2, 299, 301, -301, 400))
        call = ToldCall(moment + 0.25, 0, direction, number, line, peer, began)
        self._tell(call, counts)
        if direction == "inc" and pick.random() < 0.15:  # another telephone of the ring group
            other = ToldCall(moment + 0.5, 0, direction, number, line, "104", began + pick.choice((0, 1, 5, 6)))
            self._tell(other, counts)

    def _tell(self, call: ToldCall, counts: str) -> None:
        pick, own = self.random, f"c{len(self.calls)}"
        call.order = len(self.events)  # made in the order of time: the order of the store
        self.calls.append(call)
        start = {"inner_phone": call.peer, "number": call.number, "line": call.line, "type": call.direction}
        self._say("callstart", call.at, start | {"start_time": call.began}, own)
        if pick.random() < 0.06:
            return
        call.status = "200" if pick.random() < 0.6 else pick.choice((*MISSED, "304", "603-S", "403", "404", "OTHER"))
        ring, talk = pick.choice((0, 1, 4, 5, 19, 20, 21, 60)), pick.choice((0, 1, 30, 200, 1900))
        answered = call.status == "200"
        call.ended = (
            call.began + ring + talk * answered + pick.choice((0, 0, 0, -1, 0, -30 if pick.random() < 0.2 else 0))
        )
        is_total = counts == "total" or (counts == "both" and pick.random() < 0.7)
        call.duration = (call.ended - call.began if is_total else talk) if answered or is_total else 0
        end = {"call_id": own, "finish_time": call.ended, "duration": call.duration, "status_code": call.status}
        if pick.random() < 0.03:
            call.ended = None
            del end["finish_time"]
        at = call.at + ring + talk * answered + 1
        self._say("callend", at, end)
        if pick.random() < 0.3:
            self._result(call, ring, talk if answered else None, at)

    def _result(self, call: ToldCall, ring: int, talk: int | None, at: float) -> None:
        """Tells a result of the call: spelled otherwise, sometimes with times that cannot be."""
        ours = call.number.removeprefix("+998")
        numbers = (ours, call.line) if call.direction == "inc" else (call.line, ours)
        told = {"id": 70_000 + len(self.events), "from_number": numbers[0], "to_number": numbers[1]}
        answer = 0 if talk is None else call.began + max(0, ring + self.random.choice((2, -15)))
        ended = answer + (talk or 0)
        if self.random.random() < 0.1:
            ended = answer - 1
        self._say(
            "result",
            at + 1,
            told | {"trunk_number": call.line, "begin_time": call.began, "answer_time": answer, "end_time": ended},
        )
        wait, said = answer - call.began, ended - answer
        usable = (wait, said) if answer > 0 and said >= 0 else None
        self.results.append((at + 1, (call.began, call.line, call.number), usable))

    def _others(self, at: int) -> None:
        if self.random.random() < 0.3:
            self._say("callend", at, {"finish_time": at, "duration": 3, "status_code": "304"})
            self.lonely_ends.append(at)
        if self.random.random() < 0.3:
            self._say("callend", at + 1, {"call_id": f"nobody-{at}", "finish_time": at, "status_code": 200})
            self.lonely_ends.append(at + 1)
