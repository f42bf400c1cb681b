"""The key figures of a period by a second computation: call by call, by other formulas than those of the program."""

import math
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from operator import itemgetter
from typing import Any

from generated_days import MISSED, ZONE, GeneratedDays, ToldCall

from alovoice_cli.moments import from_unix


def ratio(part: int, whole: int, places: str = "0.1") -> float | None:
    """Returns the quotient, rounded half up by decimal arithmetic; None without a whole."""
    if whole == 0:
        return None
    exact = Fraction(part, whole)
    shifted = Decimal(exact.numerator) / Decimal(exact.denominator)
    return float(shifted.quantize(Decimal(places), ROUND_HALF_UP))


def rank(values: Iterable[int], percent: int) -> int | None:
    """Returns the percentile by the nearest rank; None without values."""
    ordered = sorted(values)
    return ordered[math.ceil(Fraction(percent * len(ordered), 100)) - 1] if ordered else None


def mean(values: Sequence[int]) -> float | None:
    """Returns the mean to a tenth; None without values."""
    return ratio(sum(values), len(values))


def erlang_b_lines(seconds: int, hour: int = 3600) -> int:
    """Returns the fewest lines with a loss of at most 1 %, by the sum of the series instead of the recursion."""
    load, lines, term, terms = Fraction(seconds, hour), 0, Fraction(1), Fraction(1)
    while seconds and term / terms > Fraction(1, 100):
        lines += 1
        term = term * load / lines
        terms += term
    return lines


class Account:
    """The figures of one period, computed call by call."""

    def __init__(self, world: GeneratedDays, since: int, until: int) -> None:
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

    def result(self, call: ToldCall) -> tuple[int, int] | None:
        """Returns the seconds of waiting and of talk by the first usable result of the call."""
        return self.usable.get((call.began, call.line, call.number))

    def wait(self, call: ToldCall) -> int | None:
        """Returns the seconds that the caller waited; None where nothing tells them."""
        seconds = call.held
        if call.status == "200":
            if (told := self.result(call)) is not None:
                return told[0]
            known = self.is_talk and call.held is not None and call.duration is not None
            seconds = (call.held or 0) - (call.duration or 0) if known else None
        if seconds is None or seconds < -2:
            return None
        return max(seconds, 0)

    def talk(self, call: ToldCall) -> int | None:
        """Returns the seconds of talk; None where nothing tells them."""
        if (told := self.result(call)) is not None:
            return told[1]
        return call.duration if self.is_talk and (call.duration or 0) >= 0 else None

    def figures(self) -> dict[str, Any]:
        """Returns all figures of the period, as its JSON has them."""
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

    def in_ring_group(self, call: ToldCall) -> bool:
        """Returns whether another telephone answered this missed call."""
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
        found: dict[tuple[str, int], tuple[ToldCall, list[ToldCall]]] = {}
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
    """Returns the local time of these unix seconds, as the figures show it."""
    local = from_unix(seconds, ZONE)
    assert local is not None
    return local.isoformat(timespec="seconds")
