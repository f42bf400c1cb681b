"""The six figures that a supervisor asks for, against the targets of the profile."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from alovoice_cli.events.kpi import FEW_CALLS, Kpi
from alovoice_cli.findings import count
from alovoice_cli.moments import span_text

NOTHING = "–"
"""Shown for a figure that cannot be known."""
_ABOUT_RINGING = {
    "total": "the PBX counts the ringing in a call's duration, so waits are not known",
    "unclear": "calls do not agree on whether their duration counts the ringing, so waits are not known",
}


@dataclass(frozen=True, slots=True)
class DayTargets:
    """The targets of the profile: percentages, seconds, callers; None where no target is set."""

    service_level: float | None = None
    answer_rate: float | None = None
    abandon_rate: float | None = None
    wait: int | None = None
    owed: int | None = None
    callback: int | None = None


Unit = Literal["%", "s", ""]


class Figure(NamedTuple):
    """A headline figure. `target` is a least value, or with `at_most` a greatest; `why` explains a value of None."""

    key: str
    name: str
    unit: Unit
    at_most: bool
    value: float | None
    target: float | None = None
    why: str = ""
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        """Returns whether the target is met; None without a target or a value."""
        if self.value is None or self.target is None:
            return None
        return self.value <= self.target if self.at_most else self.value >= self.target

    @property
    def text(self) -> str:
        """Returns the value with its unit."""
        return value_text(self.value, self.unit)

    @property
    def target_text(self) -> str:
        """Returns the target with its unit, as short as it can be; '' without a target."""
        if self.target is None:
            return ""
        if self.unit != "s":
            return f"{self.target:g} {self.unit}".rstrip()
        seconds = int(self.target)
        for size, letter in ((3600, "h"), (60, "m")):
            if seconds % size == 0:
                return f"{seconds // size}{letter}"
        return f"{seconds} s" if seconds < 60 else span_text(seconds)

    def as_json(self) -> dict[str, object]:
        """Returns value, target, whether the target is met, and why there is no value."""
        return {"value": self.value, "target": self.target, "met": self.is_met, "why": self.why or None}


def value_text(value: float | None, unit: Unit) -> str:
    """Returns a value with its unit, as all forms for people write it."""
    if value is None:
        return NOTHING
    if unit == "s":
        return f"{value:g} s" if value < 60 else span_text(int(value + 0.5))
    return f"{value:.1f} %" if unit == "%" else str(value)


_KINDS: tuple[tuple[str, str, Unit, bool], ...] = (
    ("service_level_pct", "Service level", "%", False),
    ("answer_rate_pct", "Answer rate", "%", False),
    ("abandon_rate_pct", "Abandon rate", "%", True),
    ("mean_wait_s", "Mean wait", "s", True),
    ("still_owed", "Owed a call", "", True),
    ("callback_p50_s", "Callback delay", "s", True),
)


def headline_figures(kpi: Kpi, targets: DayTargets, owed: int | None) -> tuple[Figure, ...]:
    """Returns the six figures that a supervisor asks for.

    `owed` counts the listed callers: of a running day the store may have learnt more since it told the key figures.
    None: no listener was there, and nobody knows who was missed.
    """
    calls, callback, limits = kpi.inbound, kpi.callback, kpi.settings
    unended = "" if calls.ended else "no inbound call has ended"
    unanswered = unended or ("" if calls.answered else "no inbound call was answered")
    unknown = _ABOUT_RINGING.get(kpi.duration_test.verdict, "the wait of too many answered calls is not known")
    unreached = "nobody was called back and reached" if callback.episodes else "no known caller was missed"
    within = f"within {limits.service_seconds} s; who hung up under {limits.short_abandon_seconds} s left out"
    hidden = f"and {callback.still_owed_hidden} hidden" if callback.still_owed_hidden else ""
    told = (
        (kpi.service_level.net_pct, targets.service_level, unended or unknown, within),
        (calls.answer_rate_pct, targets.answer_rate, unended, ""),
        (calls.abandon_rate_pct, targets.abandon_rate, unended or "every caller hung up at once", ""),
        (kpi.wait.asa_s, targets.wait, unanswered or unknown, ""),
        (owed, targets.owed, "no listener was there", hidden),
        (callback.reached_p50_s, targets.callback, unreached, "the median until a talk"),
    )
    return tuple(
        Figure(*kind, value, target, why if value is None else "", note)
        for kind, (value, target, why, note) in zip(_KINDS, told, strict=True)
    )


def doubts(kpi: Kpi) -> list[str]:
    """Returns what makes the figures less sure than they look, a sentence each."""
    calls, noticed, found = kpi.inbound, kpi.noticed, []
    if 0 < calls.ended < FEW_CALLS:
        found.append(f"only {count(calls.ended, 'inbound call')} ended: the rates say little")
    if kpi.duration_test.verdict == "too_few" and calls.answered:
        found.append("too few calls show whether their duration counts the ringing: waits take it as the talk alone")
    if noticed.ring_group:
        answered = (
            "1 of the missed calls was" if noticed.ring_group == 1 else f"{noticed.ring_group} of the missed calls were"
        )
        found.append(f"{answered} answered on another telephone of the ring group")
    if noticed.clock_off:
        calls_off = count(noticed.clock_off, "call has", "calls have")
        found.append(f"{calls_off} a time more than 5 minutes off: check the PBX's clock")
    return found
