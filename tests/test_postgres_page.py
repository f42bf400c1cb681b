"""docs/postgres.md: its commands are run, in its order, against a server that asks for the password."""

import json
import os
import re
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from event_rows import Rows
from front_door import FrontDoor
from listening.conftest import Listening, listen
from postgres_server import Cluster, programs, running_cluster

from alovoice_cli.stores.event_postgres import IDLE

__all__ = ["listen"]  # a fixture
PAGE = (Path(__file__).parent.parent / "docs" / "postgres.md").read_text("utf-8")
COMMANDS = re.findall(r"^    \$ (.*)$", PAGE, re.MULTILINE)
PASSWORD = "correct-horse"


@pytest.fixture
def server(alovoice: FrontDoor, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """A server at which the page's accounts need their password; libpq finds the page's file."""
    if programs() is None:
        pytest.skip("PostgreSQL is not installed")
    with running_cluster() as cluster:
        hosts = cluster.folder / "data" / "pg_hba.conf"
        hosts.write_text(f"host all pbx,pbx_reader 127.0.0.1/32 scram-sha-256\n{hosts.read_text()}")
        cluster.sql("postgres", "SELECT pg_reload_conf()")
        for name in ("ALOVOICE_STATE_DIR", "ALOVOICE_CONFIG_DIR"):
            del alovoice.environ[name]
        passwords = str(alovoice.home / ".pgpass")
        monkeypatch.setenv("PGPASSFILE", passwords)
        alovoice.environ["PGPASSFILE"] = passwords
        yield cluster
        IDLE.close()


class Reader:
    """Somebody who runs the page's commands on one machine."""

    def __init__(self, alovoice: FrontDoor, listen: Callable[..., Listening], server: Cluster) -> None:
        self._alovoice, self._listen, self._server = alovoice, listen, server
        self.out = ""

    def run(self, line: str) -> None:
        """Runs one line of the page, with this server's place for the page's."""
        line = line.replace("db.example.com:5432", f"127.0.0.1:{self._server.port}")
        line = line.replace("db.example.com", f"127.0.0.1:{self._server.port}")
        line = re.sub(r"\?sslmode=[^']*", "", line).replace("THE-PASSWORD", PASSWORD)
        if line.startswith("alovoice listen") and "--print" not in line:
            self._listen().stop()
        elif line.startswith("alovoice "):
            self._run_alovoice(line)
        elif "pip install" not in line:
            self._run_shell(line)

    def _run_alovoice(self, line: str) -> None:
        line, _, into = line.partition(" > ")
        words = [word.replace("~/", f"{self._alovoice.home}/") for word in shlex.split(line)[1:]]
        result = self._alovoice(*words, "--json") if "--print-nginx" not in words else self._alovoice(*words)
        assert result.code == 0, (line, result.err)
        self.out = result.out
        if into:
            (self._alovoice.home / into).write_text(result.out, "utf-8")

    def _run_shell(self, line: str) -> None:
        words = line.replace("--pwprompt ", "")  # there is no terminal to ask on
        environ = {**self._alovoice.environ, "PATH": f"{programs()}:{os.environ['PATH']}"}
        if line.startswith("create"):
            environ |= {"PGHOST": "127.0.0.1", "PGPORT": str(self._server.port), "PGUSER": "alovoice"}
        done = subprocess.run(["/bin/sh", "-c", words], cwd=self._alovoice.home, env=environ, capture_output=True)
        assert done.returncode == 0, (line, done.stderr)
        if "--pwprompt" in line:
            self._server.sql("postgres", f"ALTER ROLE {line.split()[-1]} PASSWORD '{PASSWORD}'")


def test_the_page_s_commands_are_run_in_its_order(
    alovoice: FrontDoor, listen: Callable[..., Listening], server: Cluster
) -> None:
    rows = Rows(alovoice.home / ".local" / "state" / "alovoice" / "events.db")
    for number in range(20):
        rows.call(time.time() - 5000 + number * 60, number=f"9012345{number:02}")
    (alovoice.home / "path_secret").write_text("0123456789abcdef0123456789abcdef")
    reader, told = Reader(alovoice, listen, server), {}
    for line in COMMANDS:
        reader.run(line)
        told[line] = reader.out
        if line.startswith("echo "):  # so that all machines share one file of the page
            with (alovoice.home / ".pgpass").open("a") as file:
                file.write(f"127.0.0.1:{server.port}:*:pbx_reader:{PASSWORD}\n")
    copied, checked = (_of(told, begin) for begin in ("alovoice store copy", "alovoice store check"))
    assert json.loads(copied[-1])["events"]["copied"] == 40
    probes = json.loads(checked[0])["events"]  # the listener sent itself one
    assert [json.loads(out)["events"] for out in checked[1:]] == [probes + 40] * 2
    days = json.loads(_of(told, "alovoice events stats")[0])  # two of them in the first hour of a day
    assert sum(row["calls"] for row in days) == 20
    assert len(json.loads(_of(told, "alovoice events list")[0])) == 40
    assert (
        "proxy_next_upstream error timeout http_503 non_idempotent"
        in _of(told, "alovoice listen --port 8787 --host")[0]
    )
    exported = (alovoice.home / "history.jsonl").read_text("utf-8").splitlines()
    events = [line for line in exported if json.loads(line)["type"] != "uptime"]
    assert json.loads(_of(told, "alovoice events import")[0])["imported"] == len(events) >= 40


def _of(told: dict[str, str], begin: str) -> list[str]:
    return [out for line, out in told.items() if line.startswith(begin)]


def test_the_page_is_linked_from_the_readme() -> None:
    assert "docs/postgres.md" in (Path(__file__).parent.parent / "README.md").read_text("utf-8")
