"""A row of `campaigns.db` as a value, and what goes into one."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from alovoice_cli.campaigns.campaign_record import SubmittedFile
from alovoice_cli.campaigns.dialer_simulation import DialPlan
from alovoice_cli.campaigns.plans import plan_from_form

COLUMNS = (
    "receipt, profile, digest, fields, record, recipients, count, begun_at, pid,"
    " state, exit_code, settled_at, id, answer, seen_at"
)


@dataclass(frozen=True, slots=True)
class Created:
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


def paper_text(paper: SubmittedFile | None) -> str:
    """A file's description as JSON."""
    return json.dumps(None if paper is None else asdict(paper))


def _paper(text: object) -> SubmittedFile | None:
    value = json.loads(str(text))
    return None if value is None else SubmittedFile(**value)


def campaign_of(answer: str) -> dict[str, object] | None:
    """The answer as a campaign, if it is one: JSON with an id."""
    try:
        value = json.loads(answer)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and value.get("id") not in (None, "") else None


def created_from(row: tuple[object, ...]) -> Created:
    """The campaign in a row of COLUMNS. Raises ValueError, KeyError or TypeError where it is damaged."""
    receipt, profile, digest, fields, record, recipients, count, begun_at, pid, *end = row
    state, exit_code, settled_at, number, answer, seen_at = end
    return Created(
        receipt=str(receipt),
        profile=str(profile),
        digest=str(digest),
        fields=json.loads(str(fields)),
        record=_paper(record),
        recipients=_paper(recipients),
        count=int(str(count)),
        begun_at=str(begun_at),
        pid=int(str(pid)),
        outcome=str(state or "unknown"),
        exit_code=None if exit_code is None else int(str(exit_code)),
        settled_at=None if settled_at is None else str(settled_at),
        id=None if number is None else str(number),
        answer=None if answer is None else json.loads(str(answer)),
        seen_at=None if seen_at is None else str(seen_at),
    )
