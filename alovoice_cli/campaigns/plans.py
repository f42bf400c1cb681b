"""The windows of a campaign that was sent: read from its form as we wrote it, or from the PBX's answer."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from alovoice_cli.campaigns.dialer_simulation import DialPlan
from alovoice_cli.campaigns.schedule import parse_day, parse_minute
from alovoice_cli.errors import UsageError
from alovoice_cli.moments import parse_zone

OVER = ("done",)
"""What the PBX says of a campaign that is over. Only `new` is documented; `done` is the sandbox's word."""

_USUAL = (("maxline", 1), ("tryes", 2), ("goodtime", 3))
"""What the PBX takes where the form says nothing (document, addAutorule)."""


def plan_from_form(fields: Mapping[str, str]) -> DialPlan | None:
    """The plan that the fields of `addAutorule` say; None where they do not say it as the document spells it."""
    try:
        # The form knows zones by their offset alone: any day tells it.
        offset = datetime(2000, 1, 1, tzinfo=parse_zone(fields.get("timezone") or "utc +5")).utcoffset()
        plan = DialPlan(
            first=parse_day(fields["from"], date.min),
            last=parse_day(fields["to"], date.min),
            opens=parse_minute(fields["fromtime"]),
            closes=parse_minute(fields["totime"]),
            utc_offset=offset or timedelta(0),
            trunks=tuple(trunk.strip() for trunk in fields.get("trunks", "").split(",")),
        )
        return _counted(plan, fields)
    except (KeyError, ValueError, UsageError):  # a form that `alovoice api` sent may hold anything
        return None


def plan_from_answer(answer: Mapping[str, object]) -> DialPlan | None:
    """The plan in an answer of `getAutorule`: days ISO, minutes with seconds, the zone in seconds; None for others."""
    try:
        plan = DialPlan(
            first=date.fromisoformat(str(answer["from"])[:10]),
            last=date.fromisoformat(str(answer["to"])[:10]),
            opens=time.fromisoformat(str(answer["fromtime"])).replace(second=0),
            closes=time.fromisoformat(str(answer["totime"])).replace(second=0),
            utc_offset=timedelta(seconds=int(str(answer["timezone"]))),
        )
        return _counted(plan, answer)
    except (KeyError, ValueError):
        return None


def _counted(plan: DialPlan, fields: Mapping[str, object]) -> DialPlan:
    """The plan with the form's numbers, which may come as text; the PBX's own where one is missing."""
    lines, tries, seconds = (int(str(fields.get(name) or usual)) for name, usual in _USUAL)
    return replace(plan, lines=max(1, lines), tries=max(1, tries), goodtime=timedelta(seconds=seconds))


def overlap(one: Iterable[tuple[datetime, datetime]], other: Iterable[tuple[datetime, datetime]]) -> bool:
    """Whether any two of the windows share a moment."""
    theirs = list(other)
    return any(opens < closes_too and opens_too < closes for opens, closes in one for opens_too, closes_too in theirs)
