"""The six figures that a supervisor asks for, against the targets of the profile."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from alovoice_cli.events.kpi import FEW_CALLS, Kpi
from alovoice_cli.language import mark, ngettext, tr
from alovoice_cli.localization import decimal_text, percent_text
from alovoice_cli.moments import span_text

NOTHING = "–"
"""Shown for a figure that cannot be known."""
_ABOUT_RINGING = {
    "total": mark("the PBX counts the ringing in the duration of a call: wait times are not known"),
    "unclear": mark("calls differ in whether their duration includes the ringing: wait times are not known"),
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
            digits = 0 if self.target == int(self.target) else 1
            number = decimal_text(self.target, digits)
            return tr("{number} %", number=number) if self.unit else number
        seconds = int(self.target)
        if seconds % 3600 == 0:
            return tr("{hours} h", hours=seconds // 3600)
        return tr("{minutes} min", minutes=seconds // 60) if seconds % 60 == 0 else span_text(seconds)

    def as_json(self) -> dict[str, object]:
        """Returns value, target, whether the target is met, and why there is no value."""
        return {"value": self.value, "target": self.target, "met": self.is_met, "why": self.why or None}


def value_text(value: float | None, unit: Unit) -> str:
    """Returns a value with its unit, as all forms for people write it."""
    if value is None:
        return NOTHING
    if unit == "s":
        if value >= 60 or value == int(value):
            return span_text(int(value + 0.5))
        return tr("{seconds} s", seconds=decimal_text(value))
    return percent_text(value, 1) if unit == "%" else str(value)


_KINDS: tuple[tuple[str, str, Unit, bool], ...] = (
    ("service_level_pct", mark("Service level"), "%", False),
    ("answer_rate_pct", mark("Answer rate"), "%", False),
    ("abandon_rate_pct", mark("Abandon rate"), "%", True),
    ("mean_wait_s", mark("Mean wait"), "s", True),
    ("still_owed", mark("Owed a call"), "", True),
    ("callback_p50_s", mark("Callback delay"), "s", True),
)


def headline_figures(kpi: Kpi, targets: DayTargets, owed: int | None) -> tuple[Figure, ...]:
    """Returns the six figures that a supervisor asks for.

    `owed` counts the listed callers: of a running day the store may have learnt more since it told the key figures.
    None: no listener was there, and nobody knows who was missed.
    """
    calls, callback, limits = kpi.inbound, kpi.callback, kpi.settings
    unended = "" if calls.ended else tr("no inbound call has ended")
    unanswered = unended or ("" if calls.answered else tr("no inbound call was answered"))
    ringing = _ABOUT_RINGING.get(kpi.duration_test.verdict)
    unknown = tr("the wait of too many answered calls is not known") if ringing is None else tr(ringing)
    unreached = tr("nobody was called back and reached") if callback.episodes else tr("no known caller was missed")
    within = tr(
        "answered within {target} s; callers who hung up within {short} s are left out",
        target=limits.service_seconds,
        short=limits.short_abandon_seconds,
    )
    hidden = tr("and {number} hidden", number=callback.still_owed_hidden) if callback.still_owed_hidden else ""
    told = (
        (kpi.service_level.net_pct, targets.service_level, unended or unknown, within),
        (calls.answer_rate_pct, targets.answer_rate, unended, ""),
        (calls.abandon_rate_pct, targets.abandon_rate, unended or tr("every caller hung up at once"), ""),
        (kpi.wait.asa_s, targets.wait, unanswered or unknown, ""),
        (owed, targets.owed, tr("the listener was not running"), hidden),
        (callback.reached_p50_s, targets.callback, unreached, tr("median time until a talk")),
    )
    return tuple(
        Figure(key, tr(name), unit, at_most, value, target, why if value is None else "", note)
        for (key, name, unit, at_most), (value, target, why, note) in zip(_KINDS, told, strict=True)
    )


def doubts(kpi: Kpi) -> list[str]:
    """Returns what makes the figures less sure than they look, a sentence each."""
    calls, noticed, found = kpi.inbound, kpi.noticed, []
    if 0 < calls.ended < FEW_CALLS:
        found.append(
            ngettext(
                "only {n} inbound call ended: the rates say little",
                "only {n} inbound calls ended: the rates say little",
                calls.ended,
            )
        )
    if kpi.duration_test.verdict == "too_few" and calls.answered:
        found.append(
            tr("too few calls show whether the duration includes the ringing: wait times assume that it does not")
        )
    if noticed.ring_group:
        found.append(
            ngettext(
                "{n} missed call was answered on another telephone of the ring group",
                "{n} missed calls were answered on another telephone of the ring group",
                noticed.ring_group,
            )
        )
    if noticed.clock_off:
        found.append(
            ngettext(
                "{n} call has a time that is more than 5 minutes wrong: check the clock of the PBX",
                "{n} calls have a time that is more than 5 minutes wrong: check the clock of the PBX",
                noticed.clock_off,
            )
        )
    return found
