"""Invented histories of a PBX and its listener, in which the truth about every request is known.

A world has requests (some lost before the PBX, some with a lost answer), calls that begin up to an hour late, calls of
others to the same numbers, a PBX whose clock is wrong or not told, and a listener that was not always running.
"""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from alovoice_cli.batch.call_evidence import EvidenceFinder, PlacedCall
from alovoice_cli.batch.resolve import CallVerdict, learn, resolve
from alovoice_cli.events.coverage import Uptime
from alovoice_cli.events.event import Call, Delivery, Event
from alovoice_cli.events.reading import read
from alovoice_cli.moments import ClockTime

MICRO = 1_000_000
T0 = 1_764_000_000
CLOCK = ClockTime(datetime.fromtimestamp(T0 + 60, UTC), UTC)
STATUSES = ("200", "200", "304", "480", "486", "603", "603-S", "404", "484", "503", "402", "403", "423", "OTHER")
WORDS = {"200": "ANSWER", "486": "BUSY", "404": "CHANUNAVAIL", "484": "CHANUNAVAIL", "503": "CONGESTION"}
NUMBERS = ("998901234567", "998901234568", "998712037006")
SPELLINGS = ("+998{}", "998{}", "{}", "+998 {}")
LINES = ("998712037006", "998551234567")


@dataclass(frozen=True)
class Heard:
    """One event with the moment of its arrival (unix seconds), and the answer to a callstart."""

    at: float
    kind: str
    body: dict[str, object]
    call_id: str | None = None


@dataclass
class World:
    """The truth. `status` is how the call of each receipt ended; None for a request without a call."""

    asked: list[PlacedCall] = field(default_factory=list)
    status: dict[str, str | None] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)
    uptimes: list[Uptime] = field(default_factory=list)
    ends: float = T0

    def traces(
        self, now: float | None = None, order: random.Random | None = None, more: Sequence[PlacedCall] = ()
    ) -> EvidenceFinder:
        """Returns the evidence known at this moment, after arrival in this order."""
        known = [event for event in self.heard if now is None or event.at <= now]
        if order is not None:
            order.shuffle(known)
        results = [_event(event, seq) for seq, event in enumerate(known, 1) if event.kind == "result"]
        made = [asked for asked in self.asked if now is None or asked.begun_at <= now * MICRO]
        return EvidenceFinder([*made, *more], results, _calls(known))

    def verdict(self, asked: PlacedCall, now: float, traces: EvidenceFinder | None = None) -> CallVerdict:
        """Returns the verdict at this moment."""
        traces = traces or self.traces(now)
        seen = [
            uptime._replace(seen_at=min(uptime.seen_at, int(now * MICRO)), ended_at=None)
            if uptime.until(int(now * MICRO)) >= now * MICRO
            else uptime
            for uptime in self.uptimes
            if uptime.began_at <= now * MICRO
        ]
        return resolve(asked, traces, seen, int(now * MICRO), learn(traces, int(now * MICRO)))

    def rings(self, asked: PlacedCall) -> bool:
        """Returns whether its call rings at any time; in a conference whether the first party is rung."""
        status = self.status[asked.receipt]
        return status is not None and (status not in ("404", "484", "503", "402") or asked.kind == "conference")


def make_world(seed: int) -> World:
    """Returns the world of this seed: up to six requests within an hour, half of them to the same few numbers."""
    chance, world = random.Random(seed), World()
    for place in range(chance.randint(1, 6)):
        _ask(world, chance, place)
    for place in range(chance.randint(0, 3)):
        _others_call(world, chance, place)
    world.heard.sort(key=lambda event: event.at)
    world.ends = max([T0 + 3600, *(event.at for event in world.heard)]) + 1
    _listen(world, chance)
    return world


def _ask(world: World, chance: random.Random, place: int) -> None:
    begun = T0 + chance.uniform(0, 3600)
    kind = chance.choice(("out", "ivr", "conference"))
    number, line = chance.choice(NUMBERS), chance.choice(LINES)
    our_id = "17" if chance.random() < 0.2 else str(10**12 + place)
    # Sent or not: if the receipt has an outcome, it is true.
    outcome, acted = chance.choice((("unsent", 0), ("refused", 0), ("unknown", 0), ("unknown", 1), ("done", 1)))
    numbers = ("998935551122", number) if kind == "conference" else (number,)
    asked = PlacedCall(
        f"R-{place}",
        kind,  # type: ignore[arg-type]
        our_id,
        numbers,
        round(begun * MICRO),
        outcome,
        line if kind == "ivr" else None,
        "101" if kind == "out" else None,
    )
    world.asked.append(asked)
    world.status[asked.receipt] = chance.choice(STATUSES) if acted else None
    if acted:
        late = chance.choice((0.0, chance.uniform(0, 5), chance.uniform(0, 60), chance.uniform(0, 3600)))
        _call(world, chance, asked, begun + late, line)


def _call(world: World, chance: random.Random, asked: PlacedCall, began: float, line: str) -> None:
    status = world.status[asked.receipt] or ""
    skew = chance.choice((0, 0, 37, -90, 7200))
    talk = chance.randint(1, 60) if status == "200" else 0
    call_id = f"C-{asked.receipt}" if asked.kind != "out" or chance.random() < 0.7 else asked.our_id
    number = asked.numbers[0]
    times = (int(began) + skew, int(began) + skew + 20 + talk)
    world.heard.append(_start(chance, began, number, line, times[0], call_id))
    world.heard.append(_end(began + 20 + talk, status, talk, times[1], call_id))
    if asked.kind != "out" or chance.random() < 0.3:
        first = [{"number": number, "dialstatus": "ANSWER"}] if asked.kind == "conference" and len(status) < 5 else []
        body: dict[str, object] = {
            "id": chance.choice((7, 17, 901)),
            "externalid": asked.our_id,
            "to_number": asked.numbers[-1],
            "trunk_number": line,
            "begin_time": times[0],
            "duration": talk,
            "dialstatus": WORDS.get(status, "NOANSWER" if status in ("304", "480", "603") else status),
        }
        if chance.random() < 0.5:
            body["attempts"] = [*first, {"number": asked.numbers[-1], "dialstatus": WORDS.get(status, "?")}]
        if chance.random() < 0.15:
            del body["begin_time"]
        world.heard.append(Heard(began + chance.uniform(0, 90), "result", body))


def _others_call(world: World, chance: random.Random, place: int) -> None:
    """Calls that are of none of our requests: by hand, from a campaign, or inbound."""
    began = T0 + chance.uniform(-600, 7200)
    number, line, status = chance.choice(NUMBERS), chance.choice(LINES), chance.choice(STATUSES)
    kind = chance.choice(("out", "out", "inc"))
    peer = chance.choice(("101", "0", "222"))
    world.heard.append(_start(chance, began, number, line, int(began), f"X-{place}", kind, peer))
    world.heard.append(_end(began + 9, status, 5 if status == "200" else 0, int(began) + 9, f"X-{place}"))


def _start(
    chance: random.Random,
    at: float,
    number: str,
    line: str,
    started: int,
    call_id: str,
    kind: str = "out",
    peer: str = "101",
) -> Heard:
    spelt = chance.choice(SPELLINGS).format(number[3:])
    body: dict[str, object] = {"inner_phone": peer, "number": spelt, "line": line, "type": kind}
    if chance.random() < 0.85:
        body["start_time"] = started
    return Heard(at + chance.uniform(0, 3), "callstart", body, call_id)


def _end(at: float, status: str, duration: int, finished: int, call_id: str) -> Heard:
    body = {"call_id": call_id, "finish_time": finished, "duration": duration, "status_code": status}
    return Heard(at, "callend", body, call_id)


def _listen(world: World, chance: random.Random) -> None:
    """Makes a listener that runs always, with a gap, or never: events of a gap are not received."""
    shape = chance.choice(("always", "always", "gap", "never"))
    begin, end = int((T0 - 9000) * MICRO), int(world.ends * MICRO)
    gap = sorted((chance.uniform(T0 - 60, world.ends), chance.uniform(T0 - 60, world.ends)))
    if shape == "always":
        world.uptimes = [Uptime(begin, end)]
    elif shape == "gap":
        left, back = (int(moment * MICRO) for moment in gap)
        world.uptimes = [Uptime(begin, left, left), Uptime(back, end)]
    world.heard = [event for event in world.heard if any(_within(event, uptime) for uptime in world.uptimes)]


def _within(event: Heard, uptime: Uptime) -> bool:
    return uptime.began_at <= event.at * MICRO <= (uptime.ended_at or uptime.seen_at)


def _event(heard: Heard, seq: int) -> Event:
    delivery = Delivery(f"E{seq}", heard.kind, round(heard.at * MICRO), json.dumps(heard.body).encode(), seq=0)  # type: ignore[arg-type]
    reading = read(delivery.type, delivery.body)
    return Event(delivery, reading.facts, value=reading.value)


def _calls(known: Sequence[Heard]) -> list[Call]:
    """Returns the calls as the store joins them: by the id that answered their callstart."""
    calls: dict[str, Call] = {}
    for heard in known:
        if heard.kind == "result" or heard.call_id is None:
            continue
        fact = _event(heard, 0).fact
        own = calls.get(heard.call_id) or Call(heard.call_id, int(heard.at))
        own = replace(own, reported_at=min(own.reported_at, int(heard.at)))
        names: tuple[str, ...] = ("number", "line", "peer", "direction", "started_at")
        if heard.kind == "callend":
            names = ("status", "duration", "ended_at")
        calls[heard.call_id] = replace(own, **{name: getattr(fact, name) for name in names})
    return list(calls.values())
