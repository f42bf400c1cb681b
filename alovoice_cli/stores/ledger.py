"""The requests of this machine, or of all machines that share a store: each one that dials, creates or costs is
written before it leaves.

A row begins with `intend`, committed and synced before the request may leave, and ends with `settle`. A row without an
end belongs to a process that still works or has died: the request may have been carried out, so it reads as `unknown`.
Any thread of any process may call at any time.
"""

import json
import os
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from alovoice_cli.errors import CheckFailedError, UsageError
from alovoice_cli.language import tr
from alovoice_cli.receipts import Intent, Receipt, RequestOutcome
from alovoice_cli.stores.database import StoreConnection, database_at, in_chunks
from alovoice_cli.stores.migrations import iso, storable
from alovoice_cli.stores.row_values import (
    NUMBER,
    NUMBER_OR_NONE,
    TEXT,
    TEXT_OR_NONE,
    Kinds,
    iso_time_of,
    json_of,
    require_kinds,
    texts_of,
)

STORE_NAME = "ledger.db"
"""The file's name in the state directory."""

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD = str.maketrans("OIL", "011")  # the alphabet without letters that look like digits
_SHORTEST_CODE = 4  # a million codes; a crowded ledger gets longer ones
_TRIES_A_LENGTH = 8

_TICKS_A_SECOND = 100_000  # of 10 microseconds: 15 digits last until the year 2286
_LARGEST_ID = 10**15 - 1

_BEGUN = "code, profile, command, method, path, numbers, our_id, request, begun_at, pid"
_COLUMNS = f"{_BEGUN}, state, exit_code, sent, status, answer, settled_at"
_KINDS: Kinds = (
    *(TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, NUMBER),
    *(TEXT_OR_NONE, NUMBER_OR_NONE, TEXT_OR_NONE, NUMBER_OR_NONE, TEXT_OR_NONE, TEXT_OR_NONE),
)
_OF_IDS = f"SELECT number, {_COLUMNS} FROM receipt WHERE our_id IN ({{}})"  # noqa: S608 - constants
_MAY_BE_DONE = "COALESCE(state, 'unknown') NOT IN ('refused', 'unsent')"
MIGRATIONS = (
    """
    CREATE TABLE receipt (
        number INTEGER PRIMARY KEY AUTOINCREMENT, code TEXT NOT NULL UNIQUE, profile TEXT NOT NULL,
        command TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL, numbers TEXT NOT NULL, our_id TEXT NOT NULL,
        request TEXT NOT NULL, begun_at TEXT NOT NULL, pid INTEGER NOT NULL,
        state TEXT, exit_code INTEGER, sent TEXT, status INTEGER, answer TEXT, settled_at TEXT
    );
    CREATE TABLE made_id (last INTEGER NOT NULL);
    INSERT INTO made_id VALUES (0);
    """,
    """
    CREATE INDEX receipt_by_time ON receipt (profile, begun_at);
    CREATE INDEX receipt_by_id ON receipt (our_id);
    """,
    # The tables of stores.batch_records.
    """
    CREATE TABLE batch (
        number INTEGER PRIMARY KEY AUTOINCREMENT, profile TEXT NOT NULL, digest TEXT NOT NULL, name TEXT NOT NULL,
        path TEXT NOT NULL, source TEXT NOT NULL, begun_at TEXT NOT NULL
    );
    CREATE INDEX batch_by_digest ON batch (profile, digest);
    CREATE TABLE batch_row (
        key TEXT NOT NULL, our_id TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (key, our_id)
    ) WITHOUT ROWID;
    """,
)


class Quota(NamedTuple):
    """The most requests to some paths (or their beginnings) from `since` (aware) on; `name` is the limit's name."""

    name: str
    most: int
    paths: tuple[str, ...]
    since: datetime

    def spent(self, more: int = 0) -> CheckFailedError:
        """Returns the error for a quota that is too small for this many more requests."""
        message = tr("the profile's {name} is {limit} within 24 hours", name=self.name, limit=self.most)
        if more:
            message = tr(
                "the profile's {name} is {limit} within 24 hours, and {more} more are requested",
                name=self.name,
                limit=self.most,
                more=more,
            )
        return CheckFailedError(
            message, hint=tr("wait, or raise it with `alovoice config set {name} N`", name=self.name)
        )


class Ledger:
    """The file `ledger.db`, or the tables of a server. A damaged file raises: an empty ledger would mean that nothing
    was ever sent.

    Every method raises UsageError for an unusable file or server; nothing has been sent then.
    """

    def __init__(self, place: Path | str, now: Callable[[], datetime]) -> None:
        self.database = database_at(place, "ledger", MIGRATIONS)
        self._now = now

    # --- what is written ---------------------------------------------------------------------------------------------

    def intend(self, intent: Intent, quota: Quota | None = None) -> str:
        """Writes a request that is about to be sent, and returns its receipt (`R-7F3K`), durably.

        Raises CheckFailedError for a spent quota: counting and writing are one transaction, so no parallel
        process can exceed it.
        """
        columns = (
            *(storable(text) for text in (intent.profile, intent.command, intent.method, intent.path)),
            json.dumps(list(intent.numbers)),
            storable(intent.our_id),
            json.dumps(dict(intent.request)),
            iso(self._now()),
            os.getpid(),
        )
        if quota is None:
            with self.database.opened() as connection:
                return f"R-{_insert(connection, columns)}"
        with self.database.writing() as connection:
            if _count(connection, columns[0], quota) >= quota.most:
                raise quota.spent()
            return f"R-{_insert(connection, columns)}"

    def settle(self, receipt: str, outcome: RequestOutcome) -> None:
        """Adds the outcome to a receipt; a second outcome replaces the first."""
        end = (outcome.state, int(outcome.exit_code), outcome.sent, outcome.status, storable(outcome.answer))
        with self.database.opened() as connection:
            found = connection.execute(
                "UPDATE receipt SET state = ?, exit_code = ?, sent = ?, status = ?, answer = ?, settled_at = ?"
                " WHERE code = ?",
                (*end, iso(self._now()), _code(receipt)),
            )
        if not found.rowcount:
            raise _unknown_receipt(receipt)

    def make_id(self) -> str:
        """Returns an id for a call: decimal, at most 15 digits (the API's section 4), never used twice here."""
        return self.make_ids(1)[0]

    def make_ids(self, count: int) -> list[str]:
        """Returns several ids at once, as `make_id`."""
        tick = int(self._now().timestamp() * _TICKS_A_SECOND)
        with self.database.writing() as connection:
            # The clock may go back, and two processes may call within one tick: so the last id counts too.
            row = connection.execute("SELECT last FROM made_id").fetchone()
            if row is None or not isinstance(row[0], int):
                raise UsageError(tr("{path} is damaged, or is not a SQLite file", path=self.database.label))
            made = max(row[0] + 1, tick)
            latest = made + count - 1
            connection.execute("UPDATE made_id SET last = ?", (latest,))
            if latest > _LARGEST_ID:
                raise UsageError(
                    tr("no id of 15 digits is left: the clock is far in the future"), hint=tr("set the clock")
                )
        return [str(number) for number in range(made, latest + 1)]

    # --- what is read ------------------------------------------------------------------------------------------------

    def receipts(self, *, since: datetime | None = None, limit: int = 0) -> list[Receipt]:
        """Returns the receipts, newest first; those begun at `since` (aware) or later; `limit` 0 means all."""
        begun = "" if since is None else iso(since)
        most = f" LIMIT {limit}" if limit else ""
        return self._read(f"begun_at >= ? ORDER BY number DESC{most}", begun)

    def receipts_of(self, our_ids: Iterable[str]) -> list[Receipt]:
        """Returns the receipts of requests with one of these ids of ours, oldest first; none without a ledger."""
        ids = dict.fromkeys(storable(our_id) for our_id in our_ids)
        if not ids or not self.database.exists:
            return []
        with self.database.opened() as connection:
            rows = in_chunks(ids, lambda marks, part: connection.execute(_OF_IDS.format(marks), part).fetchall())
        return [self._receipt_from(row) for _, *row in sorted(rows)]

    def placed(self, profile: str, since: datetime, path: str = "") -> list[Receipt]:
        """Returns the profile's receipts begun at `since` (aware) or later, oldest first, by an index.

        Only those of one path (or its beginning), or all. None without a ledger.
        """
        if not self.database.exists:
            return []
        where = "profile = ? AND begun_at >= ? AND path LIKE ? ORDER BY begun_at"
        return self._read(where, storable(profile), iso(since), f"{path}%")

    def receipt(self, code: str) -> Receipt:
        """Returns the receipt of this code, in upper or lower case, with or without `R-`.

        Raises UsageError for none.
        """
        found = self._read("code = ?", _code(code))
        if not found:
            raise _unknown_receipt(code)
        return found[0]

    def count(self, profile: str, quota: Quota) -> int:
        """Returns how many requests count for the quota: carried out, or perhaps carried out."""
        with self.database.opened() as connection:
            return _count(connection, storable(profile), quota)

    def called_numbers(self, profile: str, since: datetime) -> set[str]:
        """Returns the numbers of calls requested, or perhaps requested, at `since` (aware) or later."""
        with self.database.opened() as connection:
            rows = connection.execute(
                f"SELECT numbers FROM receipt WHERE profile = ? AND begun_at >= ? AND {_MAY_BE_DONE}",  # noqa: S608 - a constant
                (storable(profile), iso(since)),
            ).fetchall()
            return {number for (numbers,) in rows for number in texts_of(numbers)}

    def _read(self, where: str, *values: object) -> list[Receipt]:
        with self.database.opened() as connection:
            rows = connection.execute(f"SELECT {_COLUMNS} FROM receipt WHERE {where}", values).fetchall()  # noqa: S608 - our own conditions
        return [self._receipt_from(row) for row in rows]

    def _receipt_from(self, row: Sequence[Any]) -> Receipt:
        try:
            return _receipt_from(row)
        except (TypeError, ValueError) as error:
            label = self.database.label
            message = tr("{path} is damaged: receipt {receipt} cannot be read", path=label, receipt=f"R-{row[0]}")
            raise UsageError(message, detail=str(error)) from error


def _receipt_from(row: Sequence[Any]) -> Receipt:
    """Returns the receipt in a row of _COLUMNS. Raises ValueError or TypeError for a damaged row."""
    require_kinds(row, _KINDS)
    code, profile, command, method, path, numbers, our_id, request, begun_at, pid, *end = row
    state, exit_code, sent, status, answer, settled_at = end
    return Receipt(
        receipt=f"R-{code}",
        profile=profile,
        command=command,
        method=method,
        path=path,
        numbers=texts_of(numbers),
        our_id=our_id,
        request=json_of(request),
        begun_at=iso_time_of(begun_at),
        pid=pid,
        outcome=state or "unknown",
        exit_code=exit_code,
        sent=sent or "maybe",
        status=status,
        answer=answer,
        settled_at=None if settled_at is None else iso_time_of(settled_at),
    )


def _count(connection: StoreConnection, profile: object, quota: Quota) -> int:
    fits = " OR ".join(["path LIKE ?"] * len(quota.paths))
    (found,) = connection.execute(
        f"SELECT COUNT(*) FROM receipt WHERE profile = ? AND begun_at >= ? AND {_MAY_BE_DONE} AND ({fits})",  # noqa: S608 - constants
        (profile, iso(quota.since), *(f"{path}%" for path in quota.paths)),
    ).fetchone()
    return int(found)


def _insert(connection: StoreConnection, columns: tuple[object, ...]) -> str:
    """Draws the shortest code without a receipt, and writes the receipt. Returns the code."""
    tries = 0
    while True:
        # One system call a code: 256 is a multiple of the number of letters, so all are equally likely.
        drawn = os.urandom(_SHORTEST_CODE + tries // _TRIES_A_LENGTH)
        code = "".join(_CROCKFORD[byte % len(_CROCKFORD)] for byte in drawn)
        made = connection.execute(
            f"INSERT INTO receipt ({_BEGUN}) VALUES (?{', ?' * 9}) ON CONFLICT (code) DO NOTHING",  # noqa: S608 - question marks
            (code, *columns),
        )
        if made.rowcount:
            return code
        tries += 1


def _code(receipt: str) -> str:
    return storable(receipt.strip().upper().removeprefix("R-").translate(_MISREAD))


def _unknown_receipt(receipt: str) -> UsageError:
    return UsageError(
        tr("there is no receipt {receipt} here", receipt=receipt), hint=tr("see `alovoice call receipts list`")
    )
