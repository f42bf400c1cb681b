"""Stores deliveries that the event store refuses: a file of JSON lines, synced before the answer.

It is emptied into the store as soon as the store works again. The sender of a line that a crash cut short was never
answered.
"""

import base64
import json
import os
from collections.abc import Sequence
from pathlib import Path

from alovoice_cli.events.event import EVENT_TYPES, Delivery

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_BLANKS = b"\n" * 4096


class Spool:
    """One listener's file `spool-….jsonl` beside the store. Used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def beside(cls, store: Path) -> "Spool":
        """The spool of this store."""
        return cls(store.with_name(f"spool-{store.stem}.jsonl"))

    def append(self, deliveries: Sequence[Delivery]) -> None:
        """Adds the deliveries, durably and all or none. Raises OSError."""
        self._write(b"".join(json.dumps(_as_json(delivery)).encode() + b"\n" for delivery in deliveries))

    def has_room(self) -> bool:
        """Whether a delivery would be taken: tried with blank lines, which no reader minds, and which are cut off."""
        try:
            self._write(_BLANKS, is_trial=True)
        except OSError:
            return False
        return True

    def _write(self, lines: bytes, *, is_trial: bool = False) -> None:
        descriptor = os.open(self.path, _FLAGS, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            # A line without its end, after a crash or a full disk, must not absorb the next line.
            lines = b"\n" + lines if size else lines
            try:
                _write_all(descriptor, lines)
                os.fsync(descriptor)
            except OSError:
                os.ftruncate(descriptor, size)
                raise
            if is_trial:
                os.ftruncate(descriptor, size)
        finally:
            os.close(descriptor)

    def read(self) -> list[Delivery]:
        """All whole deliveries in the file, oldest first; none where there is no file."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return []
        return [delivery for line in content.splitlines() if (delivery := _from_line(line)) is not None]

    def forget(self) -> None:
        """Removes the file: the store has everything in it."""
        self.path.unlink(missing_ok=True)


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def _as_json(delivery: Delivery) -> dict[str, object]:
    return {
        "id": delivery.id,
        "type": delivery.type,
        "received_at": delivery.received_at,
        "peer": delivery.peer,
        "content_type": delivery.content_type,
        "headers": delivery.headers,
        "query": delivery.query,
        "body": base64.b64encode(delivery.body).decode("ascii"),
    }


def _from_line(line: bytes) -> Delivery | None:
    try:
        row = json.loads(line)
        if row["type"] not in EVENT_TYPES:
            return None
        return Delivery(
            id=str(row["id"]),
            type=row["type"],
            received_at=int(row["received_at"]),
            body=base64.b64decode(row["body"], validate=True),
            content_type=str(row["content_type"]),
            peer=str(row["peer"]),
            headers=tuple((str(name), str(value)) for name, value in row["headers"]),
            query=str(row.get("query", "")),  # an older version's line has none
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
