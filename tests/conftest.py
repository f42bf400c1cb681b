"""Fixtures for every test: a fresh home behind the front door, and no way out of this machine."""

import gc
import inspect
import ipaddress
import os
import re
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from event_rows import empty
from front_door import FrontDoor
from hypothesis import settings
from postgres_server import Cluster, programs, running_cluster
from strength import IS_SOAK, rounds

from alovoice_cli.catalogues import compile_catalogues
from alovoice_cli.language import FOLDER, use_language
from alovoice_cli.stores.event_postgres import IDLE

# The same examples in each run, so that a red run says something of the change; the soak tries new ones each time.
settings.register_profile("repeatable", derandomize="ALOVOICE_SOAK" not in os.environ)
settings.load_profile("repeatable")

# Kept from run to run, also where the environment asks for no bytecode: rewriting the tests' assertions takes a worker
# 12 seconds, and each process that a test starts would compile the program anew.
sys.dont_write_bytecode = False

# A shell that starts the tests in the background has them ignore Ctrl-C, and the processes that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # nohup
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_configure(config: pytest.Config) -> None:
    """Compiles the catalogues of the checkout where one has changed, before any worker reads them."""
    if hasattr(config, "workerinput"):
        return
    sources = list(FOLDER.glob("*/LC_MESSAGES/*.po"))
    made = [path.with_suffix(".mo") for path in sources]
    if not all(mo.exists() and mo.stat().st_mtime > po.stat().st_mtime for po, mo in zip(sources, made, strict=True)):
        compile_catalogues()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """For `-n auto`: one worker more than there are cores, for many tests wait more than they work."""
    return None if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ else (os.cpu_count() or 1) + 1


_READERS = (
    "any_bytes",
    "where",
    "reading",
    "profiles",
    "edits",
    "tokens",
    "sheets",
    "mp3",
    "recipients",
    "do_not_call",
)
"""Files with properties of what is read from others: 5,000 examples each in a soak of two hours."""
_sized: set[object] = set()


def pytest_itemcollected(item: pytest.Item) -> None:
    """In the soak a property with a number of its own tries as many times more as one of `examples`."""
    test: Any = getattr(item, "obj", None)
    own = getattr(test, "_hypothesis_internal_use_settings", None)
    if not IS_SOAK or own is None or test in _sized:
        return
    _sized.add(test)
    text = inspect.getsource(test.hypothesis.inner_test)
    has_size = re.search(r"\bexamples\((?!max_examples)", text) is not None
    count = own.max_examples if has_size else rounds(own.max_examples)
    if any(item.path.stem == f"test_{name}" for name in _READERS):
        count = max(count, rounds(125))
    test._hypothesis_internal_use_settings = settings(own, max_examples=count)


def pytest_collection_finish() -> None:
    """Spares every later garbage collection the tests and libraries that are loaded by now: a tenth of all time."""
    gc.collect()
    gc.freeze()


ALLOWED_SKIPS = (
    "test_the_unit_names_the_program_as_it_was_started",
    "test_handlers_soak",
    "test_powershell",
    "test_a_network_that_is_cut",  # a container may make no links
)
"""What may be skipped where ALOVOICE_NO_SKIPS is set, by a part of the test's name: on a Debian with every tool."""
_skipped: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Notes the skipped tests."""
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
        if not any(part in report.nodeid for part in ALLOWED_SKIPS):
            _skipped.append(f"{report.nodeid}: {reason}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fails a run in which a test was skipped that this machine should have run."""
    if "ALOVOICE_NO_SKIPS" in os.environ and _skipped and not hasattr(session.config, "workerinput"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Names the tests that were skipped and should have run."""
    if "ALOVOICE_NO_SKIPS" in os.environ and _skipped:
        terminalreporter.section("skipped, and should have run")
        for line in _skipped:
            terminalreporter.line(line)


@pytest.fixture
def alovoice(tmp_path: Path) -> FrontDoor:
    """A fresh home: no configuration, no token, the sandbox at hand."""
    home = tmp_path / "home"
    home.mkdir()
    environ = {
        "HOME": str(home),
        "PATH": os.environ.get("PATH", ""),
        "ALOVOICE_CONFIG_DIR": str(home / "config"),
        "ALOVOICE_STATE_DIR": str(home / "state"),
        "COLUMNS": "80",
        "TERM": "xterm-256color",
    }
    return FrontDoor(home, environ)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A running PostgreSQL of this worker's own."""
    pytest.importorskip("psycopg")
    if programs() is None:
        pytest.skip("PostgreSQL is not installed")
    with running_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest) -> str:
    """The kind of database that holds the events: a test that asks for a store runs once with each."""
    kind: str = request.param
    return kind


@pytest.fixture
def store_url(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """An event store: a file that is still to be made, or an empty database with the tables."""
    if engine == "sqlite":
        yield f"sqlite:///{tmp_path / 'events.db'}"
        return
    cluster: Cluster = request.getfixturevalue("postgres")
    url = cluster.event_store()
    yield url
    IDLE.close()
    cluster.drop(url)


@pytest.fixture(scope="session")
def new_store(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Makes one more event store of the kind: for tests that need many."""

    def make(engine: str) -> str:
        if engine == "sqlite":
            return f"sqlite:///{tmp_path_factory.mktemp('store') / 'events.db'}"
        cluster: Cluster = request.getfixturevalue("postgres")
        return cluster.event_store()

    return make


@pytest.fixture(scope="session")
def emptied_store(new_store: Callable[[str], str]) -> Callable[[str], str]:
    """An empty event store of the kind, for each example of a property: a database is the same one each time."""
    kept: list[str] = []

    def make(engine: str) -> str:
        if engine == "sqlite":
            return new_store(engine)
        if not kept:
            kept.append(new_store(engine))
        empty(kept[0])
        return kept[0]

    return make


@pytest.fixture
def profile_store(engine: str, store_url: str, alovoice: FrontDoor) -> str:
    """The event store of the profile `default` in a fresh home: its own file, or a database that it names."""
    if engine == "postgres":
        assert alovoice("config", "set", "store", store_url).code == 0
        alovoice.server_store = store_url
    return alovoice.store_url


@pytest.fixture
def store_place(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[str], Path | str]:
    """Where a store of this name lies: a file in the state directory, or an empty database."""
    if engine == "sqlite":
        return lambda name: tmp_path / "state" / name
    url: str = request.getfixturevalue("postgres").database()
    return lambda name: url


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """Each test begins in English, whatever language one before it chose."""
    use_language("en")
    yield
    use_language("en")


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reaches further than this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not ipaddress.ip_address(address[0]).is_loopback:
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
