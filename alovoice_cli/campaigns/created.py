"""A campaign that was created from here: what is known of it, its windows, and what its twin is told."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time, timedelta

from alovoice_cli.campaigns.campaign_record import SubmittedFile
from alovoice_cli.campaigns.dialer_simulation import DialPlan
from alovoice_cli.campaigns.schedule import parse_day, parse_minute
from alovoice_cli.errors import CheckFailedError, UsageError
from alovoice_cli.moments import parse_zone

OVER = ("done",)
"""What the PBX says of a campaign that is over. Only `new` is documented; `done` is the sandbox's word."""

_CREATE_ANYWAY = "--allow-duplicate creates it once more"
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
    except (KeyError, ValueError, CheckFailedError, UsageError):  # a form that `alovoice api` sent may hold anything
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


@dataclass(frozen=True, slots=True)
class CreatedCampaign:
    """A campaign as it was asked for, and what is known of it. Times are ISO 8601 in UTC.

    `outcome` is done, refused, unsent or unknown. `id` and `answer` are the PBX's: of its creation, or of `seen_at`,
    when it was last asked for. Both are None where no answer was read.
    """

    receipt: str
    profile: str
    digest: str
    fields: Mapping[str, str]
    record: SubmittedFile | None
    recipients: SubmittedFile | None
    count: int
    begun_at: str
    pid: int
    outcome: str
    exit_code: int | None
    settled_at: str | None
    id: str | None
    answer: Mapping[str, object] | None
    seen_at: str | None

    @property
    def status(self) -> str:
        """The PBX's word for where it stands, as last seen; the outcome where there is none to be trusted."""
        if self.outcome != "done" and self.seen_at is None:
            return self.outcome  # an answer of 500 may hold an id too
        return str((self.answer or {}).get("status") or self.outcome)

    @property
    def label(self) -> str:
        """What to call it by: the PBX's id, else our receipt."""
        return self.id or self.receipt

    @property
    def plan(self) -> DialPlan | None:
        """Its windows; None where the form cannot be read."""
        return plan_from_form(self.fields)

    def as_dict(self) -> dict[str, object]:
        """The campaign as JSON prints it."""
        return {"id": self.id, "status": self.status, **{k: v for k, v in asdict(self).items() if k != "id"}}


def twin_words(twin: CreatedCampaign) -> tuple[str, str]:
    """What to say where the same campaign is there, or may be: a message, and what to do."""
    if twin.outcome == "done":
        message = f"the same campaign was created within the last 24 hours: {twin.label}"
        return message, f"see `alovoice autorule get {twin.label}`; {_CREATE_ANYWAY}"
    named = f"a campaign named {twin.fields['name']}" if twin.fields.get("name") else "the campaign"
    look = (
        f"look in the web console whether {named} exists; `alovoice call receipts show {twin.receipt}` shows what was"
        f" sent; {_CREATE_ANYWAY}"
    )
    if twin.settled_at is not None:
        message = "the same campaign may have been created within the last 24 hours: its answer was lost or unreadable"
        return f"{message} (receipt {twin.receipt})", look
    message = f"the same campaign is being created by process {twin.pid}, or may have been created before that ended"
    return f"{message} (receipt {twin.receipt})", f"let process {twin.pid} end, if it is still there; {look}"


def twin_error(twin: CreatedCampaign) -> CheckFailedError:
    """The error for a campaign that another one was faster with."""
    message, hint = twin_words(twin)
    return CheckFailedError(f"{message}; nothing was sent", hint=hint)
