"""Two listeners on one server that is killed, or goes away in mid-load."""

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Timer

import pytest
from front_door import FrontDoor
from listening.conftest import Handler, Listening, crm, listen
from outages import OutagePlay
from outbox_kills import KillPlay
from ports import free_port
from postgres_server import Cluster, programs, running_cluster
from psycopg import OperationalError
from strength import rounds

from alovoice_cli.stores.event_postgres import IDLE, is_lost
from alovoice_cli.stores.postgres import connect, server_transaction

__all__ = ["crm", "listen"]  # fixtures

AWAY_SECONDS = min(rounds(5), 60)
CUT_SECONDS = min(rounds(10), 20)
"""Longer than a listener waits for its server."""
Listen = Callable[..., Listening]


@pytest.fixture
def server() -> Iterator[Cluster]:
    if programs() is None:
        pytest.skip("PostgreSQL is not installed")
    with running_cluster(durable=True) as cluster:
        yield cluster
        IDLE.close()


def test_a_server_that_is_killed_and_away_for_a_minute(
    alovoice: FrontDoor, listen: Listen, crm: Handler, server: Cluster
) -> None:
    assert alovoice("config", "set", "store", server.event_store()).code == 0
    listeners = [listen("--forward", crm.url), listen("--forward", crm.url)]

    def away() -> None:
        server.stop("immediate")
        time.sleep(AWAY_SECONDS)
        server.start()

    play = OutagePlay(alovoice, listeners, crm, senders=8, pause=0.2)
    print(play.run(away, around=400))
    assert set(play.answers) == {200}


def test_a_connection_whose_server_ends_in_any_step_is_lost_or_works(server: Cluster) -> None:
    url = server.event_store()
    boss = connect(url)
    boss.execute("CREATE TABLE written (number INTEGER)")
    for _ in range(rounds(300)):
        connection = connect(url)
        pid = connection.own.info.backend_pid
        end = Timer(random.random() / 100, os.kill, (pid, signal.SIGTERM))
        end.start()
        with suppress(OperationalError):
            while True:
                with server_transaction(connection):
                    connection.executemany("INSERT INTO written VALUES (?)", [(1,), (2,)])
        end.join()
        if not is_lost(connection):
            connection.execute("SELECT 1")
        connection.close()
    boss.close()


def test_kills_of_listeners_that_share_a_server(
    alovoice: FrontDoor, listen: Listen, crm: Handler, server: Cluster
) -> None:
    assert alovoice("config", "set", "store", server.event_store()).code == 0
    print(KillPlay(alovoice, listen, crm, is_shared=True).run(rounds(2)))


class _FarCluster(Cluster):
    """A cluster in a network namespace of its own, with one link for each of two listeners."""

    name = f"alovoice-{os.getpid()}"
    links = (("10.231.1", "alo-a"), ("10.231.2", "alo-b"))

    def __init__(self, folder: Path) -> None:
        self._ip("netns", "add", self.name)
        for place, (network, link) in enumerate(self.links):
            far = f"{link}-{place}"
            self._ip("link", "add", link, "type", "veth", "peer", "name", far, "netns", self.name)
            self._ip("addr", "add", f"{network}.1/24", "dev", link)
            self._ip("link", "set", link, "up")
            self._ip("-n", self.name, "addr", "add", f"{network}.2/24", "dev", far)
            self._ip("-n", self.name, "link", "set", far, "up")
        self._ip("-n", self.name, "link", "set", "lo", "up")
        super().__init__(folder, free_port())
        self.create(durable=True)
        data = folder / "data"
        with (data / "postgresql.conf").open("a") as file:
            file.write("listen_addresses = '*'\n")
        with (data / "pg_hba.conf").open("a") as file:
            file.write("host all all 10.231.0.0/16 trust\n")

    def url(self, name: str, place: int = 1) -> str:
        return super().url(name).replace("127.0.0.1", f"{self.links[place][0]}.2")

    def cut(self, place: int) -> None:
        """Cuts a link: what is sent is lost, and nobody is told."""
        self._ip("-n", self.name, "link", "set", f"{self.links[place][1]}-{place}", "down")

    def join(self, place: int) -> None:
        """Mends the link."""
        self._ip("-n", self.name, "link", "set", f"{self.links[place][1]}-{place}", "up")

    def remove(self) -> None:
        """Removes the namespace, and the links with it."""
        self._ip("netns", "del", self.name)

    def _ip(self, *words: str) -> None:
        subprocess.run(["ip", *words], check=True)

    def _call(self, name: str, *words: str) -> None:
        line = ["ip", "netns", "exec", self.name, "runuser", "-u", self._account, "--", str(self._bin / name), *words]
        subprocess.run(line, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd="/")


def _can_link() -> bool:
    """Whether this machine may make network namespaces, and links between them."""
    if os.geteuid() or shutil.which("ip") is None:
        return False
    name = f"alovoice-try-{os.getpid()}"
    words = ("ip", "link", "add", name[-15:], "type", "veth", "peer", "name", f"{name[-12:]}-b")
    made = subprocess.run(words, capture_output=True, check=False).returncode == 0
    if made:
        subprocess.run(("ip", "link", "del", name[-15:]), check=False)
    return made


@pytest.fixture
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_FarCluster]:
    if programs() is None or not _can_link():
        pytest.skip("namespaces need root, ip, PostgreSQL, and a kernel that links them")
    folder = Path(f"/tmp/alovoice-far-{os.getpid()}")
    folder.mkdir()
    shutil.chown(folder, "postgres")
    cluster = _FarCluster(folder)
    cluster.start()
    yield cluster
    IDLE.close()
    cluster.stop("immediate")
    cluster.remove()
    shutil.rmtree(folder)


def test_a_network_that_is_cut_between_one_listener_and_the_server(
    alovoice: FrontDoor, listen: Listen, crm: Handler, far: _FarCluster
) -> None:
    url = far.event_store()
    assert alovoice("config", "set", "store", url).code == 0
    name = url.rpartition("/")[2]
    listeners = [listen("--forward", crm.url, "--store", far.url(name, place)) for place in (0, 1)]

    def away() -> None:
        far.cut(0)
        time.sleep(CUT_SECONDS)
        far.join(0)

    play = OutagePlay(alovoice, listeners, crm, senders=8, pause=0.2, is_ordered=False)
    print(play.run(away, around=800))
    assert set(play.answers) == {200}
    listeners[0].wait_for("takes events again")


def test_a_network_that_is_cut_between_both_listeners_and_the_server(
    alovoice: FrontDoor, listen: Listen, crm: Handler, far: _FarCluster
) -> None:
    url = far.event_store()
    assert alovoice("config", "set", "store", url).code == 0
    name = url.rpartition("/")[2]
    listeners = [listen("--forward", crm.url, "--store", far.url(name, place)) for place in (0, 1)]

    def away() -> None:
        for place in (0, 1):
            far.cut(place)
        time.sleep(CUT_SECONDS)
        for place in (0, 1):
            far.join(place)

    play = OutagePlay(alovoice, listeners, crm, senders=8, pause=0.2)
    print(play.run(away, around=800))
    assert set(play.answers) == {200}
