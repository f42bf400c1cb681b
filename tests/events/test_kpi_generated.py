"""The key figures of generated days equal a second computation, by other formulas, of what was told to the store."""

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from operator import itemgetter
from typing import Any

from event_rows import Rows, event_of
from strength import rounds

from alovoice_cli.events.event import Event
from alovoice_cli.events.filters import Filter, Period
from alovoice_cli.events.kpi import KpiSettings
from alovoice_cli.moments import ClockTime, from_unix, parse_zone
from alovoice_cli.stores.events import EventStore

DAYS = min(rounds(80), 400)
ZONE = parse_zone("utc +5")
FIRST = 1_795_374_000  # 2026-11-23 00:00 +05:00
DAY = 86_400
MISSED = ("304", "480", "486", "603", "603-S")
LINES = ("712037006", "712037007")
NUMBERS = (*(f"+99890100000{number}" for number in range(8)), "74951234567", "anonymous", "")


@dataclass
class Told:
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
        return any(map(str.isdigit, self.number))

    @property
    def held(self) -> int | None:
        return None if self.ended is None else self.ended - self.began


class World:
    """Generated days: deliveries, and the calls that they tell."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.calls: list[Told] = []
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
        call = Told(moment + 0.25, 0, direction, number, line, peer, began)
        self._tell(call, counts)
        if direction == "inc" and pick.random() < 0.15:  # another telephone of the ring group
            other = Told(moment + 0.5, 0, direction, number, line, "104", began + pick.choice((0, 1, 5, 6)))
            self._tell(other, counts)

    def _tell(self, call: Told, counts: str) -> None:
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

    def _result(self, call: Told, ring: int, talk: int | None, at: float) -> None:
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


def ratio(part: int, whole: int, places: str = "0.1") -> float | None:
    """Rounds half up by decimal arithmetic."""
    if whole == 0:
        return None
    exact = Fraction(part, whole)
    shifted = Decimal(exact.numerator) / Decimal(exact.denominator)
    return float(shifted.quantize(Decimal(places), ROUND_HALF_UP))


def rank(values: Iterable[int], percent: int) -> int | None:
    ordered = sorted(values)
    return ordered[math.ceil(Fraction(percent * len(ordered), 100)) - 1] if ordered else None


def mean(values: Sequence[int]) -> float | None:
    return ratio(sum(values), len(values))


def erlang_b_lines(seconds: int, hour: int = 3600) -> int:
    """The fewest lines with a loss of at most 1 %, by the sum of the series instead of the recursion."""
    load, lines, term, terms = Fraction(seconds, hour), 0, Fraction(1), Fraction(1)
    while seconds and term / terms > Fraction(1, 100):
        lines += 1
        term = term * load / lines
        terms += term
    return lines


class Account:
    """The figures of one period, computed call by call."""

    def __init__(self, world: World, since: int, until: int) -> None:
        self.world, self.since, self.until = world, since, until
        told = sorted(world.calls, key=lambda call: (int(call.at), call.order))
        self.all = [call for call in told if call.direction != "int"]
        self.mine = [call for call in self.all if since <= int(call.at) < until]
        self.internal = sum(call.direction == "int" and since <= int(call.at) < until for call in told)
        self.inbound = [call for call in self.mine if call.direction == "inc"]
        self.outbound = [call for call in self.mine if call.direction == "out"]
        self.usable: dict[tuple[int, str, str], tuple[int, int]] = {}
        for _, key, usable in sorted(world.results, key=itemgetter(0)):  # the first that can be used
            if usable is not None and key[2]:
                self.usable.setdefault(key, usable)
        self.test = self._test()
        self.is_talk = self.test["verdict"] in ("talk", "too_few")

    def _test(self) -> dict[str, Any]:
        gaps, silent, whole = [], 0, 0
        for call in self.mine:
            if call.status is None or call.held is None or call.duration is None:
                continue
            gap = call.held - call.duration
            if call.status == "200":
                gaps += [gap] if call.held >= 0 and call.duration >= 0 and gap >= -2 else []
            elif call.held >= 5:
                silent += call.duration == 0
                whole += call.duration > 0 and abs(gap) <= 1
        total = len([gap for gap in gaps if gap <= 1])
        share = Fraction(total, len(gaps)) if gaps else Fraction(0)
        verdict = (
            "talk"
            if share <= Fraction(1, 2)
            else "total"
            if share >= Fraction(9, 10) and silent <= whole
            else "unclear"
        )
        verdict = "too_few" if len(gaps) < 10 else verdict
        return {
            "votes": len(gaps),
            "votes_total": total,
            "unanswered_total": whole,
            "unanswered_talk": silent,
            "verdict": verdict,
        }

    def result(self, call: Told) -> tuple[int, int] | None:
        return self.usable.get((call.began, call.line, call.number))

    def wait(self, call: Told) -> int | None:
        seconds = call.held
        if call.status == "200":
            if (told := self.result(call)) is not None:
                return told[0]
            known = self.is_talk and call.held is not None and call.duration is not None
            seconds = (call.held or 0) - (call.duration or 0) if known else None
        if seconds is None or seconds < -2:
            return None
        return max(seconds, 0)

    def talk(self, call: Told) -> int | None:
        if (told := self.result(call)) is not None:
            return told[1]
        return call.duration if self.is_talk and (call.duration or 0) >= 0 else None

    def figures(self) -> dict[str, Any]:
        lonely = [at for at, key, _ in self.world.results if not key[2]]
        noticed = {
            "duplicates": 0,
            "orphan_ends": sum(self.since <= at < self.until for at in self.world.lonely_ends),
            "results_without_call": sum(self.since <= at < self.until for at in lonely),
            "internal": self.internal,
            "anonymous": sum(not call.shown for call in self.mine),
            "clock_off": sum(abs(call.began - int(call.at)) > 300 for call in self.mine),
            "wait_unknown": sum(call.status is not None and self.wait(call) is None for call in self.inbound),
            "open_out": sum(call.status is None for call in self.outbound),
        }
        groups = sum(self.in_ring_group(call) for call in self.inbound)
        return {
            "duration_test": self.test,
            "noticed": noticed | ({"ring_group": groups} if groups else {}),
            **self._inbound(),
            "outbound": self._outbound(),
            "lines": self._lines(),
            "callback": self._callback(),
            "repeated": [self._repeated(24), self._repeated(1)],
            "agents": self._agents(),
            "hours": self._hours(),
        }

    def _inbound(self) -> dict[str, Any]:
        ended = [call for call in self.inbound if call.status is not None]
        answered = [call for call in ended if call.status == "200"]
        missed = [call for call in ended if call.status in MISSED]
        abandoned = [call for call in ended if call.status in ("304", "603-S")]
        short = [call for call in abandoned if (wait := self.wait(call)) is not None and wait < 5]
        waits = [wait for call in answered if (wait := self.wait(call)) is not None]
        within, unknown = sum(wait <= 20 for wait in waits), len(answered) - len(waits)
        is_sample = not answered or Fraction(unknown, len(answered)) <= Fraction(1, 5)
        talks = [talk for call in answered if (talk := self.talk(call)) is not None]
        known = waits if is_sample else []
        in_vain = [wait for call in missed if (wait := self.wait(call)) is not None]
        rest = len(ended) - unknown
        return {
            "inbound": {
                "offered": len(self.inbound),
                "open": len(self.inbound) - len(ended),
                "ended": len(ended),
                "answered": len(answered),
                "missed": len(missed),
                "other": len(ended) - len(answered) - len(missed),
                "answer_rate_pct": ratio(100 * len(answered), len(ended)),
                "missed_by_reason": {
                    code: calls for code in MISSED if (calls := sum(call.status == code for call in missed))
                },
                "abandoned": len(abandoned),
                "short_abandoned": len(short),
                "turned_away": len(missed) - len(abandoned),
                "abandon_rate_pct": ratio(100 * (len(abandoned) - len(short)), len(ended) - len(short)),
                "abandon_rate_raw_pct": ratio(100 * len(abandoned), len(ended)),
            },
            "service_level": {
                "answered_within": within,
                "net_pct": ratio(100 * within, rest - len(short)) if is_sample else None,
                "all_pct": ratio(100 * within, rest) if is_sample else None,
                "answered_pct": ratio(100 * within, len(waits)) if is_sample else None,
            },
            "wait": {
                "asa_s": mean(known),
                "p50_s": rank(known, 50),
                "p90_s": rank(known, 90),
                "longest_answered_s": max(known, default=None),
                "longest_unanswered_s": max(in_vain, default=None),
            },
            "talk": {"aht_talk_only_s": mean(talks), "talk_seconds_in": sum(talks)},
        }

    def _outbound(self) -> dict[str, Any]:
        ended = [call for call in self.outbound if call.status is not None]
        answered = [call for call in ended if call.status == "200"]
        effective = [call for call in ended if call.status in ("200", *MISSED)]
        return {
            "seizures": len(ended),
            "answered": len(answered),
            "asr_pct": ratio(100 * len(answered), len(ended)),
            "acd_s": mean([talk for call in answered if (talk := self.talk(call)) is not None]),
            "ner_pct": ratio(100 * len(effective), len(ended)),
        }

    def _lines(self) -> dict[str, Any]:
        spans = [
            (call.began, max(call.ended, call.began + 1))
            for call in self.mine
            if call.status is not None and call.ended is not None and call.ended >= call.began
        ]
        # A maximum is first reached where a call begins.
        levels = [(sum(begin <= at < end for begin, end in spans), -at) for at, _ in spans]
        peak, at = max(levels, default=(0, 0))

        def seconds(first: int, last: int) -> int:
            return sum(max(0, min(end, last) - max(begin, first)) for begin, end in spans)

        hours = [
            (seconds(max(hour, self.since), min(hour + 3600, self.until)), -hour)
            for hour in range(self.since // 3600 * 3600, self.until, 3600)
        ]
        sliding = [
            (seconds(quarter, quarter + 3600), -quarter)
            for quarter in range(-(-self.since // 900) * 900, self.until, 900)
            if quarter + 3600 <= self.until
        ]
        busy, hour = max(hours)
        most, quarter = max(sliding) if sliding else (None, 0)
        return {
            "peak": peak,
            "peak_at": moment(-at) if peak else None,
            "busy_hour": moment(-hour) if busy else None,
            "busy_hour_erlangs": ratio(busy, 3600, "0.01"),
            "busy_hour_lines_1pct": erlang_b_lines(busy),
            "sliding_hour": moment(-quarter) if most else None,
            "sliding_erlangs": None if most is None else ratio(most, 3600, "0.01"),
            "sliding_lines_1pct": None if most is None else erlang_b_lines(most),
            "period_erlangs": ratio(seconds(self.since, self.until), self.until - self.since, "0.01"),
        }

    def in_ring_group(self, call: Told) -> bool:
        return (
            call.shown
            and call.status in MISSED
            and any(
                other.status == "200" and other.direction == "inc" and abs(other.began - call.began) <= 5
                for other in self.all
                if (other.number, other.line) == (call.number, call.line)
            )
        )

    def _callback(self) -> dict[str, Any]:
        missed = [call for call in self.inbound if call.status in MISSED]
        found: dict[tuple[str, int], tuple[Told, list[Told]]] = {}
        for call in missed:
            if not call.shown or self.in_ring_group(call):
                continue
            later = [
                other
                for other in self.all
                if other.number == call.number and (int(other.at), other.order) > (int(call.at), call.order)
            ]
            answered = [place for place, other in enumerate(later) if other.status == "200"]
            until_talk = later[: answered[0] + 1] if answered else later
            # Missed calls with the same next talk are of one episode; the first of them begins it.
            end = until_talk[-1].order if answered else -1
            found.setdefault((call.number, end), (call, until_talk))
        tries, reached, again, owed = [], [], 0, 0
        for call, later in found.values():
            ended = call.began if call.ended is None else call.ended
            out = [max(0, other.began - ended) for other in later if other.direction == "out"]
            tries += out[:1]
            if not later or later[-1].status != "200":
                owed += 1
            elif later[-1].direction == "out":
                reached.append(out[-1])
            else:
                again += 1
        return {
            "episodes": len(found),
            "called_back": len(reached),
            "called_again": again,
            "still_owed": owed,
            "still_owed_hidden": sum(not call.shown for call in missed),
            "tried": len(tries),
            "first_try_p50_s": rank(tries, 50),
            "reached_mean_s": mean(reached),
            "reached_p50_s": rank(reached, 50),
            "reached_p90_s": rank(reached, 90),
            "reached_max_s": max(reached, default=None),
        }

    def _repeated(self, hours: int) -> dict[str, Any]:
        shown = [call for call in self.inbound if call.shown]
        answered = sum(call.status == "200" for call in shown)
        pairs = []
        for place, call in enumerate(shown):
            before = [other for other in shown[:place] if other.number == call.number][-1:]
            pairs += [(other, call) for other in before if call.began - other.began <= hours * 3600]
        after = sum(other.status == "200" for other, _ in pairs)
        return {
            "hours": hours,
            "callers": len({call.number for _, call in pairs}),
            "calls": len(pairs),
            "after_answered": after,
            "no_further_call_pct": ratio(100 * (answered - after), answered),
        }

    def _agents(self) -> list[dict[str, Any]]:
        ended = [call for call in self.inbound if call.status is not None]
        told = []
        for peer in {call.peer for call in ended}:
            own = [call for call in ended if call.peer == peer]
            answered = [call for call in own if call.status == "200"]
            talks = [talk for call in answered if (talk := self.talk(call)) is not None]
            told.append(
                {
                    "peer": peer,
                    "offered": len(own),
                    "answered": len(answered),
                    "answered_pct": ratio(100 * len(answered), len(own)),
                    "talk_mean_s": mean(talks),
                }
            )
        return sorted(told, key=lambda agent: (-agent["offered"], agent["peer"]))

    def _hours(self) -> list[dict[str, Any]]:
        told: dict[str, dict[str, Any]] = {}
        for call in self.inbound:
            began = min(max(call.began, self.since), self.until - 1)
            hour = f"{moment(began)[11:13]}:00"
            row = told.setdefault(hour, {"hour": hour, "offered": 0, "answered": 0, "missed": 0})
            row["offered"] += 1
            row["answered"] += call.status == "200"
            row["missed"] += call.status in MISSED
        return [told[hour] for hour in sorted(told)]


def moment(seconds: int) -> str:
    local = from_unix(seconds, ZONE)
    assert local is not None
    return local.isoformat(timespec="seconds")


def test_generated_days_have_the_figures_of_a_second_computation(store_url: str) -> None:
    world = World(seed=20_261_123)
    rows = Rows(store_url)
    rows.store([event for *_, event in sorted(world.events, key=lambda told: told[:2])])
    store = EventStore(rows.url)
    clock = ClockTime(datetime.fromtimestamp(FIRST + (DAYS + 1) * DAY, ZONE), ZONE)
    verdicts = set()
    for day in range(DAYS):
        since, until = FIRST + day * DAY + 7 * 3600 - day * 60, FIRST + day * DAY + (8 + day % 5) * 3600 - day * 13
        told = store.kpi(Filter(Period(since * 1_000_000, until * 1_000_000)), KpiSettings(), clock).as_json()
        assert told.pop("period") == {"since": moment(since), "until": moment(until)}
        assert told.pop("settings")
        wanted = Account(world, since, until).figures()
        assert told == wanted, day
        verdicts.add(wanted["duration_test"]["verdict"])
    assert verdicts == {"talk", "total", "unclear", "too_few"}
