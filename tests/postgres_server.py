"""PostgreSQL for the tests: on a free loopback port, run as another user than root.

One cluster serves all workers of a run. Each test borrows databases from it, under names that none had before: to make
one takes the server 0.2 s of processor time, to clear one for the next test 0.01 s.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock
from ports import free_port

from alovoice_cli.stores.event_engine import open_event_store
from alovoice_cli.stores.event_schema import VERSION

EVENT_STORE = "events_template"
"""The database that empty event stores are copies of."""
_BARE = "template1"
_SHARED = "ALOVOICE_TEST_CLUSTER"
"""The variable that tells the workers of a run where its cluster is."""
_SCHEMA = """SELECT md5(string_agg(part, ' ' ORDER BY part)) FROM (
    SELECT concat_ws(' ', oid, relname, relkind, relacl) FROM pg_class WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(' ', attrelid, attnum, attname, atttypid, attnotnull, atthasdef)
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(' ', oid, conname) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(' ', oid, tgrelid, tgname, tgenabled) FROM pg_trigger
    UNION ALL SELECT concat_ws(' ', oid, proname, md5(prosrc)) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
) AS parts (part)"""
"""What tables, columns, constraints, triggers and functions there are, by their ids: whatever is made anew differs."""
_NEW_SCHEMA = "DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC"
_TABLES = """SELECT oid::regclass::text FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"""
_FILLED = """SELECT string_agg(oid::regclass::text, ', ') FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'schema_version'
    AND pg_relation_size(oid) > 0"""


def programs() -> Path | None:
    """Returns the folder of PostgreSQL's programs; None if it is not installed. On Debian they are not in the path."""
    found = shutil.which("pg_ctl")
    if found:
        return Path(found).resolve().parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    return folders[-1] if folders else None


@dataclass(frozen=True)
class _Borrowed:
    """A database that a test uses or has used: its name, what it is a copy of, what its schema was then, its tables."""

    name: str
    template: str
    schema: str
    tables: frozenset[str]


class Cluster:
    """One cluster, in a folder and at a port."""

    def __init__(self, folder: Path, port: int) -> None:
        where = programs()
        assert where is not None, "PostgreSQL is not installed"
        self._bin, self.folder, self.port = where, folder, port
        self._account = pwd.getpwnam("postgres").pw_name if os.geteuid() == 0 else ""
        self._data = str(folder / "data")
        self._made, self._has_template = 0, False
        self._kept: Any = None
        self._borrowed: list[_Borrowed] = []
        self._returned: list[_Borrowed] = []

    def create(self, *, durable: bool = False) -> None:
        """Makes the files. `durable` keeps fsync on, for kills of the server itself."""
        self._call("initdb", "-D", self._data, "-U", "alovoice", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        settings = ["listen_addresses = '127.0.0.1'", f"port = {self.port}"]
        settings += [f"unix_socket_directories = '{self.folder}'", "max_connections = 300", "shared_buffers = 64MB"]
        if not durable:
            settings += ["fsync = off", "full_page_writes = off", "autovacuum = off", "max_wal_size = 4GB"]
        with (self.folder / "data" / "postgresql.conf").open("a") as file:
            file.write("\n".join(settings) + "\n")

    def start(self) -> None:
        """Starts the server and waits until it answers."""
        self.close()
        self._call("pg_ctl", "-D", self._data, "-w", "-t", "60", "-l", str(self.folder / "log"), "start")

    def stop(self, mode: str = "fast") -> None:
        """Stops the server: smart, fast or immediate."""
        self.close()
        self._call("pg_ctl", "-D", self._data, "-w", "-t", "60", "-m", mode, "stop")

    @property
    def is_started(self) -> bool:
        """Whether the server runs, or was not stopped in order."""
        return Path(self._data, "postmaster.pid").exists()

    def database(self) -> str:
        """Lends an empty database until `take_back`, and returns its URL."""
        return self._lend(_BARE)

    def event_store(self) -> str:
        """Lends an empty event store until `take_back`, and returns its URL."""
        return self._lend(self.event_template())

    def new_database(self, template: str) -> str:
        """Makes a database that is a copy of the template, for as long as the cluster lives; returns its URL."""
        name = self._new_name()
        self._administer(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def take_back(self) -> None:
        """Ends the use of all that was lent."""
        self._returned += self._borrowed
        self._borrowed = []

    def _lend(self, template: str) -> str:
        used = next((one for one in self._returned if one.template == template), None)
        if used is not None:
            self._returned.remove(used)
        lent = (used and self._cleared(used)) or self._copied(template)
        self._borrowed.append(lent)
        return self.url(lent.name)

    def _copied(self, template: str) -> _Borrowed:
        url = self.new_database(template)
        with self._connected(url) as connection:
            (schema,) = connection.execute(_SCHEMA).fetchone()
            tables = frozenset(name for (name,) in connection.execute(_TABLES))
        return _Borrowed(url.rpartition("/")[2], template, schema, tables)

    def _cleared(self, used: _Borrowed) -> _Borrowed | None:
        """The database, empty and under a new name, so that nobody who used it reaches it; None where it is gone."""
        lent = replace(used, name=self._new_name())
        self._administer(
            f"SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = '{used.name}';"
            f"ALTER DATABASE {used.name} RENAME TO {lent.name}"
        )
        with self._connected(self.url(lent.name)) as connection:
            if used.template == _BARE:
                connection.execute(_NEW_SCHEMA)
                return lent
            added = [name for (name,) in connection.execute(_TABLES) if name not in used.tables]
            if added:  # by a ledger, or a journal
                connection.execute(f"DROP TABLE {', '.join(added)} CASCADE")
            if connection.execute(_SCHEMA).fetchone() == (used.schema,):
                (filled,) = connection.execute(_FILLED).fetchone()
                if filled:
                    connection.execute(f"TRUNCATE {filled} RESTART IDENTITY CASCADE")
                connection.execute(f"UPDATE schema_version SET version = {VERSION} WHERE version <> {VERSION}")
                return lent
        self._administer(f"DROP DATABASE {lent.name} WITH (FORCE)")
        return None

    def _new_name(self) -> str:
        self._made += 1
        return f"t{os.getpid()}_{self._made}"

    def event_template(self) -> str:
        """Makes the database that event stores are copies of, unless it is there; returns its name."""
        if not self._has_template:
            with self._connected(self.url("postgres")) as connection:
                known = connection.execute("SELECT FROM pg_database WHERE datname = %s", [EVENT_STORE]).fetchone()
            if known is None:
                open_event_store(self.url(self._template())).close()
            self._has_template = True
        return EVENT_STORE

    def _template(self) -> str:
        # With another collation, if the server has it: a store compares texts byte by byte in any database.
        try:
            self._administer(f"CREATE DATABASE {EVENT_STORE} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'uz'")
        except Exception:
            self._administer(f"CREATE DATABASE {EVENT_STORE}")
        return EVENT_STORE

    def _administer(self, text: str) -> None:
        import psycopg

        if self._kept is None:
            self._kept = psycopg.connect(self.url("postgres"), autocommit=True)
        self._kept.execute(text)

    def close(self) -> None:
        """Closes the connection that this object keeps; the server goes on."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    @contextmanager
    def _connected(self, url: str) -> Iterator[Any]:
        import psycopg

        with psycopg.connect(url, autocommit=True) as connection:
            yield connection

    def url(self, name: str) -> str:
        """Returns the URL of a database of this cluster."""
        return f"postgresql://alovoice@127.0.0.1:{self.port}/{name}"

    def sql(self, database: str, text: str) -> str:
        """Runs SQL with psql and returns its rows, unaligned."""
        line = [str(self._bin / "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", self.url(database), "-c", text]
        return subprocess.run(line, check=True, capture_output=True, text=True).stdout.strip()

    def _call(self, name: str, *words: str) -> None:
        line = [str(self._bin / name), *words]
        if self._account:
            line = ["runuser", "-u", self._account, "--", *line]
        # Not captured: the server keeps the streams with which pg_ctl was started.
        subprocess.run(line, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd="/")


def _new_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="alovoice-pg-"))
    if os.geteuid() == 0:
        with suppress(KeyError):  # where PostgreSQL is not installed
            os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
    return folder


@contextmanager
def running_cluster(*, durable: bool = False) -> Iterator[Cluster]:
    """A cluster of the test's own in a folder of its own, which is gone at the end."""
    folder = _new_folder()
    cluster = Cluster(folder, free_port())
    try:
        cluster.create(durable=durable)
        cluster.start()
        try:
            yield cluster
        finally:
            if cluster.is_started:
                cluster.stop("immediate")
    finally:
        cluster.close()
        shutil.rmtree(folder, ignore_errors=True)


def begin_run() -> None:
    """Makes the folder of the cluster that all workers of this run share."""
    os.environ[_SHARED] = str(_new_folder())


def end_run() -> None:
    """Ends the shared cluster, if any test has asked for it."""
    folder = Path(os.environ.pop(_SHARED, os.devnull))
    if (folder / "port").exists():
        Cluster(folder, int((folder / "port").read_text())).stop("immediate")
    shutil.rmtree(folder, ignore_errors=True)


def shared_cluster() -> Cluster:
    """The running cluster that all workers share: the first who asks for it starts it."""
    folder = Path(os.environ[_SHARED])
    known = folder / "port"
    with FileLock(folder / "lock"):
        if known.exists():
            return Cluster(folder, int(known.read_text()))
        cluster = Cluster(folder, free_port())
        cluster.create()
        cluster.start()
        cluster.event_template()
        known.write_text(str(cluster.port))
        return cluster
