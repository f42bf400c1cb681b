"""The places and names of journals: a folder of this machine, or the server of a profile's store."""

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

from alovoice_cli.batch_rows import BatchRow, RowProgress
from alovoice_cli.errors import UsageError
from alovoice_cli.language import tr
from alovoice_cli.stores.journal import Journal, JournalHead, JournalTables, damaged

NAME = re.compile(r"[\w][\w.+-]{0,99}")
_SLUG_LENGTH = 40
_DIGEST_LENGTH = 8


class JournalTakenError(UsageError):
    """Another machine began the same journal first."""


class JournalPlace(ABC):
    """The place of one journal, which may not exist yet. Every method raises UsageError."""

    name: str
    """The journal's name for people."""
    label: str
    """The file's path, or the journal's name on a server."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    @property
    @abstractmethod
    def exists(self) -> bool:
        """Returns whether the journal exists."""

    @abstractmethod
    def locked(self, *, shared: bool = False, spacing: float = 0.0) -> AbstractContextManager[None]:
        """Holds the journal's lock, alone or with other machines that share it; raises UsageError naming the holder.

        Machines that share a journal leave `spacing` seconds between two rows of all of them.
        """

    @abstractmethod
    def begin(self, head: JournalHead, rows: Iterable[BatchRow], left_out: Mapping[str, RowProgress]) -> Journal:
        """Creates the journal with all its rows before it gets its name: an empty journal is always damaged.

        Raises JournalTakenError if another machine that shares the journal was first.
        """

    @abstractmethod
    def set_aside(self) -> str:
        """Gives the journal a name that is kept and not searched, and returns it: a restart never deletes a journal."""

    @abstractmethod
    def forget(self) -> None:
        """Deletes the journal."""

    @abstractmethod
    def forget_lock(self) -> None:
        """Removes the lock of a deleted journal."""

    @abstractmethod
    def _tables(self) -> JournalTables:
        """Opens the storage."""

    def open(self) -> Journal:
        """Opens the existing journal. Raises UsageError for a damaged one."""
        journal = Journal(self._tables(), self._now)
        if journal.head is None:
            journal.close()
            raise damaged(self.label, "it holds nothing")
        return journal


class Journals(ABC):
    """The journals of this machine, or those that the machines of a profile share."""

    @abstractmethod
    def named(self, label: str) -> JournalPlace:
        """Returns the journal with this name or path. Raises UsageError for text that is neither."""

    @abstractmethod
    def places(self) -> list[JournalPlace]:
        """Returns all journals, except those set aside."""

    def existing(self, label: str) -> JournalPlace:
        """Returns the journal as `named` does; raises UsageError if it is missing."""
        place = self.named(label)
        if not place.exists:
            raise UsageError(
                tr("there is no batch {name} here", name=label), hint=tr("see `alovoice call batches list`")
            )
        return place

    def usual(self, verb: str, source: str, digest: str) -> JournalPlace:
        """Returns the journal of a list without a given name: by command, file name and digest."""
        return self.named(f"{verb}-{_slug(source)}-{digest[:_DIGEST_LENGTH]}")

    def siblings(self, verb: str, source: str) -> list[JournalPlace]:
        """Returns the journals of other lists with the same file name."""
        pattern = re.compile(re.escape(f"{verb}-{_slug(source)}-") + r"[0-9a-f]{8}")
        return [place for place in self.places() if pattern.fullmatch(place.name)]


def digest_of(profile: str, command: str, content: bytes) -> str:
    """Returns the identity of a list: its bytes, its profile and its command."""
    return hashlib.sha256(b"\0".join((profile.encode(), command.encode(), content))).hexdigest()


def _slug(source: str) -> str:
    stem = "stdin" if source == "-" else Path(source).stem
    return re.sub(r"[^\w]+", "-", stem).strip("-")[:_SLUG_LENGTH] or "list"
