"""Copies one profile's data from this machine to a server: receipts, campaigns with their lists, batches, journals.

Receipts and campaigns stay here too. A journal is moved: a journal in two places could call everybody twice. A code
that another machine has given to another receipt gets longer.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from alovoice_cli.errors import UsageError
from alovoice_cli.language import tr
from alovoice_cli.stores import campaigns, ledger
from alovoice_cli.stores.copied_rows import CopyCount, CopyStep
from alovoice_cli.stores.database import Database, StoreConnection, database_at
from alovoice_cli.stores.journal import StoredRow, with_receipt
from alovoice_cli.stores.journal_files import JournalFile, JournalFolder, JournalPath
from alovoice_cli.stores.journal_places import JournalTakenError
from alovoice_cli.stores.server_journals import ServerJournal, ServerJournals

_BATCH = 500
_RECEIPT = (
    *("code", "profile", "command", "method", "path", "numbers", "our_id", "request", "begun_at", "pid"),
    *("state", "exit_code", "sent", "status", "answer", "settled_at"),
)
_OUTCOME = _RECEIPT[10:]
_CAMPAIGN = (
    *("receipt", "profile", "digest", "fields", "record", "recipients", "count", "begun_at", "pid"),
    *("state", "exit_code", "settled_at", "id", "answer", "seen_at", "counts"),
)
_LATER = _CAMPAIGN[9:]
_BATCHES = ("profile", "digest", "name", "path", "source", "begun_at")
_LENGTHENED = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
PROFILE_TABLES = ("receipt", "campaign", "batch", "journal")
"""The tables of a copy, in its order."""

Row = Mapping[str, Any]


class ProfileCopy:
    """The copy of a profile's part of the state directory to a server. Raises UsageError if either fails.

    After the copy, `remarks` has a line for each journal that stayed.
    """

    def __init__(self, state: Path, url: str, profile: str, now: Callable[[], datetime]) -> None:
        self._state, self._url, self._profile, self._now = state, url, profile, now
        self._codes: dict[str, str] = {}
        self.remarks: list[str] = []

    def run(self) -> Iterator[CopyStep]:
        """Copies part by part; yields the result of each."""
        path = self._state / ledger.STORE_NAME
        if path.exists():
            source = database_at(path, "ledger", ledger.MIGRATIONS)
            target = database_at(self._url, "ledger", ledger.MIGRATIONS)
            with target.kept_open():
                yield from self._copy_receipts(source, target)
                yield CopyStep("batch", self._copy_batches(source, target))
        path = self._state / campaigns.STORE_NAME
        if path.exists():
            source = database_at(path, "campaigns", campaigns.MIGRATIONS)
            target = database_at(self._url, "campaigns", campaigns.MIGRATIONS)
            with target.kept_open():
                yield from self._copy_campaigns(source, target)
        for place in JournalFolder(self._state, self._now).places():
            assert isinstance(place, JournalPath)
            yield from self._move_journal(place)

    # --- receipts

    def _copy_receipts(self, source: Database, target: Database) -> Iterator[CopyStep]:
        with source.opened() as connection:
            (last,) = connection.execute("SELECT last FROM made_id").fetchone()
        with target.writing() as there:  # an id is made once, by all machines together
            there.execute("UPDATE made_id SET last = ? WHERE last < ?", (last, last))
        for rows in self._pages(source, "receipt", _RECEIPT):
            with target.writing() as there:
                counted = self._bring_receipts(there, rows)
            yield CopyStep("receipt", counted)

    def _bring_receipts(self, there: StoreConnection, rows: Sequence[Row]) -> CopyCount:
        moments = sorted({row["begun_at"] for row in rows})
        asked = f"SELECT {', '.join(_RECEIPT)} FROM receipt WHERE profile = ? AND begun_at IN ({_marks(moments)})"
        found = [_row(_RECEIPT, row) for row in there.execute(asked, (self._profile, *moments)).fetchall()]
        known = {_same_request(row): row for row in found}
        copied = updated = 0
        for row in rows:
            own = known.get(_same_request(row))
            if own is None:
                code = self._free_code(there, row["code"])
                self._insert(there, "receipt", _RECEIPT, {**row, "code": code})
                copied += 1
            else:
                code = own["code"]
                if own["state"] is None and row["state"] is not None:
                    self._change(there, "receipt", _OUTCOME, row, "code", code)
                    updated += 1
            if code != row["code"]:
                self._codes[f"R-{row['code']}"] = f"R-{code}"
        return CopyCount(copied, updated, len(rows) - copied - updated)

    def _free_code(self, there: StoreConnection, code: str) -> str:
        """Returns the code, or a longer one if the code belongs to another receipt."""
        while there.execute("SELECT 1 FROM receipt WHERE code = ?", (code,)).fetchone():
            longer = [code + letter for letter in _LENGTHENED]
            taken = there.execute(f"SELECT code FROM receipt WHERE code IN ({_marks(longer)})", longer).fetchall()
            free = sorted(set(longer) - {row[0] for row in taken})
            code = free[0] if free else longer[0]
        return code

    def _copy_batches(self, source: Database, target: Database) -> CopyCount:
        """Copies the ledger's record of batches: on a server a journal is known by its name."""
        with source.opened() as connection:
            asked = f"SELECT {', '.join(_BATCHES)} FROM batch WHERE profile = ? ORDER BY number"
            batches = [_row(_BATCHES, row) for row in connection.execute(asked, (self._profile,)).fetchall()]
            names = sorted({row["name"] for row in batches})
            asked = "SELECT key, our_id, name FROM batch_row WHERE name = ?"
            rows = [row for name in names for row in connection.execute(asked, (name,)).fetchall()]
        copied = 0
        with target.writing() as there:
            for batch in batches:
                moved = {**batch, "path": batch["name"]}
                same = "SELECT 1 FROM batch WHERE profile = ? AND digest = ? AND path = ?"
                if there.execute(same, (moved["profile"], moved["digest"], moved["path"])).fetchone() is None:
                    self._insert(there, "batch", _BATCHES, moved)
                    copied += 1
            there.executemany(
                "INSERT INTO batch_row (key, our_id, name) VALUES (?, ?, ?) ON CONFLICT (key, our_id) DO NOTHING", rows
            )
        return CopyCount(copied, 0, len(batches) - copied)

    # --- campaigns

    def _copy_campaigns(self, source: Database, target: Database) -> Iterator[CopyStep]:
        for rows in self._pages(source, "campaign", _CAMPAIGN):
            with source.opened() as here, target.writing() as there:
                counted = CopyCount()
                for row in rows:
                    receipt = self._codes.get(row["receipt"], row["receipt"])
                    counted = counted.plus(self._bring_campaign(here, there, {**row, "receipt": receipt}))
            yield CopyStep("campaign", counted)

    def _bring_campaign(self, here: StoreConnection, there: StoreConnection, row: Row) -> CopyCount:
        asked = f"SELECT {', '.join(_LATER)} FROM campaign WHERE receipt = ?"
        found = there.execute(asked, (row["receipt"],)).fetchone()
        if found is None:
            self._insert(there, "campaign", _CAMPAIGN, row)
            (number,) = there.execute("SELECT number FROM campaign WHERE receipt = ?", (row["receipt"],)).fetchone()
            for table, columns in (("called", ("numbers",)), ("list", ("content", "reading"))):
                asked = f"SELECT {', '.join(columns)} FROM {table} WHERE number = ?"
                kept = here.execute(asked, (row["number"],)).fetchone()
                if kept is not None:
                    self._insert(there, table, ("number", *columns), {"number": number, **_row(columns, kept)})
            return CopyCount(copied=1)
        own = _row(_LATER, found)
        if (own["settled_at"] or "", own["seen_at"] or "") >= (row["settled_at"] or "", row["seen_at"] or ""):
            return CopyCount(known=1)
        self._change(there, "campaign", _LATER, row, "receipt", row["receipt"])
        return CopyCount(updated=1)

    # --- journals

    def _move_journal(self, place: JournalPath) -> Iterator[CopyStep]:
        """Moves a journal of this profile whose batch is not running."""
        try:
            with place.locked():
                counted = self._moved(place)
        except UsageError as trouble:
            self.remarks.append(tr("{problem}: its journal stays in {path}", problem=trouble.message, path=place.path))
            counted = CopyCount(left=1)
        if any(counted):
            yield CopyStep("journal", counted)

    def _moved(self, place: JournalPath) -> CopyCount:
        journal = place.open()  # every seal is checked
        is_ours = journal.head is not None and journal.head.profile == self._profile
        journal.close()
        if not is_ours:
            return CopyCount()
        tables = JournalFile(place.path)
        try:
            head, rows = tables.read_head(), [self._with_receipt(row) for row in tables.read_rows()]
        finally:
            tables.close()
        assert head is not None  # it was just read
        counted = self._bring_journal(place.name, head, rows)
        if not counted.left:
            place.set_aside()
        return counted

    def _with_receipt(self, row: StoredRow) -> StoredRow:
        return with_receipt(row, self._codes) if self._codes else row

    def _bring_journal(self, name: str, head: tuple[str, str], rows: Sequence[StoredRow]) -> CopyCount:
        if not ServerJournals(self._url, self._now).named(name).exists:
            new = ServerJournal(self._url, name, None, is_new=True)
            try:
                new.replace(*head, rows)
            except JournalTakenError:
                return self._stays(name)
            finally:
                new.close()
            return CopyCount(copied=1)
        there = ServerJournal(self._url, name, None)
        try:
            return self._brought_forward(there, head, rows)
        finally:
            there.close()

    def _brought_forward(self, there: ServerJournal, head: tuple[str, str], rows: Sequence[StoredRow]) -> CopyCount:
        """Writes the rows that this machine sent after an interrupted copy: they must not be sent again."""
        if there.read_head() != head:
            return self._stays(there.label)
        own = {row.key: row for row in there.read_rows()}
        late = [row for row in rows if row.state != "pending" and own[row.key].state == "pending"]
        moved = [there.move(row, own[row.key].seal) for row in late]
        return CopyCount(updated=1) if any(moved) else CopyCount(known=1)

    def _stays(self, name: str) -> CopyCount:
        self.remarks.append(
            tr("the server has another batch {name}: the journal of this computer stays in its file", name=name)
        )
        return CopyCount(left=1)

    # --- any table

    def _pages(self, source: Database, table: str, columns: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
        """Yields the profile's rows by number, with their numbers."""
        names = ("number", *columns)
        asked = (
            f"SELECT {', '.join(names)} FROM {table} WHERE profile = ? AND number > ? ORDER BY number LIMIT {_BATCH}"
        )
        after = 0
        while True:
            with source.opened() as connection:
                found = connection.execute(asked, (self._profile, after)).fetchall()
            if not found:
                return
            yield [_row(names, row) for row in found]
            after = found[-1][0]

    def _insert(self, there: StoreConnection, table: str, columns: Sequence[str], row: Row) -> None:
        statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({_marks(columns)})"
        there.execute(statement, [row[name] for name in columns])

    def _change(
        self, there: StoreConnection, table: str, columns: Sequence[str], row: Row, key: str, value: object
    ) -> None:
        changes = ", ".join(f"{name} = ?" for name in columns)
        there.execute(f"UPDATE {table} SET {changes} WHERE {key} = ?", [*(row[name] for name in columns), value])


def _same_request(row: Row) -> tuple[object, ...]:
    """Returns the values that identify a receipt: no process begins two requests of one id in one microsecond."""
    return row["begun_at"], row["our_id"], row["path"], row["pid"], row["numbers"]


def _row(columns: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    return dict(zip(columns, values, strict=True))


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
