"""What the ledger keeps of a campaign beside its form: where its files lie, what they held, and whom it calls."""

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from alovoice_cli import phones
from alovoice_cli.errors import CheckFailedError, UsageError
from alovoice_cli.findings import count

FILES = ("record", "recipients")
"""The form's parts that are files."""

_BLOCK = 1 << 20
_MADE_NAME = re.compile(r" [0-9]{9,15}")


@dataclass(frozen=True, slots=True)
class SubmittedFile:
    """One file of a campaign. `path` is absolute, or empty where the content came from stdin or was made here."""

    name: str
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class CampaignRecord:
    """A campaign as it is about to be sent. `digest` says whether two are the same."""

    fields: Mapping[str, str]
    """The form's texts, as the ledger may keep them: without any secret."""
    digest: str = ""
    record: SubmittedFile | None = None
    recipients: SubmittedFile | None = None
    numbers: tuple[str, ...] = ()
    """The numbers that will be called, whole: 998901234567."""
    allow_duplicate: bool = False
    """Whether the same campaign may have been created lately."""

    @property
    def count(self) -> int:
        """How many different numbers will be called."""
        return len(self.numbers)


def same_words(
    fields: Mapping[str, str], record: SubmittedFile | None, recipients: SubmittedFile | None
) -> tuple[object, ...]:
    """What tells two campaigns apart where their files' content is not known: the form's texts and the files' names.

    A name that was made here, of the recording's name and digits, is another one each time, and does not count.
    """
    stem = Path(record.name).stem if record else ""
    is_made = _MADE_NAME.fullmatch(fields.get("name", "").removeprefix(stem)) is not None
    told = {name: text for name, text in fields.items() if not (is_made and name == "name")}
    return told, record and record.name, recipients and recipients.name


def describe(file: BinaryIO, name: str, path: str) -> SubmittedFile:
    """Reads an open, seekable file for its digest and leaves it at its start; `path` is empty for one without."""
    file.seek(0)
    digest = hashlib.sha256()
    while block := file.read(_BLOCK):
        digest.update(block)
    file.seek(0)
    return SubmittedFile(name, str(Path(path).absolute()) if path else "", digest.hexdigest())


def make_digest(fields: Mapping[str, str], record: SubmittedFile, recipients: SubmittedFile, *, named: bool) -> str:
    """One key for the campaigns that are the same in all fields and both files.

    A name that was made here (not `named`) is another one each time, and does not count.
    """
    told = {name: text for name, text in fields.items() if named or name != "name"}
    parts = [json.dumps(told, sort_keys=True), record.sha256, recipients.sha256]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@contextmanager
def reading_rows(file: BinaryIO, encoding: str, delimiter: str) -> Iterator[Iterator[list[str]]]:
    """The rows of an open list that hold something; the file is at its start again, and open, when the block ends."""
    file.seek(0)
    text = io.TextIOWrapper(file, encoding, newline="")
    try:
        yield (row for row in csv.reader(text, delimiter=delimiter) if any(cell.strip() for cell in row))
    finally:
        text.detach()  # else the wrapper would close the file, which is still to be sent
        file.seek(0)


def listed_numbers(file: BinaryIO, encoding: str, delimiter: str, columns: Sequence[int]) -> tuple[str, ...]:
    """The numbers in the columns (from 0) of an open list, as the check reads them: whole, each once, in their order.

    A foreign number that stands there without its plus is dialled all the same, so it counts too. Of several columns
    all numbers count: which of them the PBX dials is not documented.
    """
    with reading_rows(file, encoding, delimiter) as rows:
        cells = (row[column] for row in rows for column in columns if column < len(row))
        numbers = dict.fromkeys(map(_dialled, cells))
    return tuple(map(str, filter(None, numbers)))


def _dialled(cell: str) -> int:
    number = phones.number_of(cell)
    if not number and phones.read_cell(cell).code == "foreign_without_plus":
        number = next(phones.numbers_in(cell), 0)
    return number


_CREATE_ANYWAY = "--allow-duplicate creates it once more"


@dataclass(frozen=True, slots=True)
class CampaignGuard:
    """The rules for one campaign. `since` is aware: what was created before counts for nothing.

    `most` campaigns may be created, None for any number. `own` are the receipts of the same order's earlier parts.
    """

    since: datetime
    refuses_twins: bool = False
    most: int | None = None
    own: frozenset[str] = frozenset()

    def check_count(self, made: int) -> None:
        """Raises UsageError where one more is too many."""
        if self.most is not None and made >= self.most:
            raise UsageError(
                f"{beyond_daily_limit(made, 1, self.most)}: nothing was sent",
                hint="--override-limit max_campaigns_per_day, if that is meant",
            )


class KnownCampaign(Protocol):
    """A campaign that was created from here, or may have been, see stores/campaign_rows.py."""

    @property
    def label(self) -> str: ...
    @property
    def receipt(self) -> str: ...
    @property
    def fields(self) -> Mapping[str, str]: ...
    @property
    def outcome(self) -> str: ...
    @property
    def settled_at(self) -> str | None: ...
    @property
    def pid(self) -> int: ...


def twin_words(twin: KnownCampaign) -> tuple[str, str]:
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


def twin_error(twin: KnownCampaign) -> CheckFailedError:
    """The error for a campaign that another one was faster with."""
    message, hint = twin_words(twin)
    return CheckFailedError(f"{message}; nothing was sent", hint=hint)


def beyond_daily_limit(made: int, planned: int, most: int) -> str:
    """What is wrong where the campaigns of a day are too many."""
    return f"{count(made, 'campaign')} in the last 24 hours and {planned} now: the profile allows {most}"
