"""A PostgreSQL cluster for the tests: on a free loopback port, run as another user than root.

`clusters(tmp_path_factory)` serves one for all tests of a worker; each test gets its own database.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alovoice_cli.stores.event_engine import open_event_store

_TEMPLATE = "events_template"


def programs() -> Path | None:
    """Returns the folder of PostgreSQL's programs; None if it is not installed. On Debian they are not in the path."""
    found = shutil.which("pg_ctl")
    if found:
        return Path(found).resolve().parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    return folders[-1] if folders else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Cluster:
    """One running cluster. `durable` leaves fsync on, for tests that kill the server."""

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        where = programs()
        assert where is not None, "PostgreSQL is not installed"
        self._bin, self.folder, self.port = where, folder, _free_port()
        self._account = pwd.getpwnam("postgres").pw_name if os.geteuid() == 0 else ""
        self._made, self._has_template = 0, False
        self._data = str(folder / "data")
        self._call(
            "initdb", "-D", str(folder / "data"), "-U", "alovoice", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"
        )
        settings = ["listen_addresses = '127.0.0.1'", f"port = {self.port}", f"unix_socket_directories = '{folder}'"]
        settings += ["max_connections = 200", "shared_buffers = 64MB"]
        if not durable:
            settings += ["fsync = off", "full_page_writes = off"]
        with (folder / "data" / "postgresql.conf").open("a") as file:
            file.write("\n".join(settings) + "\n")

    def start(self) -> None:
        """Starts the server and waits until it answers."""
        self._call("pg_ctl", "-D", self._data, "-w", "-t", "60", "-l", str(self.folder / "log"), "start")

    def stop(self, mode: str = "fast") -> None:
        """Stops the server: smart, fast or immediate."""
        self._call("pg_ctl", "-D", self._data, "-w", "-t", "60", "-m", mode, "stop")

    def database(self, template: str = "template1") -> str:
        """Makes a database, an empty one or a copy, and returns its URL."""
        self._made += 1
        name = f"t{os.getpid()}_{self._made}"
        self._administer(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def event_store(self) -> str:
        """Makes an empty event store and returns its URL."""
        if not self._has_template:
            open_event_store(self.url(self._template())).close()
            self._has_template = True
        return self.database(_TEMPLATE)

    def drop(self, url: str) -> None:
        """Deletes a database, whoever is connected to it."""
        self._administer(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    def _template(self) -> str:
        # With another collation, if the server has it: a store compares texts byte by byte in any database.
        try:
            self._administer(f"CREATE DATABASE {_TEMPLATE} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'uz'")
        except Exception:
            self._administer(f"CREATE DATABASE {_TEMPLATE}")
        return _TEMPLATE

    def _administer(self, text: str) -> None:
        import psycopg

        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(text.encode())

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


@contextmanager
def running_cluster(*, durable: bool = False) -> Iterator[Cluster]:
    """Yields a cluster in its own folder, which is deleted at the end."""
    with tempfile.TemporaryDirectory(prefix="alovoice-pg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if os.geteuid() == 0:
            os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
        cluster = Cluster(folder, durable=durable)
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop("immediate")
