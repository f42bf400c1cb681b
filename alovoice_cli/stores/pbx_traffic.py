"""The simulated PBX's record of its telephony: every call that it made or took, and every message about it.

It is in the same file as the rest of the PBX (`stores.pbx`). An open `Traffic` keeps one connection and serves one
caller at a time, from any thread; tests check the messages with `Traffic(path).accounts()`.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from alovoice_cli.stores.migrations import explained, open_store, transaction
from alovoice_cli.stores.pbx import MIGRATIONS

_BUSY_SECONDS = 10.0
UNANSWERED = "no answer yet"
"""The `error` of a delivery that was under way when the PBX stopped."""


@dataclass(frozen=True, slots=True)
class CallCourse:
    """The course of a call. Times are virtual unix seconds; None where the call has not come so far.

    `type`, `number`, `line` and `inner_phone` are the values of callstart. `owed` are the messages that the PBX must
    send once each. `call_id` is the handler's id, `step` the route's answer, and `went_to` the party that was rung in
    the end.
    """

    type: str
    number: str
    line: str
    inner_phone: int
    started_at: int
    answered_at: int | None = None
    ended_at: int | None = None
    status_code: str = ""
    call_id: str | None = None
    step: str = ""
    went_to: str = ""
    owed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PbxPost:
    """One sent message. `id` counts in the order of sending.

    `note` is `dup` for an intended repetition, `late` or `reorder` for a message that was held back, else empty.
    `status` is None without an answer, and `error` gives the reason.
    """

    id: int
    type: str
    body: bytes
    content_type: str | None
    note: str
    status: int | None
    answer: bytes
    error: str


@dataclass(frozen=True, slots=True)
class CallAccount:
    """One call with all its messages; `kind` is inbound, internal, outbound, campaign, conference, ivr, out."""

    id: int
    kind: str
    key: str
    course: CallCourse
    deliveries: tuple[PbxPost, ...] = ()

    @property
    def imbalance(self) -> dict[str, int]:
        """Returns how often each owed message was sent, where that is not once; intended repetitions do not count."""
        sent = [delivery.type for delivery in self.deliveries if delivery.note != "dup"]
        counts = {kind: sent.count(kind) for kind in dict.fromkeys((*self.course.owed, *sent))}
        return {kind: count for kind, count in counts.items() if count != (kind in self.course.owed)}


@dataclass(frozen=True, slots=True)
class Totals:
    """The record in a few numbers.

    `sent` counts messages by type without repetitions, which `repeated` counts; `failed` of all of them had no answer,
    or not a 2xx. `unbalanced` are calls with an owed message that was not sent exactly once, running calls included.
    """

    calls: int
    sent: Mapping[str, int] = field(default_factory=dict)
    repeated: int = 0
    failed: int = 0
    unbalanced: int = 0


class Traffic:
    """The record, open for writing and reading. Raises UsageError as the PBX's store does."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        with explained(path):
            self._connection = open_store(path, MIGRATIONS, timeout=_BUSY_SECONDS)
            # A simulated call need not wait for the disk; after our crash the file is consistent anyway.
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._latest = self._connection.execute("SELECT coalesce(max(id), 0) FROM call").fetchone()[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add_call(self, kind: str, key: str, course: CallCourse, *, born: float, speed: float) -> int:
        """Stores a call that was not requested through the API, and returns its id."""
        with self._writing() as connection:
            cursor = connection.execute(
                "INSERT INTO call (kind, key, request, legs, answered, born, speed, course)"
                " VALUES (?, ?, '{}', '[]', 0, ?, ?, ?)",
                (kind, key, born, speed, json.dumps(asdict(course))),
            )
            return cursor.lastrowid or 0

    def note_course(self, call: int, course: CallCourse) -> None:
        """Stores the present course of a call."""
        answered = course.answered_at is not None
        with self._writing() as connection:
            connection.execute(
                "UPDATE call SET course = ?, answered = ? WHERE id = ?", (json.dumps(asdict(course)), answered, call)
            )

    def begin(self, call: int, kind: str, body: bytes, content_type: str | None, note: str) -> int:
        """Stores a message that is about to be sent, and returns its id."""
        with self._writing() as connection:
            cursor = connection.execute(
                "INSERT INTO delivery (call, type, body, content_type, note, answer, error)"
                " VALUES (?, ?, ?, ?, ?, x'', ?)",
                (call, kind, body, content_type, note, UNANSWERED),
            )
            return cursor.lastrowid or 0

    def finish(self, delivery: int, status: int | None, answer: bytes, error: str) -> None:
        """Stores the answer to a message."""
        with self._writing() as connection:
            connection.execute(
                "UPDATE delivery SET status = ?, answer = ?, error = ? WHERE id = ?", (status, answer, error, delivery)
            )

    def accounts(self) -> list[CallAccount]:
        """Yields every call with a course, by id, with its messages in the order of sending.

        Both are of one moment, also while the PBX continues.
        """
        sent: dict[int, list[PbxPost]] = {}
        with self._reading() as connection:
            for call, *rest in connection.execute(
                "SELECT call, id, type, body, content_type, note, status, answer, error FROM delivery ORDER BY id"
            ):
                sent.setdefault(call, []).append(PbxPost(*rest))
            rows = connection.execute("SELECT id, kind, key, course FROM call WHERE course != '' ORDER BY id")
            return [
                CallAccount(number, kind, key, _course(text), tuple(sent.get(number, ())))
                for number, kind, key, text in rows
            ]

    def totals(self) -> Totals:
        """Returns the totals of the calls that began since this was opened."""
        accounts = [account for account in self.accounts() if account.id > self._latest]
        deliveries = [delivery for account in accounts for delivery in account.deliveries]
        first = [delivery.type for delivery in deliveries if delivery.note != "dup"]
        return Totals(
            calls=len(accounts),
            sent={kind: first.count(kind) for kind in ("callstart", "callend", "result", "route")},
            repeated=len(deliveries) - len(first),
            failed=sum(not 200 <= (delivery.status or 0) < 300 for delivery in deliveries),
            unbalanced=sum(bool(account.imbalance) for account in accounts),
        )

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, explained(self._path), transaction(self._connection):
            yield self._connection

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock, explained(self._path):
            self._connection.execute("BEGIN")  # all reads until the end see one moment
            try:
                yield self._connection
            finally:
                self._connection.execute("ROLLBACK")


def _course(text: str) -> CallCourse:
    values = json.loads(text)
    return CallCourse(**{**values, "owed": tuple(values["owed"])})
