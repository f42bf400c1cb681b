"""A connection to an event store for somebody who asks often and never writes."""

from contextlib import suppress

from sqlalchemy import Connection

from alovoice_cli.stores.event_engine import open_reading, sqlite_path


class EventReading:
    """One connection that can only read, opened when it is first asked for. For one thread at a time.

    A damaged store is replaced by another of its name: then the connection is a new one.
    """

    def __init__(self, url: str, *, busy_seconds: float) -> None:
        self._url, self._busy_seconds = url, busy_seconds
        self._opened: Connection | None = None
        self._file = (0, 0)

    def connection(self) -> Connection:
        """The connection to the file that is there now. Raises as SQLite and the system do."""
        found = sqlite_path(self._url).stat()
        if self._opened is None or self._file != (found.st_dev, found.st_ino):
            self.forget()
            self._opened, self._file = open_reading(self._url, busy_seconds=self._busy_seconds)
        return self._opened

    def forget(self) -> None:
        """Closes it: whatever went wrong, the next question gets a new one."""
        opened, self._opened = self._opened, None
        if opened is not None:
            with suppress(Exception):  # it is of no use any more, and says so perhaps
                opened.close()
