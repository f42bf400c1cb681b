"""The past of a caller, from the event store: what rules with `spoke_within` and the like ask while a caller waits.

Read-only, a connection a thread. Any trouble raises: whoever decides then gives the fallback.
"""

import threading
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Select, bindparam, func, or_, select

from alovoice_cli.events.event import ANSWERED_STATUS, MISSED_STATUSES
from alovoice_cli.stores.event_engine import sqlite_path, told_plainly
from alovoice_cli.stores.event_reading import EventReading
from alovoice_cli.stores.event_tables import CALL

BUSY_SECONDS = 0.1
_THIS_CALL_SECONDS = 120

_UNTIL = bindparam("until", type_=BigInteger())  # unix seconds
_OVER = func.coalesce(CALL.c.ended_at, CALL.c.reported_at) <= _UNTIL
_OF_NUMBER = (
    CALL.c.number == bindparam("number"),
    CALL.c.reported_at >= bindparam("since"),
    CALL.c.reported_at <= _UNTIL,
)
# The call in question may have been reported before its route was asked for. A call that is over is another one, and
# so is one that began a while ago: its end may never have been told.
_BEFORE = or_((CALL.c.status.is_not(None)) & _OVER, CALL.c.reported_at < _UNTIL - _THIS_CALL_SECONDS)

LAST_PEER = (
    select(CALL.c.peer)
    .where(*_OF_NUMBER, CALL.c.status == ANSWERED_STATUS, func.coalesce(CALL.c.peer, "") != "", _OVER)
    .order_by(CALL.c.reported_at.desc())
    .limit(1)
)
CALLS = select(func.count()).select_from(CALL).where(*_OF_NUMBER, CALL.c.direction == "inc", _BEFORE)
MISSED = (
    select(func.count())
    .select_from(CALL)
    .where(*_OF_NUMBER, CALL.c.direction == "inc", CALL.c.status.in_(MISSED_STATUSES), _OVER)
)


class StoredPast:
    """The store's calls; `as_of` is the past as it was at a moment. For any thread.

    Raises OSError or sqlite3.Error, within a tenth of a second where another process holds the store.
    """

    def __init__(self, url: str) -> None:
        self._url, self._path = url, sqlite_path(url)
        self._own = threading.local()

    @property
    def exists(self) -> bool:
        """Whether there is a store."""
        return self._path.exists()

    def as_of(self, moment: datetime) -> "StoredHistory":
        """What was known at this (aware) moment: a question of the past is answered as it would have been then."""
        return StoredHistory(self, int(moment.timestamp()))

    def ask(self, statement: Select[Any], number: str, since: datetime, until: int) -> Any:
        """The first value of the statement's first row, None where it has none."""
        values = {"number": number, "since": int(since.timestamp()), "until": until}
        try:
            with told_plainly():
                return self._reading.connection().execute(statement, values).scalar()
        except BaseException:
            self._reading.forget()
            raise

    @property
    def _reading(self) -> EventReading:
        found: EventReading | None = getattr(self._own, "reading", None)
        if found is None:
            found = self._own.reading = EventReading(self._url, busy_seconds=BUSY_SECONDS)
        return found


class StoredHistory:
    """What rules ask about the past (routing.history), as it was known at one moment (unix seconds)."""

    def __init__(self, past: StoredPast, until: int) -> None:
        self._past, self._until = past, until

    def last_peer(self, number: str, since: datetime) -> str | None:
        """The extension of the number's last answered call, whoever called whom."""
        peer: str | None = self._past.ask(LAST_PEER, number, since, self._until)
        return peer

    def calls(self, number: str, since: datetime) -> int:
        """How often the number has called; a call that began within the last two minutes counts once it is over."""
        return int(self._past.ask(CALLS, number, since, self._until))

    def missed(self, number: str, since: datetime) -> int:
        """How many of its calls nobody took."""
        return int(self._past.ask(MISSED, number, since, self._until))
