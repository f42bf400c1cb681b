"""Deliveries that the event store cannot take: a file of JSON lines, synced before the answer.

It contains deliveries, answers that became known later, and signs of life. It is emptied into the store as soon as the
store works again. The last line, if a crash cut it short, was never answered. A file with any other line that cannot be
read is kept under another name.
"""

import base64
import json
import os
import re
import time
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
from alovoice_cli.language import ngettext, tr
from alovoice_cli.stores.process_lock import ProcessLock
from alovoice_cli.stores.row_values import moment_of, text_of

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_BLANKS = b"\n" * 4096
_WHERE = ("host", "hostaddr", "port", "dbname", "service")
"""The options of a server's URL that identify the database."""
_MOST_LISTENERS = 100
_UNREADABLE = (ValueError, KeyError, TypeError, RecursionError)


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
    unreadable: int = 0
    """How many lines cannot be read, from the beginning of the file."""
    size: int = 0
    """The end of the content in the file, in bytes."""

    def add(self, value: Delivery | LateAnswer | ListenerUptime) -> None:
        """Adds what a line holds."""
        if isinstance(value, Delivery):
            self.deliveries.append(value)
        elif isinstance(value, LateAnswer):
            self.answers.append(value)
        else:
            self.uptimes.append(value)


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

    @staticmethod
    def set_aside_of_server(folder: Path, url: str) -> list[Path]:
        """Returns the files that were renamed because of lines that cannot be read."""
        return sorted(folder.glob(f"{_stem(url)}-*.jsonl.corrupt-*"))

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

    def read(self, start: int = 0, unreadable: int = 0) -> SpoolContent:
        """Returns all complete lines of the file from this byte on, oldest first; nothing without a file.

        `unreadable` lines stand before that byte. Raises OSError.
        """
        found = SpoolContent(unreadable=unreadable)
        try:
            with self.path.open("rb") as file:
                file.seek(start)
                content = file.read()
        except FileNotFoundError:
            return found
        found.size = start + len(content)
        lines = content.split(b"\n")
        for number, line in enumerate(lines, 1):
            try:
                found.add(_from_line(line))
            except _UNREADABLE:
                is_torn = number == len(lines)
                found.unreadable += bool(line.strip()) and not is_torn
        return found

    def end(self, unreadable: int) -> str:
        """Removes the file, because its lines are in the store; with unreadable lines it becomes `NAME.corrupt-<time>`.

        Returns what to tell the operator of such a file, or ''.
        """
        if not unreadable:
            self.path.unlink(missing_ok=True)
            return ""
        aside = self.path.with_name(f"{self.path.name}.corrupt-{time.time_ns() // 1000}")
        self.path.rename(aside)
        return ngettext(
            "{n} line of {path} cannot be read: its event is not in the event store",
            "{n} lines of {path} cannot be read: their events are not in the event store",
            unreadable,
            path=aside,
        )


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


def _from_line(line: bytes) -> Delivery | LateAnswer | ListenerUptime:
    """Raises one of _UNREADABLE for a line that no listener wrote, and for values that no store takes."""
    row = json.loads(line)
    if "answer" in row:
        late = LateAnswer(**row["answer"])
        _require_storable(late)
        return late
    if "uptime" in row:
        own_id, began_at, seen_at, ended_at = row["uptime"]
        return ListenerUptime(
            text_of(own_id), moment_of(began_at), moment_of(seen_at), None if ended_at is None else moment_of(ended_at)
        )
    if row["type"] not in EVENT_TYPES:
        raise ValueError(row["type"])
    return Delivery(
        id=text_of(row["id"]),
        type=row["type"],
        received_at=moment_of(row["received_at"]),
        body=base64.b64decode(row["body"], validate=True),
        content_type=text_of(row["content_type"]),
        peer=text_of(row["peer"]),
        headers=tuple((text_of(name), text_of(value)) for name, value in row["headers"]),
        query=text_of(row.get("query", "")),  # a line of an older version has none
    )


def _require_storable(late: LateAnswer) -> None:
    for text in (late.delivery_id, late.rule or "", late.call_id or "", late.asked or ""):
        text_of(text)
    if not isinstance(late.answer, dict) or not isinstance(late.is_answered, bool):
        raise TypeError("not an answer")
