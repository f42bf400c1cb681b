"""Where the journals of batches live, and which of them a list belongs to."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from alovoice_cli.batch_rows import BatchRow, RowProgress
from alovoice_cli.errors import UsageError
from alovoice_cli.stores.journal import Journal, JournalHead, damaged
from alovoice_cli.stores.process_lock import hold

FOLDER = "batches"
EARLIER = "earlier"
SUFFIX = ".db"
_NAME = re.compile(r"[\w][\w.+-]{0,99}")
_SLUG_LENGTH = 40
_DIGEST_LENGTH = 8


@dataclass(frozen=True, slots=True)
class JournalPath:
    """One journal's file, and the name that people say."""

    name: str
    path: Path

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One process a journal. Raises UsageError naming the process that has it."""
        with hold(self.path.with_name(self.path.name + ".lock"), f"the batch {self.name} runs"):
            yield

    def set_aside(self, now: datetime) -> Path:
        """Moves the file where it is kept and not found any more; a journal is never thrown away by a restart."""
        kept = self.path.parent / EARLIER / f"{self.path.stem}-{now:%Y%m%dT%H%M%S%f}{SUFFIX}"
        kept.parent.mkdir(mode=0o700, exist_ok=True)
        self.path.rename(kept)
        return kept


def digest_of(profile: str, command: str, content: bytes) -> str:
    """By what a list is known as the same one: its bytes, and what is done with it where."""
    return hashlib.sha256(b"\0".join((profile.encode(), command.encode(), content))).hexdigest()


class JournalFolder:
    """The journals of this machine."""

    def __init__(self, state: Path, now: Callable[[], datetime]) -> None:
        self.folder = state / FOLDER
        self._now = now

    def named(self, label: str) -> JournalPath:
        """The journal of a name, or of a path. Raises UsageError for what is neither."""
        if "/" in label or "\\" in label or label.endswith(SUFFIX):
            path = Path(label).absolute()
            return JournalPath(path.name.removesuffix(SUFFIX), path)
        if not _NAME.fullmatch(label):
            raise UsageError(f"no batch can be called {label!r}", hint="letters, digits, `-`, `_`, `.`; or a path")
        return JournalPath(label, self.folder / f"{label}{SUFFIX}")

    def existing(self, label: str) -> JournalPath:
        """As `named`; raises UsageError where there is none."""
        place = self.named(label)
        if not place.path.exists():
            raise UsageError(f"there is no batch {label} here", hint="see `alovoice call batches list`")
        return place

    def usual(self, verb: str, source: str, digest: str) -> JournalPath:
        """The journal of a list that names none: by the command, the file's name and its digest."""
        return self.named(f"{verb}-{_slug(source)}-{digest[:_DIGEST_LENGTH]}")

    def siblings(self, verb: str, source: str) -> list[JournalPath]:
        """The journals of other lists of the same name."""
        pattern = re.compile(re.escape(f"{verb}-{_slug(source)}-") + r"[0-9a-f]{8}")
        return [place for place in self.places() if pattern.fullmatch(place.name)]

    def places(self) -> list[JournalPath]:
        """All journals that are kept under a name."""
        found = sorted(self.folder.glob(f"*{SUFFIX}")) if self.folder.is_dir() else []
        return [JournalPath(path.name.removesuffix(SUFFIX), path) for path in found]

    def open(self, place: JournalPath) -> Journal:
        """Opens one that is there. Raises UsageError for a damaged one."""
        journal = Journal(place.path, self._now)
        if journal.head is None:
            journal.close()
            raise damaged(place.path, "it holds nothing")
        return journal

    def begin(
        self, place: JournalPath, head: JournalHead, rows: Iterable[BatchRow], left_out: Mapping[str, RowProgress]
    ) -> Journal:
        """Makes it: it appears under its name with all rows in it, so that an empty one is always a damaged one."""
        made = place.path.with_name(place.path.name + ".new")
        _remove(made)  # of a process that was killed here
        journal = Journal(made, self._now)
        try:
            journal.begin(head, rows, left_out)
        except BaseException:
            with suppress(UsageError):  # what is raised says more
                journal.close()
            _remove(made)
            raise
        journal.close()
        made.rename(place.path)
        return Journal(place.path, self._now)


def _remove(database: Path) -> None:
    for rest in ("", "-wal", "-shm"):
        database.with_name(database.name + rest).unlink(missing_ok=True)


def _slug(source: str) -> str:
    stem = "stdin" if source == "-" else Path(source).stem
    return re.sub(r"[^\w]+", "-", stem).strip("-")[:_SLUG_LENGTH] or "list"
