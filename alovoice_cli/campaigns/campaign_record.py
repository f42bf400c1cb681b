"""A campaign that was created from here: its form, files and numbers, its windows, and campaigns equal to it."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

from alovoice_cli.campaigns.dialer_simulation import DialPlan
from alovoice_cli.campaigns.schedule import parse_day, parse_minute
from alovoice_cli.errors import CheckFailedError, UsageError
from alovoice_cli.language import joined, mark, tr
from alovoice_cli.moments import parse_zone

FILES = ("record", "recipients")
"""The form's parts that are files."""

_MADE_NAME = re.compile(r" [0-9]{9,15}")


@dataclass(frozen=True, slots=True)
class SubmittedFile:
    """One file of a campaign. `path` is absolute; empty for content from stdin or made by this program."""

    name: str
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class KeptList:
    """A list as CSV, compressed, and how its rows are read, as JSON: `campaigns.kept_list` makes and reads both."""

    packed: bytes
    reading: str


@dataclass(frozen=True, slots=True)
class CampaignRecord:
    """A campaign before it is sent. Two campaigns with equal `digest` are the same."""

    fields: Mapping[str, str]
    """The form's texts for the ledger, without secrets."""
    digest: str = ""
    record: SubmittedFile | None = None
    recipients: SubmittedFile | None = None
    numbers: tuple[str, ...] = ()
    """The numbers that will be called, whole: 998901234567."""
    allow_duplicate: bool = False
    """Whether a recent campaign with the same digest is allowed."""
    kept: KeptList | None = None
    """The list with all its rows, for a report; None for a list that is too long to keep, or not known."""

    @property
    def count(self) -> int:
        """Returns how many different numbers will be called."""
        return len(self.numbers)


def same_words(
    fields: Mapping[str, str], record: SubmittedFile | None, recipients: SubmittedFile | None
) -> tuple[object, ...]:
    """Returns the values by which two campaigns differ, without their files' content: form texts and file names.

    A generated name (of the recording's name and digits) differs each time, and does not count.
    """
    stem = Path(record.name).stem if record else ""
    is_made = _MADE_NAME.fullmatch(fields.get("name", "").removeprefix(stem)) is not None
    told = {name: text for name, text in fields.items() if not (is_made and name == "name")}
    return told, record and record.name, recipients and recipients.name


def make_digest(fields: Mapping[str, str], record: str, recipients: str, *, named: bool) -> str:
    """Returns one digest for campaigns with equal fields and files (their SHA-256).

    A generated name (not `named`) differs each time, and does not count.
    """
    told = {name: text for name, text in fields.items() if named or name != "name"}
    parts = [json.dumps(told, sort_keys=True), record, recipients]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class CampaignGuard:
    """The limits for one new campaign. Campaigns created before `since` (aware) do not count.

    At most `most` campaigns are allowed; None means no limit. `own` are receipts of earlier parts of the same order.
    """

    since: datetime
    refuses_twins: bool = False
    most: int | None = None
    own: frozenset[str] = frozenset()

    def check_count(self, made: int) -> None:
        """Raises CheckFailedError where one more campaign exceeds the limit."""
        if self.most is not None and made >= self.most:
            raise CheckFailedError(
                tr("{message}: nothing was sent", message=beyond_daily_limit(made, 1, self.most)),
                hint=tr("if this is intended, add --override-limit {limit}", limit="max_campaigns_per_day"),
            )


def beyond_daily_limit(made: int, planned: int, most: int) -> str:
    """Returns the message for too many campaigns in a day."""
    return tr(
        "campaigns in the last 24 hours: {made}, now: {planned}; the profile allows {most}",
        made=made,
        planned=planned,
        most=most,
    )


NOT_CREATED = ("refused", "unsent")
"""The outcomes after which the PBX has no such campaign."""
OVER = ("done",)
"""The PBX's status of a finished campaign. Only `new` is documented; `done` is the sandbox's word."""

_CREATE_AGAIN = mark("to create it again, add --allow-duplicate")
_USUAL = (("maxline", 1), ("tryes", 2), ("goodtime", 3))
"""The PBX's defaults for missing fields (document, addAutorule)."""


def plan_from_form(fields: Mapping[str, str]) -> DialPlan | None:
    """Returns the plan of the fields of `addAutorule`; None where they are not written as the document says."""
    try:
        # The form has zones as offsets only: any day gives the offset.
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
    """Returns the plan of a `getAutorule` answer: ISO days, minutes with seconds, zone in seconds. None for others."""
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
    """Returns the plan with the form's numbers, which may be text, and the PBX's defaults for missing numbers."""
    lines, tries, seconds = (int(str(fields.get(name) or usual)) for name, usual in _USUAL)
    return replace(plan, lines=max(1, lines), tries=max(1, tries), goodtime=timedelta(seconds=seconds))


def overlap(one: Iterable[tuple[datetime, datetime]], other: Iterable[tuple[datetime, datetime]]) -> bool:
    """Returns whether any two of the windows share a moment."""
    theirs = list(other)
    return any(opens < closes_too and opens_too < closes for opens, closes in one for opens_too, closes_too in theirs)


@dataclass(frozen=True, slots=True)
class CreatedCampaign:
    """A campaign as it was requested, and its known state. Times are ISO 8601 in UTC.

    `outcome` is done, refused, unsent or unknown. `id` and `answer` come from the PBX: from the creation, or from the
    latest reading at `seen_at`. Both are None where no answer was read.
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
    counts: Mapping[str, object] | None = None
    """The counts of its report as last computed, with `counted_at` and `is_final`; None if never."""

    @property
    def status(self) -> str:
        """Returns the PBX's status as last seen; the outcome where no reliable status exists."""
        if self.outcome != "done" and self.seen_at is None:
            return self.outcome  # an answer with status 500 may also hold an id
        return str((self.answer or {}).get("status") or self.outcome)

    @property
    def label(self) -> str:
        """Returns the PBX's id, or our receipt."""
        return self.id or self.receipt

    @property
    def plan(self) -> DialPlan | None:
        """Returns the plan of its form; None where the form cannot be read."""
        return plan_from_form(self.fields)

    def as_dict(self) -> dict[str, object]:
        """Returns the campaign as JSON prints it."""
        return {"id": self.id, "status": self.status, **{k: v for k, v in asdict(self).items() if k != "id"}}


def twin_words(twin: CreatedCampaign) -> tuple[str, str]:
    """Returns the message and the hint for a campaign that exists already, or may exist."""
    if twin.outcome == "done":
        message = tr("the same campaign was created within the last 24 hours: {campaign}", campaign=twin.label)
        look = tr("see `alovoice autorule get {campaign}`", campaign=twin.label)
        return message, joined("; ", [look, tr(_CREATE_AGAIN)])
    look = tr("check in the web console whether the campaign exists")
    if name := twin.fields.get("name"):
        look = tr("check in the web console whether the campaign {name} exists", name=name)
    shown = tr("`alovoice call receipts show {receipt}` shows what was sent", receipt=twin.receipt)
    hint = joined("; ", [look, shown, tr(_CREATE_AGAIN)])
    if twin.settled_at is not None:
        message = tr(
            "the same campaign may have been created within the last 24 hours: the response was lost or unreadable"
            " (receipt {receipt})",
            receipt=twin.receipt,
        )
        return message, hint
    message = tr(
        "process {process} is creating the same campaign, or may have created it before it ended (receipt {receipt})",
        process=twin.pid,
        receipt=twin.receipt,
    )
    wait = tr("if process {process} is still running, wait until it ends", process=twin.pid)
    return message, joined("; ", [wait, hint])


def twin_error(twin: CreatedCampaign) -> CheckFailedError:
    """Returns the error for a campaign that another process created first."""
    message, hint = twin_words(twin)
    return CheckFailedError(tr("{message}: nothing was sent", message=message), hint=hint)
