"""The campaigns that were created from this machine, or from all machines that share a store.

The API cannot list campaigns, so this is the list. A row begins with `intend`, committed and synced before the request
may leave, and ends with `settle`. A campaign without an end may have been created: it reads as `unknown`.
"""

import json
import os
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from alovoice_cli.campaigns.campaign_record import (
    FILES,
    NOT_CREATED,
    OVER,
    CampaignGuard,
    CampaignRecord,
    CreatedCampaign,
    KeptList,
    SubmittedFile,
    overlap,
    same_words,
    twin_error,
)
from alovoice_cli.campaigns.dialer_simulation import DialPlan
from alovoice_cli.errors import UsageError
from alovoice_cli.language import tr
from alovoice_cli.masking import Masker, mask_fields
from alovoice_cli.receipts import Receipt
from alovoice_cli.stores.database import StoreConnection, database_at
from alovoice_cli.stores.migrations import iso, storable
from alovoice_cli.stores.row_values import (
    NUMBER,
    NUMBER_OR_NONE,
    TEXT,
    TEXT_OR_NONE,
    DamagedRowError,
    Kinds,
    iso_time_of,
    json_of,
    require_kinds,
)

STORE_NAME = "campaigns.db"
"""The file's name in the state directory."""

MIGRATIONS = (
    """
    CREATE TABLE campaign (
        number INTEGER PRIMARY KEY AUTOINCREMENT, receipt TEXT NOT NULL UNIQUE, profile TEXT NOT NULL,
        digest TEXT NOT NULL, fields TEXT NOT NULL, record TEXT NOT NULL, recipients TEXT NOT NULL,
        count INTEGER NOT NULL, begun_at TEXT NOT NULL, pid INTEGER NOT NULL,
        state TEXT, exit_code INTEGER, settled_at TEXT, id TEXT, answer TEXT, seen_at TEXT
    );
    CREATE INDEX campaign_by_id ON campaign (profile, id);
    CREATE TABLE called (number INTEGER PRIMARY KEY REFERENCES campaign (number), numbers BLOB NOT NULL);
    """,
    # The list with all its columns, as campaigns.kept_list packs it; and what a report last counted, as JSON.
    """
    CREATE TABLE list (
        number INTEGER PRIMARY KEY REFERENCES campaign (number), content BLOB NOT NULL, reading TEXT NOT NULL
    );
    ALTER TABLE campaign ADD COLUMN counts TEXT;
    """,
)

_COLUMNS = (
    "receipt, profile, digest, fields, record, recipients, count, begun_at, pid,"
    " state, exit_code, settled_at, id, answer, seen_at, counts"
)
_KINDS: Kinds = (
    *(TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, NUMBER, TEXT, NUMBER),
    *(TEXT_OR_NONE, NUMBER_OR_NONE, TEXT_OR_NONE, TEXT_OR_NONE, TEXT_OR_NONE, TEXT_OR_NONE, TEXT_OR_NONE),
)
# An older version wrote no digest, and damage may write anything.
_SAME_OR_UNKNOWN = "(digest IN (?, '') OR length(digest) <> 64)"
_CREATED = f"profile = ? AND begun_at >= ? AND COALESCE(state, 'unknown') NOT IN {NOT_CREATED!r}"

_ADOPT = """
    INSERT INTO campaign (receipt, profile, digest, fields, record, recipients, count, begun_at, pid,
        state, exit_code, settled_at, id, answer)
    VALUES (?, ?, '', ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (receipt) DO UPDATE SET state = excluded.state, exit_code = excluded.exit_code,
        settled_at = excluded.settled_at, id = excluded.id, answer = excluded.answer
    WHERE campaign.digest = '' AND campaign.state IS NULL
"""


class CampaignStore:
    """The file `campaigns.db`, or the tables of a server. A damaged file raises: an empty list would mean that nothing
    was ever created.

    Every method raises UsageError for an unusable file or server; nothing has been sent then.
    """

    def __init__(self, place: Path | str, now: Callable[[], datetime]) -> None:
        self.database = database_at(place, "campaigns", MIGRATIONS)
        self._now = now

    # --- what is sent ------------------------------------------------------------------------------------------------

    def intend(self, receipt: str, profile: str, record: CampaignRecord, guard: CampaignGuard | None = None) -> None:
        """Writes a campaign that is about to be sent; durable when this returns.

        Raises CheckFailedError or UsageError where the guard forbids it. Check and write are one transaction, so other
        processes that create campaigns wait.
        """
        values = (
            receipt,
            storable(profile),
            record.digest,
            json.dumps(dict(record.fields)),
            _file_text(record.record),
            _file_text(record.recipients),
            record.count,
            iso(self._now()),
            os.getpid(),
        )
        numbers = zlib.compress("\n".join(record.numbers).encode(), 1)
        with self.database.writing() as connection:
            if guard is not None:
                self._check(connection, storable(profile), record, guard)
            # Since its receipt was written, another process may have adopted it as a campaign of an older version.
            connection.execute("DELETE FROM campaign WHERE receipt = ?", (receipt,))
            ((number,),) = connection.execute(
                "INSERT INTO campaign (receipt, profile, digest, fields, record, recipients, count, begun_at, pid)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING number",
                values,
            ).fetchall()
            connection.execute("INSERT INTO called VALUES (?, ?)", (number, numbers))
            if record.kept is not None:
                kept = (number, record.kept.packed, record.kept.reading)
                connection.execute("INSERT INTO list VALUES (?, ?, ?)", kept)

    def _check(self, connection: StoreConnection, profile: str, record: CampaignRecord, guard: CampaignGuard) -> None:
        if guard.refuses_twins:
            twin = self._twin(connection, profile, guard.since, record, guard.own)
            if twin is not None:
                raise twin_error(twin)
        guard.check_count(_count(connection, profile, guard.since))

    def adopt(self, entries: Iterable[Receipt]) -> None:
        """Takes over campaigns that a version without this file left in the ledger of calls: they count like others.

        A campaign that was taken over before gets its outcome from the ledger.
        """
        with self.database.opened() as connection:
            found = connection.execute("SELECT receipt FROM campaign WHERE digest <> ''").fetchall()
        known = {receipt for (receipt,) in found}
        rows = [_adopted(entry) for entry in entries if entry.receipt not in known]
        if rows:
            with self.database.writing() as connection:
                connection.executemany(_ADOPT, rows)

    def settle(self, receipt: str, state: str, exit_code: int, answer: str) -> None:
        """Writes the outcome: done, refused, unsent or unknown, and the answer's text, if the answer is a campaign."""
        campaign = _campaign_of(answer) if state not in NOT_CREATED else None
        with self.database.writing() as connection:
            connection.execute(
                "UPDATE campaign SET state = ?, exit_code = ?, settled_at = ?, id = ?, answer = ? WHERE receipt = ?",
                (
                    state,
                    int(exit_code),
                    iso(self._now()),
                    None if campaign is None else str(campaign["id"]),
                    None if campaign is None else json.dumps(campaign),
                    receipt,
                ),
            )

    def note(self, profile: str, campaign_id: str, answer: Mapping[str, object], masker: Masker) -> None:
        """Stores the campaign's present state, masked; a campaign that was not created from here is ignored."""
        kept = json.dumps(mask_fields(masker.hide_in(dict(answer))))
        with self.database.writing() as connection:
            connection.execute(
                "UPDATE campaign SET answer = ?, seen_at = ? WHERE profile = ? AND id = ?",
                (kept, iso(self._now()), storable(profile), storable(masker.hide(campaign_id))),
            )

    def note_counts(self, receipt: str, counts: Mapping[str, object]) -> None:
        """Stores what a report has counted, for `autorule list`."""
        with self.database.writing() as connection:
            connection.execute("UPDATE campaign SET counts = ? WHERE receipt = ?", (json.dumps(dict(counts)), receipt))

    # --- what is asked -----------------------------------------------------------------------------------------------

    def campaigns(self, profile: str, since: datetime | None = None) -> list[CreatedCampaign]:
        """Returns the campaigns of one profile, the latest first; those begun at `since` (aware) or later."""
        with self.database.opened() as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM campaign WHERE profile = ? AND begun_at >= ? ORDER BY number DESC",  # noqa: S608 - a constant
                (storable(profile), "" if since is None else iso(since)),
            ).fetchall()
        return [self._created(row) for row in rows]

    def campaign(self, profile: str, label: str) -> CreatedCampaign | None:
        """Returns the latest campaign with this id or receipt; None if it was not created from here."""
        with self.database.opened() as connection:
            row = connection.execute(
                f"SELECT {_COLUMNS} FROM campaign WHERE profile = ? AND (id = ? OR receipt = ?) ORDER BY number DESC",  # noqa: S608 - a constant
                (storable(profile), storable(label), storable(label.upper())),
            ).fetchone()
        return None if row is None else self._created(row)

    def numbers(self, receipt: str) -> tuple[str, ...]:
        """Returns the whole numbers of one campaign, in the order of its list."""
        with self.database.opened() as connection:
            row = connection.execute(
                "SELECT numbers FROM called JOIN campaign USING (number) WHERE receipt = ?", (receipt,)
            ).fetchone()
        return () if row is None else tuple(self._unpacked(row[0]))

    def kept_list(self, receipt: str) -> KeptList | None:
        """Returns the list of one campaign; None where an older version created it, or the list is too long."""
        with self.database.opened() as connection:
            row = connection.execute(
                "SELECT content, reading FROM list JOIN campaign USING (number) WHERE receipt = ?", (receipt,)
            ).fetchone()
        return None if row is None else KeptList(*row)

    def called_numbers(self, profile: str, since: datetime) -> Iterator[str]:
        """Returns whole numbers (998901234567) of campaigns created, or perhaps created, at `since` or later."""
        with self.database.opened() as connection:
            rows = connection.execute(
                f"SELECT numbers FROM called JOIN campaign USING (number) WHERE {_CREATED}",  # noqa: S608 - a constant
                (storable(profile), iso(since)),
            ).fetchall()
        for (packed,) in rows:
            yield from self._unpacked(packed)

    def find_twin(self, profile: str, since: datetime, record: CampaignRecord) -> CreatedCampaign | None:
        """Returns the campaign of the same digest that was created, or may have been, at `since` or later.

        Also finds a campaign of an older version, without a digest, with the same fields.
        """
        with self.database.opened() as connection:
            return self._twin(connection, storable(profile), since, record)

    def _twin(
        self,
        connection: StoreConnection,
        profile: str,
        since: datetime,
        record: CampaignRecord,
        own: Collection[str] = (),
    ) -> CreatedCampaign | None:
        rows = connection.execute(
            f"SELECT {_COLUMNS} FROM campaign WHERE {_CREATED} AND {_SAME_OR_UNKNOWN} ORDER BY number DESC",  # noqa: S608 - a constant
            (profile, iso(since), record.digest),
        ).fetchall()
        words = same_words(record.fields, record.record, record.recipients)
        for found in map(self._created, rows):
            is_same = found.digest == record.digest or same_words(found.fields, found.record, found.recipients) == words
            if is_same and found.receipt not in own:
                return found
        return None

    def created_count(self, profile: str, since: datetime) -> int:
        """Returns how many campaigns were created, or may have been, at `since` or later."""
        with self.database.opened() as connection:
            return _count(connection, storable(profile), since)

    def busy_lines(
        self, profile: str, lines: Sequence[str], opens: datetime, closes: datetime
    ) -> list[tuple[str, str]]:
        """Returns the lines that another campaign uses in the same hours, each with the campaign's id (or receipt).

        A finished campaign uses no line. `opens` is the first day's opening and `closes` the last day's last minute,
        both aware: the hours between are each day's window.
        """
        asked = _daily(opens, closes)
        found = []
        with self.database.opened() as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM campaign WHERE {_CREATED} ORDER BY number DESC",  # noqa: S608 - a constant
                (storable(profile), ""),
            ).fetchall()
        for created in map(self._created, rows):
            plan = None if created.status in OVER else created.plan
            shared = [] if plan is None else [line for line in lines if line in plan.trunks]
            if shared and plan is not None and overlap(plan.windows(), asked.windows()):
                found += [(line, created.label) for line in shared]
        return found

    def _created(self, row: Sequence[Any]) -> CreatedCampaign:
        try:
            return _created_from(row)
        except (ValueError, KeyError, TypeError) as error:
            label = self.database.label
            message = tr("{path} is damaged: campaign {receipt} cannot be read", path=label, receipt=row[0])
            raise UsageError(message, detail=str(error)) from error

    def _unpacked(self, packed: bytes) -> list[str]:
        try:
            return zlib.decompress(packed).decode().split()
        except (zlib.error, UnicodeDecodeError) as error:
            message = tr("{path} is damaged: its lists of numbers cannot be read", path=self.database.label)
            raise UsageError(message) from error


def _count(connection: StoreConnection, profile: str, since: datetime) -> int:
    (count,) = connection.execute(
        f"SELECT COUNT(*) FROM campaign WHERE {_CREATED}",  # noqa: S608 - a constant
        (profile, iso(since)),
    ).fetchone()
    return int(count)


def _adopted(entry: Receipt) -> tuple[object, ...]:
    """Returns the columns of _ADOPT; the ledger of calls has neither file contents nor numbers."""
    request = {
        str(name): str(text) for name, text in (entry.request if isinstance(entry.request, dict) else {}).items()
    }
    files = [SubmittedFile(request[name], "", "") if request.get(name) else None for name in FILES]
    campaign = _campaign_of(entry.answer or "") if entry.outcome not in NOT_CREATED else None
    return (
        entry.receipt,
        entry.profile,
        json.dumps({name: text for name, text in request.items() if name not in FILES}),
        *map(_file_text, files),
        entry.begun_at,
        entry.pid,
        entry.outcome if entry.settled_at else None,
        entry.exit_code,
        entry.settled_at,
        None if campaign is None else str(campaign["id"]),
        None if campaign is None else json.dumps(campaign),
    )


def _daily(opens: datetime, closes: datetime) -> DialPlan:
    last = closes.astimezone(opens.tzinfo)
    offset = opens.utcoffset()
    plan = DialPlan(opens.date(), last.date(), opens.time(), last.time().replace(second=0, microsecond=0))
    return plan if offset is None else replace(plan, utc_offset=offset)


def _file_text(file: SubmittedFile | None) -> str:
    """Returns a file's description as JSON."""
    return json.dumps(None if file is None else asdict(file))


def _file_of(text: str) -> SubmittedFile | None:
    value = json_of(text)
    return None if value is None else SubmittedFile(**value)


def _campaign_of(answer: str) -> dict[str, object] | None:
    """Returns the answer as a campaign, if it is JSON with an id."""
    try:
        value = json.loads(answer)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and value.get("id") not in (None, "") else None


def _created_from(row: Sequence[Any]) -> CreatedCampaign:
    """Returns the campaign in a row of _COLUMNS. Raises ValueError, KeyError or TypeError for a damaged row."""
    require_kinds(row, _KINDS)
    receipt, profile, digest, fields, record, recipients, count, begun_at, pid, *end = row
    state, exit_code, settled_at, number, answer, seen_at, counts = end
    return CreatedCampaign(
        receipt=receipt,
        profile=profile,
        digest=digest,
        fields=_object_of(fields),
        record=_file_of(record),
        recipients=_file_of(recipients),
        count=count,
        begun_at=iso_time_of(begun_at),
        pid=pid,
        outcome=state or "unknown",
        exit_code=exit_code,
        settled_at=None if settled_at is None else iso_time_of(settled_at),
        id=number,
        answer=None if answer is None else _object_of(answer),
        seen_at=None if seen_at is None else iso_time_of(seen_at),
        counts=None if counts is None else _object_of(counts),
    )


def _object_of(text: str) -> dict[str, Any]:
    value = json_of(text)
    if not isinstance(value, dict):
        raise DamagedRowError("not an object")
    return value
