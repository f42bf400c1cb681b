"""What an event store knows of the calls that go on: asked before each call of a batch that leaves lines free."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import BigInteger, bindparam, func, or_, select

from alovoice_cli.batch.call_evidence import MICRO, SKEW
from alovoice_cli.batch.lines import HOLD, LONGEST_CALL, HeardCalls, heard_from
from alovoice_cli.events.coverage import Uptime
from alovoice_cli.events.event import Call
from alovoice_cli.stores.event_engine import sqlite_path, told_plainly
from alovoice_cli.stores.event_reading import EventReading
from alovoice_cli.stores.event_tables import CALL, UPTIME

_BUSY_SECONDS = 0.5
_CHUNK = 500
_SINCE, _UNTIL = bindparam("since", type_=BigInteger()), bindparam("until", type_=BigInteger())

LISTENERS = select(UPTIME.c.began_at, UPTIME.c.seen_at, UPTIME.c.ended_at).where(UPTIME.c.seen_at >= _SINCE)
GOING = (
    select(CALL.c.line, func.count())
    .where(CALL.c.reported_at.between(_SINCE, _UNTIL), CALL.c.end_seq.is_(None))
    # Between extensions no line is needed; a call that names one holds it, whatever its direction.
    .where(or_(CALL.c.line.is_not(None), func.coalesce(CALL.c.direction, "") != "int"))
    .group_by(CALL.c.line)
)
OURS = select(CALL).where(
    CALL.c.number.in_(bindparam("numbers", expanding=True)), CALL.c.reported_at.between(_SINCE, _UNTIL)
)
_NAMES = tuple(CALL.c.keys())


class LineCalls:
    """The store at this URL, which may not be there. For one thread at a time."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._reading = EventReading(url, busy_seconds=_BUSY_SECONDS)

    def heard(self, numbers: Collection[str], now: int) -> HeardCalls | None:
        """The calls that go on at this moment (unix microseconds), and those to these numbers; None: nobody listens.

        Raises UsageError for a store of a kind that is not served, OSError, or sqlite3.Error.
        """
        if not sqlite_path(self._url).exists():
            return None
        try:
            with told_plainly():
                return self._ask(sorted(numbers), now)
        except BaseException:
            self._reading.forget()
            raise

    def close(self) -> None:
        """Gives the connection back."""
        self._reading.forget()

    def _ask(self, numbers: list[str], now: int) -> HeardCalls | None:
        connection, until = self._reading.connection(), (now + HOLD) // MICRO
        listeners = connection.execute(LISTENERS, {"since": now - LONGEST_CALL}).all()
        since = heard_from((Uptime(*row) for row in listeners), now)
        if since is None:
            return None
        # Those to our numbers first: a call that begins in between is then counted twice, and not at all otherwise.
        ours: list[Any] = []
        for start in range(0, len(numbers), _CHUNK):
            values = {"numbers": numbers[start : start + _CHUNK], "since": (now - HOLD - SKEW) // MICRO, "until": until}
            ours += connection.execute(OURS, values).all()
        going = connection.execute(GOING, {"since": since // MICRO, "until": until}).all()
        return HeardCalls(
            {row[0]: row[1] for row in going},
            [Call(**{name: getattr(row, name) for name in _NAMES}) for row in ours],
        )
