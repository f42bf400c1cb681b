"""What this machine asked a PBX to do: each request that dials, creates or costs, written down before it leaves.

A row begins with `intend`, committed and synced before the request may leave, and ends with `settle`. A row without
an end belongs to a process that is still at work or died in between: the request may have been carried out, so it
reads as `unknown`. Each operation opens its own connection: any thread of any process may call at any time.
"""

import json
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from alovoice_cli.errors import UsageError
from alovoice_cli.stores.migrations import explained, open_store, transaction
from alovoice_cli.stores.quotas import Quota, spent

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SHORTEST = 4  # a million codes; a crowded ledger gets longer ones
_TRIES_A_LENGTH = 8
_MISREAD = str.maketrans("OIL", "011")  # Crockford's alphabet leaves out what is taken for a digit

_TICKS_A_SECOND = 100_000  # of 10 microseconds: 15 digits last until the year 2286
_LARGEST_ID = 10**15 - 1

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
)

_COLUMNS = (
    "code, profile, command, method, path, numbers, our_id, request, begun_at, pid,"
    " state, exit_code, sent, status, answer, settled_at"
)


class Intended(Protocol):
    """A request about to leave. `path` is a template (`/outcall/{token}`): no token comes here."""

    @property
    def profile(self) -> str: ...
    @property
    def command(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def numbers(self) -> Sequence[str]: ...
    @property
    def our_id(self) -> str: ...
    @property
    def request(self) -> Mapping[str, object]: ...


class Settled(Protocol):
    """What became of it. `state`: done, refused, unsent or unknown; `sent`: no, maybe or yes."""

    @property
    def state(self) -> str: ...
    @property
    def exit_code(self) -> int: ...
    @property
    def sent(self) -> str: ...
    @property
    def status(self) -> int | None: ...
    @property
    def answer(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Entry:
    """One receipt. Times are ISO 8601 in UTC; `outcome` is done, refused, unsent or unknown.

    One that was never settled is unknown, and may have been sent; its `exit_code` and what follows are None.
    """

    receipt: str
    profile: str
    command: str
    method: str
    path: str
    numbers: tuple[str, ...]
    our_id: str
    request: object
    begun_at: str
    pid: int
    outcome: str
    exit_code: int | None
    sent: str
    status: int | None
    answer: str | None
    settled_at: str | None

    def as_dict(self) -> dict[str, object]:
        """The receipt as JSON prints it."""
        return {**asdict(self), "numbers": list(self.numbers)}


class Ledger:
    """The file `ledger.db`. A damaged one refuses: an empty ledger would say that nothing was ever sent.

    Every method raises UsageError when the file cannot be used; nothing has been sent then.
    """

    def __init__(self, path: Path, now: Callable[[], datetime]) -> None:
        self.path = path
        self._now = now

    def intend(self, intent: Intended, quota: Quota | None = None) -> str:
        """Writes down what is about to be sent and returns its receipt (`R-7F3K`), once it is safely on the disk.

        Raises UsageError where the quota is spent: counted and written in one transaction, whoever else dials.
        """
        values = (
            *(_storable(text) for text in (intent.profile, intent.command, intent.method, intent.path)),
            json.dumps(list(intent.numbers)),
            _storable(intent.our_id),
            json.dumps(dict(intent.request)),
            self._moment(),
            os.getpid(),
        )
        with self._writing() as connection:
            if quota is not None and _count(connection, intent.profile, quota) >= quota.most:
                raise spent(quota)
            code = _free_code(connection)
            connection.execute(
                "INSERT INTO receipt (code, profile, command, method, path, numbers, our_id, request, begun_at, pid)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (code, *values),
            )
        return f"R-{code}"

    def settle(self, receipt: str, outcome: Settled) -> None:
        """Adds the outcome to a receipt; a second outcome replaces the first."""
        with self._writing() as connection:
            changed = connection.execute(
                "UPDATE receipt SET state = ?, exit_code = ?, sent = ?, status = ?, answer = ?, settled_at = ?"
                " WHERE code = ?",
                (
                    outcome.state,
                    int(outcome.exit_code),
                    outcome.sent,
                    outcome.status,
                    _storable(outcome.answer),
                    self._moment(),
                    _code(receipt),
                ),
            ).rowcount
        if not changed:
            raise _unknown_receipt(receipt)

    def make_id(self) -> str:
        """An id for a call: decimal, at most 15 digits (the API's section 4), never given twice in this directory."""
        return self.make_ids(1)[0]

    def make_ids(self, count: int) -> list[str]:
        """Several at once, as `make_id`."""
        tick = int(self._now().timestamp() * _TICKS_A_SECOND)
        with self._writing() as connection:
            # The clock may go back, and two processes may ask within one tick: so the last id counts too.
            (last,) = connection.execute("SELECT last FROM made_id").fetchone()
            made = max(int(last) + 1, tick)
            latest = made + count - 1
            connection.execute("UPDATE made_id SET last = ?", (latest,))
            if latest > _LARGEST_ID:
                raise UsageError("no id of 15 digits is left: the clock is far in the future", hint="set the clock")
        return [str(number) for number in range(made, latest + 1)]

    def receipts(self, *, since: datetime | None = None, limit: int = 0) -> list[Entry]:
        """The receipts, newest first; of those begun at `since` (aware) or later; `limit` 0 means all."""
        begun = "" if since is None else _iso(since)
        with self._open() as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM receipt WHERE begun_at >= ? ORDER BY number DESC LIMIT ?",  # noqa: S608 - a constant
                (begun, limit or -1),
            ).fetchall()
        return [self._entry(row) for row in rows]

    def count(self, profile: str, quota: Quota) -> int:
        """How many requests count against the quota already: those that were carried out, or may have been."""
        with self._open() as connection:
            return _count(connection, profile, quota)

    def called_numbers(self, profile: str, since: datetime) -> set[str]:
        """The numbers of the calls that were, or may have been, asked for at `since` (aware) or later."""
        with self._open() as connection:
            rows = connection.execute(
                "SELECT numbers FROM receipt WHERE profile = ? AND begun_at >= ?"
                " AND COALESCE(state, 'unknown') NOT IN ('refused', 'unsent')",
                (_storable(profile), _iso(since)),
            ).fetchall()
        return {number for (numbers,) in rows for number in json.loads(numbers)}

    def receipts_of(self, our_ids: Iterable[str]) -> list[Entry]:
        """The receipts of requests that bore one of these ids of ours, oldest first; none where there is no ledger."""
        ids = [_storable(our_id) for our_id in our_ids]
        if not ids or not self.path.exists():
            return []
        with self._open() as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM receipt WHERE our_id IN (SELECT value FROM json_each(?)) ORDER BY number",  # noqa: S608 - a constant
                (json.dumps(ids),),
            ).fetchall()
        return [self._entry(row) for row in rows]

    def receipt(self, code: str) -> Entry:
        """The receipt of this code, in either case, with or without `R-`. Raises UsageError if there is none."""
        with self._open() as connection:
            row = connection.execute(
                f"SELECT {_COLUMNS} FROM receipt WHERE code = ?",  # noqa: S608 - a constant
                (_code(code),),
            ).fetchone()
        if row is None:
            raise _unknown_receipt(code)
        return self._entry(row)

    def _entry(self, row: tuple[object, ...]) -> Entry:
        try:
            return _entry(row)
        except ValueError as error:
            raise UsageError(f"{self.path} is damaged: receipt R-{row[0]} cannot be read") from error

    def _moment(self) -> str:
        return _iso(self._now())

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        connection = open_store(self.path, MIGRATIONS)
        try:
            with explained(self.path):
                yield connection
        finally:
            connection.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._open() as connection, transaction(connection):
            yield connection


def _count(connection: sqlite3.Connection, profile: str, quota: Quota) -> int:
    fits = " OR ".join(["path LIKE ? || '%'"] * len(quota.paths))
    (found,) = connection.execute(
        "SELECT COUNT(*) FROM receipt WHERE profile = ? AND begun_at >= ?"  # noqa: S608 - constants
        f" AND COALESCE(state, 'unknown') NOT IN ('refused', 'unsent') AND ({fits})",
        (_storable(profile), _iso(quota.since), *quota.paths),
    ).fetchone()
    return int(found)


def _iso(moment: datetime) -> str:
    """Sortable as text: always microseconds, always UTC."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _storable(text: str) -> str:
    """SQLite takes no lone surrogate, which an argument in a broken encoding holds."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _free_code(connection: sqlite3.Connection) -> str:
    length = _SHORTEST
    while True:
        for _ in range(_TRIES_A_LENGTH):
            code = "".join(secrets.choice(_CROCKFORD) for _ in range(length))
            if connection.execute("SELECT 1 FROM receipt WHERE code = ?", (code,)).fetchone() is None:
                return code
        length += 1


def _code(receipt: str) -> str:
    return _storable(receipt.strip().upper().removeprefix("R-").translate(_MISREAD))


def _unknown_receipt(receipt: str) -> UsageError:
    return UsageError(f"there is no receipt {receipt} here", hint="see `alovoice call receipts list`")


def _entry(row: tuple[object, ...]) -> Entry:
    code, profile, command, method, path, numbers, our_id, request, begun_at, pid, *end = row
    state, exit_code, sent, status, answer, settled_at = end
    return Entry(
        receipt=f"R-{code}",
        profile=str(profile),
        command=str(command),
        method=str(method),
        path=str(path),
        numbers=tuple(json.loads(str(numbers))),
        our_id=str(our_id),
        request=json.loads(str(request)),
        begun_at=str(begun_at),
        pid=int(str(pid)),
        outcome=str(state or "unknown"),
        exit_code=None if exit_code is None else int(str(exit_code)),
        sent=str(sent or "maybe"),
        status=None if status is None else int(str(status)),
        answer=None if answer is None else str(answer),
        settled_at=None if settled_at is None else str(settled_at),
    )
