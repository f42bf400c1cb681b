"""A store's file: private, durable, at the right schema, and never taken for what it is not."""

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from alovoice_cli.errors import UsageError
from alovoice_cli.stores.migrations import open_store, transaction

FIRST = "CREATE TABLE note (text TEXT NOT NULL DEFAULT 'a;b'); CREATE INDEX by_text ON note (text);"
SECOND = "ALTER TABLE note ADD COLUMN colour TEXT;"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "deep" / "notes.db"


@pytest.fixture
def umask() -> Iterator[Callable[[int], int]]:
    old = os.umask(0)
    yield os.umask
    os.umask(old)


def _pragma(connection: sqlite3.Connection, name: str) -> object:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def test_every_connection_writes_through_to_the_disk(path: Path) -> None:
    for _ in range(2):
        with closing(open_store(path, [FIRST], timeout=1.5)) as connection:
            assert _pragma(connection, "synchronous") == 2  # FULL
            assert _pragma(connection, "journal_mode") == "wal"
            assert _pragma(connection, "busy_timeout") == 1500


def test_migrations_run_once_and_in_order(path: Path) -> None:
    with closing(open_store(path, [FIRST])) as connection:
        connection.execute("INSERT INTO note DEFAULT VALUES")
    with closing(open_store(path, [FIRST, SECOND])) as connection:
        assert connection.execute("SELECT text, colour FROM note").fetchall() == [("a;b", None)]
        assert _pragma(connection, "user_version") == 2


def test_a_migration_that_fails_leaves_no_trace(path: Path) -> None:
    open_store(path, [FIRST]).close()
    with pytest.raises(UsageError, match="no such table"):
        open_store(path, [FIRST, SECOND, "ALTER TABLE absent ADD COLUMN x;"])
    with closing(open_store(path, [FIRST])) as connection:
        assert _pragma(connection, "user_version") == 1
        assert [row[1] for row in connection.execute("PRAGMA table_info(note)")] == ["text"]


def test_a_file_of_a_newer_version_is_refused_and_left_as_it_is(path: Path) -> None:
    open_store(path, [FIRST, SECOND]).close()
    before = path.read_bytes()
    with pytest.raises(UsageError, match="newer version") as caught:
        open_store(path, [FIRST])
    assert str(path) in caught.value.message
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"this is no database, it is a letter to a friend" * 40, b"\0" * 5000])
def test_a_file_that_is_no_database_is_named_and_left_as_it_is(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(UsageError, match="damaged") as caught:
        open_store(path, [FIRST])
    assert str(path) in caught.value.message
    assert "move it to another place" in caught.value.hint
    assert path.read_bytes() == content


def test_a_database_of_another_program_gets_no_tables_of_ours(path: Path) -> None:
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    with pytest.raises(UsageError, match="a SQLite file of another program"):
        open_store(path, [FIRST])


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot open"):
        open_store(tmp_path / "file" / "notes.db", [FIRST])


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_file_wal_and_directories_are_private_whatever_the_umask(
    path: Path, umask: Callable[[int], int], mask: int
) -> None:
    umask(mask)
    with closing(open_store(path, [FIRST])) as connection:
        connection.execute("INSERT INTO note DEFAULT VALUES")
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {"notes.db": 0o600, "notes.db-wal": 0o600, "notes.db-shm": 0o600}
    assert [stat.S_IMODE(place.stat().st_mode) for place in (path.parent, path.parent.parent)] == [0o700, 0o700]


def test_a_transaction_that_raises_is_rolled_back(path: Path) -> None:
    def interrupted(connection: sqlite3.Connection) -> None:
        with transaction(connection):
            connection.execute("INSERT INTO note DEFAULT VALUES")
            raise KeyboardInterrupt

    with closing(open_store(path, [FIRST])) as connection:
        with pytest.raises(KeyboardInterrupt):
            interrupted(connection)
        assert connection.execute("SELECT count(*) FROM note").fetchone() == (0,)


def test_a_file_that_another_process_holds_is_told_after_the_time_out(path: Path) -> None:
    refused = pytest.raises(UsageError, match="in use by another process")
    with closing(open_store(path, [FIRST])) as holder, transaction(holder), refused:
        open_store(path, [FIRST, SECOND], timeout=0.1)
    open_store(path, [FIRST, SECOND], timeout=0.1).close()


def test_a_new_file_that_another_process_is_making_is_waited_for(path: Path) -> None:
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")  # SQLite does not wait for it before it turns to WAL
        release = threading.Timer(0.2, lambda: other.execute("ROLLBACK"))
        release.start()
        with closing(open_store(path, [FIRST])) as connection:
            assert _pragma(connection, "journal_mode") == "wal"
        release.join()


def test_processes_that_open_a_new_file_at_once_migrate_it_once(path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from alovoice_cli.stores.migrations import open_store\n"
        "print('ready', flush=True); sys.stdin.read()\n"
        "c = open_store(Path(sys.argv[1]), ['CREATE TABLE a (x); INSERT INTO a VALUES (1);', 'CREATE TABLE b (x);'])\n"
        "print(c.execute('SELECT count(*) FROM a').fetchone()[0]); c.close()\n"
    )
    start, starter = os.pipe()  # whose end starts all of them at once
    words = [sys.executable, "-c", script, str(path)]
    racers = [subprocess.Popen(words, stdin=start, stdout=-1, stderr=-1) for _ in range(8)]
    os.close(start)
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == b"ready\n"
    os.close(starter)
    assert [racer.communicate(timeout=30) for racer in racers] == [(b"1\n", b"")] * 8
