"""A home in mid-work, the ways in which its files can be damaged, and what must hold of every command after that."""

import contextlib
import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from batch_server import Exchange, write_list
from campaign_server import MP3
from event_rows import Rows
from front_door import TOKEN, FrontDoor, Result
from raw_server import Connection, Seen

BEGAN = 1_795_000_000
ROWS = 8
TRACES = ("Traceback", "error in alovoice itself")

BATCH = (
    *("call", "out", "--batch", "clients.csv", "--map", "number=Телефон", "--inner-phone", "2424"),
    *("--night-ok", "--yes"),
)
CREATE = (
    *("autorule", "create", "--record", "promo.mp3", "--recipients", "clients.csv", "--name", "autumn"),
    *("--from", "tomorrow", "--to", "+3d", "--fromtime", "10:00", "--totime", "19:59", "--trunks", "712037006"),
    *("--night-ok", "--yes"),
)
COMMANDS = {
    "status": ("status", "--offline", "--json"),
    "call": ("call", "out", "--number", "998935550000", "--inner-phone", "2424"),
    "batch": BATCH,
    "resume": ("call", "batches", "resume", "{batch}", "--night-ok", "--yes"),
    "receipts": ("call", "receipts", "list", "--json"),
    "create": CREATE,
    "campaigns": ("autorule", "list", "--json"),
    "events": ("events", "list", "--json", "--limit", "0"),
    "check": ("store", "check", "--json"),
    "set": ("config", "set", "timeout", "9"),
}
"""What uses the stores; `listen` is a process, and is tried by itself."""
READERS = {
    "report": ("autorule", "report", "124"),
    "campaigns in words": ("autorule", "list"),
    "batches": ("call", "batches", "list"),
    "batch in words": ("call", "batches", "show", "{batch}"),
    "receipts in words": ("call", "receipts", "list"),
    "resolve": ("call", "resolve", "--batch", "{batch}"),
    "events in words": ("events", "list"),
    "stats": ("events", "stats"),
    "figures": ("events", "stats", "--kpi"),
    "missed": ("events", "missed"),
    "gaps": ("events", "gaps"),
    "outbox": ("events", "outbox", "list"),
    "export": ("events", "export"),
    "day": ("day",),
}
"""What only reads the stores."""
FILES = {
    "ledger": "state/ledger.db",
    "journal": "state/batches/{batch}.db",
    "campaigns": "state/campaigns.db",
    "events": "state/events.db",
    "config": "config/config.toml",
    "tokens": "config/tokens.toml",
}
_TABLES = {"ledger": ("receipt", "code"), "journal": ("step", "key"), "campaigns": ("campaign", "receipt")}
_TABLES |= {"events": ("delivery", "id")}

Damage = Callable[[Path], object]


def _bytes_at(path: Path, at: float, new: bytes) -> None:
    content = bytearray(path.read_bytes())
    place = int(at * len(content))
    content[place : place + len(new)] = new[: len(content) - place]
    path.write_bytes(content)


def _cut(path: Path, part: float) -> None:
    os.truncate(path, int(part * path.stat().st_size))


def _replaced(path: Path, make: Callable[[Path], object]) -> None:
    path.unlink()
    make(path)


def _sql(path: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def _foreign(path: Path) -> None:
    _replaced(path, lambda made: _sql(made, "CREATE TABLE strange (text)"))


def _directory_as_lock(path: Path) -> None:
    lock = Path(f"{path}.lock")
    lock.unlink(missing_ok=True)
    lock.mkdir()


def _all_pages(path: Path) -> None:
    """Every second page is noise."""
    content = bytearray(path.read_bytes())
    for start in range(4096, len(content), 8192):
        content[start : start + 4096] = os.urandom(len(content[start : start + 4096]))
    path.write_bytes(content)


DAMAGES: dict[str, Damage] = {
    "the header": lambda path: _bytes_at(path, 0, b"\xff" * 100),
    "the magic word": lambda path: _bytes_at(path, 0, b"X"),
    "the schema's page": lambda path: _bytes_at(path, 100 / path.stat().st_size, b"\xff" * 900),
    "a page": lambda path: _bytes_at(path, 0.5, b"\x00" * 4096),
    "a few bytes": lambda path: _bytes_at(path, 0.8, b"\xa5" * 64),
    "every second page": _all_pages,
    "the last page": lambda path: _bytes_at(path, 0.95, b"\x55" * 4096),
    "half of it": lambda path: _cut(path, 0.5),
    "all but its header": lambda path: _cut(path, 100 / path.stat().st_size),
    "all of it": lambda path: _cut(path, 0),
    "noise in its place": lambda path: path.write_bytes(os.urandom(9000)),
    "a text in its place": lambda path: path.write_text("не база данных\n" * 40, "utf-8"),
    "a directory in its place": lambda path: _replaced(path, Path.mkdir),
    "a dangling link in its place": lambda path: _replaced(path, lambda made: made.symlink_to("/nonexistent/x")),
    "a link to itself": lambda path: _replaced(path, lambda made: made.symlink_to(made.name)),
    "a foreign database": _foreign,
    "a newer version": lambda path: _sql(path, "PRAGMA user_version = 999"),
    "a log of noise": lambda path: Path(f"{path}-wal").write_bytes(os.urandom(5000)),
    "a log that is a directory": lambda path: Path(f"{path}-wal").mkdir(),
    "a lock that is a directory": _directory_as_lock,
    "another owner": lambda path: os.chown(path, 12345, 12345) if os.geteuid() == 0 else None,
    "no permission": lambda path: path.chmod(0),
    "open to all": lambda path: path.chmod(0o666),
}
TEXT_DAMAGES: dict[str, Damage] = {
    "cut": lambda path: _cut(path, 0.6),
    "empty": lambda path: _cut(path, 0),
    "binary": lambda path: path.write_bytes(b"\x00\xff" * 300),
    "another encoding": lambda path: path.write_bytes("[profile.х]\n".encode("utf-16")),
    "a bad line": lambda path: path.write_text(path.read_text("utf-8") + "\n= = =\n", "utf-8"),
    "wrong types": lambda path: path.write_text('profile = 7\n[profiles]\ndefault = "x"\n[tokens]\ndefault = 3\n'),
    "a deep nest": lambda path: path.write_text("x = " + "[" * 3000 + "]" * 3000),
    "a directory in its place": lambda path: _replaced(path, Path.mkdir),
    "a FIFO in its place": lambda path: _replaced(path, lambda made: os.mkfifo(made, 0o600)),
    "a link to itself": lambda path: _replaced(path, lambda made: made.symlink_to(made.name)),
    "another owner": DAMAGES["another owner"],
    "open to all": DAMAGES["open to all"],
}


CELL_VALUES: tuple[object, ...] = (
    *("", "x", "[]", "{}", "null", "7", '{"a": 1}', '{"number": Infinity}', "1e999", "[" * 50_000, "ў\0"),
    *("9999-99-99T00:00:00Z", None, 10**18, 2**63 - 1, -1, 0, 1.5, b"\xff\x00"),
)
"""What a cell of a row may hold after damage, in a file that SQLite finds whole."""
UNKNOWABLE = {("campaign", "profile")}
"""Cells whose damage nothing can show: the campaign is another profile's then."""


class DeafPbx(Exchange):
    """Answers `true` to the calls, but 400 to that of one number; takes campaigns."""

    refused = ""

    def __init__(self) -> None:
        super().__init__(self._reply)

    def _reply(self, connection: Connection, seen: Seen) -> None:
        if seen.target.endswith("getMyTrunks"):
            connection.answer("200 OK", b'["712037006"]')
        elif "utorule" in seen.target:
            connection.answer("200 OK", b'{"id": 124, "status": "new"}')
        elif self.refused and self.refused.encode() in seen.body:
            connection.answer("400 Bad Request", b'{"error": "no"}')
        else:
            connection.answer("200 OK", b"true")


@dataclass
class WorkingHome:
    """A home with a batch of which half is sent, a campaign, and events; `restore` brings it back."""

    alovoice: FrontDoor
    pbx: DeafPbx
    batch: str = ""
    seeded: int = 0
    _kept: Path = field(default_factory=Path)

    @classmethod
    def begin(cls, alovoice: FrontDoor, pbx: DeafPbx) -> "WorkingHome":
        """Does the work, and keeps a copy of all files."""
        alovoice.environ |= {"ALOVOICE_BASE_URL": pbx.url, "ALOVOICE_TOKEN": TOKEN}
        home = cls(alovoice, pbx)
        called = write_list(alovoice.home, ROWS)
        (alovoice.home / "promo.mp3").write_bytes(MP3)
        assert alovoice("config", "set", "timeout", "8").code == 0
        assert alovoice("login", "-p", "north", "--with-token", "--no-check", stdin=f"{TOKEN}\n").code == 0
        pbx.refused = called[3]
        assert alovoice(*BATCH, "--stop-after-failures", "1").code == 1
        pbx.refused = ""
        assert alovoice(*CREATE).code == 0
        home.batch = json.loads(alovoice("call", "batches", "list", "--json").out)[0]["name"]
        rows = Rows(alovoice.home / "state" / "events.db")
        for number in range(6):
            rows.call(BEGAN + number * 60, number=f"9012345{number:02}")
        home.seeded = len(pbx.requests)
        home._kept = alovoice.home.with_name("kept")
        shutil.copytree(alovoice.home, home._kept, symlinks=True)
        return home

    def restore(self) -> None:
        """Puts all files back as they were after the work."""
        shutil.rmtree(self.alovoice.home)
        shutil.copytree(self._kept, self.alovoice.home, symlinks=True)
        del self.pbx.requests[self.seeded :]

    def place(self, store: str) -> Path:
        """Where the file of this store lies."""
        return self.alovoice.home / FILES[store].format(batch=self.batch)

    def words(self, command: str) -> list[str]:
        """The words of the command."""
        return [word.format(batch=self.batch) for word in (COMMANDS | READERS)[command]]

    def cells(self) -> list[tuple[str, str, str]]:
        """Store, table and column of all cells that have a value."""
        found = []
        for store in _TABLES:
            with contextlib.closing(sqlite3.connect(self.place(store))) as connection:
                names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
                for (table,) in names:
                    if connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone():
                        columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
                        found += [(store, table, str(column[1])) for column in columns]
        return sorted(cell for cell in found if cell[1:] not in UNKNOWABLE)

    def put(self, store: str, table: str, column: str, value: object) -> bool:
        """Puts the value into all rows of a column; whether the table takes it."""
        with contextlib.closing(sqlite3.connect(self.place(store))) as connection, connection:
            try:
                connection.execute(f'UPDATE {table} SET "{column}" = ?', (value,))
            except sqlite3.IntegrityError:
                return False
        return True

    def judge(self, result: Result, what: str) -> None:
        """What must hold after any command: a clear end (7: rows that were not sent), nothing twice."""
        assert not [trace for trace in TRACES if trace in result.err], (what, result.err)
        assert result.code in (0, 1, 2, 3, 7, 8), (what, result)
        assert (result.code == 0) or result.err.startswith(("error:", "warning:", "note:", "{")), (what, result.err)
        rung = [json.loads(seen.body)["number"] for seen in self.pbx.requests if "/outcall/" in seen.target]
        assert len(rung) == len(set(rung)), (what, rung)
        uploads = [seen for seen in self.pbx.requests if "addAutorule" in seen.target]
        assert len(uploads) == 1, what

    def readable(self, store: str) -> set[str]:
        """What can be read of this store, from its file and from copies that were moved aside."""
        table, column = _TABLES[store]
        place, found = self.place(store), set[str]()
        for path in place.parent.glob(f"{place.stem}*"):
            if path.is_file() and not path.name.endswith(("-wal", "-shm", ".lock", ".pid")):
                with contextlib.suppress(sqlite3.Error, ValueError), _copied(path) as copy:
                    found |= {str(row[0]) for row in copy.execute(f"SELECT {column} FROM {table}")}
        return found

    def is_ours(self, store: str) -> bool:
        """Whether the file is a database with this store's table, whatever else is damaged in it."""
        try:
            with _copied(self.place(store)) as copy:
                copy.execute(f"SELECT {_TABLES[store][1]} FROM {_TABLES[store][0]} LIMIT 0")
        except (sqlite3.Error, OSError, ValueError):
            return False
        return True

    def contents(self) -> set[bytes]:
        """The bytes of every file of state and configuration."""
        folders = (self.alovoice.home / "state", self.alovoice.home / "config")
        return {
            path.read_bytes()
            for folder in folders
            for path in folder.rglob("*")
            if path.is_file() and not path.is_symlink()
        }


@contextlib.contextmanager
def _copied(path: Path) -> Iterator[sqlite3.Connection]:
    """A copy of a database with its log, to be read: reading the file itself could change it."""
    with tempfile.TemporaryDirectory() as folder:
        for ending in ("", "-wal"):
            source = Path(f"{path}{ending}")
            if source.is_file():
                shutil.copy(source, Path(folder) / f"copy.db{ending}")
        with contextlib.closing(sqlite3.connect(Path(folder) / "copy.db")) as connection:
            yield connection
