"""Deliveries that the event store cannot take: a file of JSON lines, synced before the answer.

It contains deliveries, answers that became known later, and signs of life. It is emptied into the store as soon as the
store works again. A line that a crash cut short was never answered.
"""

import base64
import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

from alovoice_cli.errors import UsageError
from alovoice_cli.events.event import EVENT_TYPES, Delivery
from alovoice_cli.events.event_assembly import LateAnswer
from alovoice_cli.language import tr
from alovoice_cli.stores.process_lock import ProcessLock

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_BLANKS = b"\n" * 4096
_WHERE = ("host", "hostaddr", "port", "dbname", "service")
"""The options of a server's URL that identify the database."""
_MOST_LISTENERS = 100


class ListenerUptime(NamedTuple):
    """A listener's row of `uptime`: its id, and unix microseconds."""

    id: str
    began_at: int
    seen_at: int
    ended_at: int | None = None


@dataclass(slots=True)
class SpoolContent:
    """The content of a spool, in its order."""

    deliveries: list[Delivery] = field(default_factory=list)
    answers: list[LateAnswer] = field(default_factory=list)
    uptimes: list[ListenerUptime] = field(default_factory=list)
    size: int = 0
    """The end of the content in the file, in bytes."""


class Spool:
    """One listener's file `spool-….jsonl`. For one thread at a time."""

    def __init__(self, path: Path, lock: ProcessLock | None = None) -> None:
        self.path, self._lock = path, lock

    @classmethod
    def beside(cls, store: Path) -> "Spool":
        """Returns the spool of the store in this file."""
        return cls(store.with_name(f"spool-{store.stem}.jsonl"))

    @classmethod
    def of_server(cls, folder: Path, url: str) -> "Spool":
        """Returns the first spool of this store in the folder that no other listener on this machine holds.

        Raises UsageError if the folder cannot be used.
        """
        for number in range(1, _MOST_LISTENERS):
            path = folder / f"{_stem(url)}-{number}.jsonl"
            lock = ProcessLock(path.with_suffix(".lock"))
            if lock.acquire():
                return cls(path, lock)
        raise UsageError(
            tr("{number} listeners of this store run on this computer", number=_MOST_LISTENERS - 1),
            hint=tr("stop one of them"),
        )

    @staticmethod
    def paths_of_server(folder: Path, url: str) -> list[Path]:
        """Returns the spools of this store in the folder, with or without a listener."""
        return sorted(folder.glob(f"{_stem(url)}-*.jsonl"))

    @contextmanager
    def abandoned(self) -> "Iterator[list[Spool]]":
        """Yields the spools of dead listeners of the same store on this machine; this listener holds them meanwhile."""
        found: list[Spool] = []
        try:
            if self._lock is not None:
                stem = self.path.stem.rpartition("-")[0]
                others = [path for path in self.path.parent.glob(f"{stem}-*.jsonl") if path != self.path]
                for path in sorted(others):
                    lock = ProcessLock(path.with_suffix(".lock"))
                    if lock.acquire():
                        found.append(Spool(path, lock))
            yield found
        finally:
            for spool in found:
                spool.release()

    def release(self) -> None:
        """Releases the spool for the next listener."""
        if self._lock is not None:
            self._lock.release()

    def append(
        self,
        deliveries: Sequence[Delivery],
        answers: Sequence[LateAnswer] = (),
        uptimes: Sequence[ListenerUptime] = (),
    ) -> None:
        """Appends these durably, all or none. Raises OSError."""
        lines = [_as_json(delivery) for delivery in deliveries]
        lines += [{"answer": asdict(late)} for late in answers]
        lines += [{"uptime": list(uptime)} for uptime in uptimes]
        self._write(b"".join(json.dumps(line).encode() + b"\n" for line in lines))

    def has_room(self) -> bool:
        """Returns whether the disk takes a delivery: writes blank lines, which readers ignore, and cuts them off."""
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

    @property
    def size(self) -> int:
        """Returns the size of the file in bytes; 0 without a file."""
        return self.path.stat().st_size if self.path.exists() else 0

    def read(self, start: int = 0) -> SpoolContent:
        """Returns all complete lines of the file from this byte on, oldest first; nothing without a file.

        Raises OSError.
        """
        found = SpoolContent()
        try:
            with self.path.open("rb") as file:
                file.seek(start)
                content = file.read()
        except FileNotFoundError:
            return found
        found.size = start + len(content)
        for line in content.splitlines():
            value = _from_line(line)
            if isinstance(value, Delivery):
                found.deliveries.append(value)
            elif isinstance(value, LateAnswer):
                found.answers.append(value)
            elif value is not None:
                found.uptimes.append(value)
        return found

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


def _stem(url: str) -> str:
    """Returns the name of the spools of a server's database; the account and its password are no part of it."""
    parts = urlsplit(url)
    options = sorted((name, text) for name, text in parse_qsl(parts.query) if name in _WHERE)
    place = f"{parts.netloc.rpartition('@')[2]}{parts.path}?{options}"
    name = re.sub(r"[^A-Za-z0-9_.]", "", parts.path)[:40] or "server"
    return f"spool-{name}-{sha256(place.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def _from_line(line: bytes) -> Delivery | LateAnswer | ListenerUptime | None:
    try:
        row = json.loads(line)
        if "answer" in row:
            return LateAnswer(**row["answer"])
        if "uptime" in row:
            own_id, began_at, seen_at, ended_at = row["uptime"]
            return ListenerUptime(str(own_id), int(began_at), int(seen_at), ended_at and int(ended_at))
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
            query=str(row.get("query", "")),  # a line of an older version has none
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
