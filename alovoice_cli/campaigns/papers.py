"""What the ledger keeps of a campaign beside its form: where its files lie, what they held, and whom it calls."""

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

FILES = ("record", "recipients")
"""The form's parts that are files."""

_BLOCK = 1 << 20
_MADE_NAME = re.compile(r" [0-9]{9,15}")


@dataclass(frozen=True, slots=True)
class Paper:
    """One file of a campaign. `path` is absolute, or empty where the content came from stdin or was made here."""

    name: str
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Papers:
    """A campaign as it is about to be sent. `digest` says whether two are the same."""

    fields: Mapping[str, str]
    """The form's texts, as the ledger may keep them: without any secret."""
    digest: str = ""
    record: Paper | None = None
    recipients: Paper | None = None
    numbers: tuple[str, ...] = ()
    """The numbers that will be called, whole: 998901234567."""
    allow_duplicate: bool = False
    """Whether the same campaign may have been created lately."""

    @property
    def count(self) -> int:
        """How many different numbers will be called."""
        return len(self.numbers)


def same_words(fields: Mapping[str, str], record: Paper | None, recipients: Paper | None) -> tuple[object, ...]:
    """What tells two campaigns apart where their files' content is not known: the form's texts and the files' names.

    A name that was made here, of the recording's name and digits, is another one each time, and does not count.
    """
    stem = Path(record.name).stem if record else ""
    is_made = _MADE_NAME.fullmatch(fields.get("name", "").removeprefix(stem)) is not None
    told = {name: text for name, text in fields.items() if not (is_made and name == "name")}
    return told, record and record.name, recipients and recipients.name


def describe(file: BinaryIO, name: str, path: str) -> Paper:
    """Reads an open, seekable file for its digest and leaves it at its start; `path` is empty for one without."""
    file.seek(0)
    digest = hashlib.sha256()
    while block := file.read(_BLOCK):
        digest.update(block)
    file.seek(0)
    return Paper(name, str(Path(path).absolute()) if path else "", digest.hexdigest())


def make_digest(fields: Mapping[str, str], record: Paper, recipients: Paper, *, named: bool) -> str:
    """One key for the campaigns that are the same in all fields and both files.

    A name that was made here (not `named`) is another one each time, and does not count.
    """
    told = {name: text for name, text in fields.items() if named or name != "name"}
    parts = [json.dumps(told, sort_keys=True), record.sha256, recipients.sha256]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@contextmanager
def reading_rows(file: BinaryIO, encoding: str, delimiter: str) -> Iterator[Iterator[list[str]]]:
    """The rows of an open list that hold something; the file is at its start again, and open, when the block ends."""
    file.seek(0)
    text = io.TextIOWrapper(file, encoding, newline="")
    try:
        yield (row for row in csv.reader(text, delimiter=delimiter) if any(cell.strip() for cell in row))
    finally:
        text.detach()  # else the wrapper would close the file, which is still to be sent
        file.seek(0)
