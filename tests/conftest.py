"""Fixtures for all tests: a fresh home behind the front door, and no network beyond this machine."""

import compileall
import gc
import ipaddress
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from event_rows import empty
from front_door import FrontDoor, fresh_home
from hypothesis import settings
from hypothesis.internal.conjecture import providers
from postgres_server import EVENT_STORE, Cluster, begin_run, end_run, programs, shared_cluster
from strength import IS_SOAK, examples
from warm_start import begin_parent, end_parent

from alovoice_cli.catalogues import compile_catalogues
from alovoice_cli.language import FOLDER, use_language
from alovoice_cli.stores.event_postgres import IDLE

# The same examples in each run, so that a failure is caused by the change; the soak tries new ones each time.
settings.register_profile("repeatable", examples(125), derandomize=not IS_SOAK)
settings.load_profile("repeatable")

# Hypothesis also tries the constants of the program's modules that are imported by then: other examples for each order
# of the tests, and seconds of work for each worker. Only the soak does so.
if not IS_SOAK and hasattr(providers, "_get_local_constants"):
    cast(Any, providers)._get_local_constants = lambda: cast(Any, providers)._local_constants

# Kept between runs, even if the environment forbids bytecode: each process that a test starts would compile the program
# again, and each worker rewrite the assertions of all tests.
sys.dont_write_bytecode = False

# A shell that starts the tests in the background makes them and their processes ignore Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # nohup
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


# Until the tests are collected all is kept, and there is nothing to free.
gc.disable()

MEMORY = Path("/dev/shm")
TESTS = Path(__file__).parent


def _write_to_memory() -> None:
    """Lets the tests write to memory where the system has room for it: a disk takes 4 to 9 ms for each fsync.

    Not where TMPDIR names another folder: `TMPDIR=/tmp` tests on the disk.
    """
    if "TMPDIR" in os.environ or not MEMORY.is_dir():
        return
    found = os.statvfs(MEMORY)
    if found.f_bavail * found.f_frsize >= 4 << 30 and not found.f_flag & os.ST_NOEXEC:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


def pytest_configure(config: pytest.Config) -> None:
    """Prepares what the workers share: compiled catalogues and code, a cluster, the parent of what they start."""
    if hasattr(config, "workerinput"):
        return
    _write_to_memory()
    begin_run()
    sources = list(FOLDER.glob("*/LC_MESSAGES/*.po"))
    made = [path.with_suffix(".mo") for path in sources]
    if not all(mo.exists() and mo.stat().st_mtime > po.stat().st_mtime for po, mo in zip(sources, made, strict=True)):
        compile_catalogues()
    if config.getoption("numprocesses", None):
        if not any(TESTS.glob("__pycache__/*-pytest-*.pyc")):
            _prepare_bytecode()
        if sys.platform == "linux":
            begin_parent()


def _prepare_bytecode() -> None:
    """Compiles the program and the tests in a fresh checkout once, before each worker does it for itself."""
    files = sorted(str(path) for path in TESTS.rglob("test_*.py"))
    parts = os.cpu_count() or 1
    collect = [sys.executable, "-m", "pytest", "-n", "0", "--collect-only", "-p", "no:cacheprovider"]
    commands = [[*collect, *files[part::parts]] for part in range(parts)]
    begun = [subprocess.Popen(words, cwd=TESTS.parent, stdout=subprocess.DEVNULL) for words in commands]
    compileall.compile_dir(TESTS.parent / "alovoice_cli", quiet=2)
    for process in begun:
        process.wait()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Ends what this worker started, and what the workers shared."""
    end_parent()
    if not hasattr(config, "workerinput"):
        end_run()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """Returns the workers of `-n auto`: four more than there are cores, because many tests mostly wait."""
    return None if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ else (os.cpu_count() or 1) + 4


def pytest_itemcollected(item: pytest.Item) -> None:
    """Marks the soak's own tests."""
    if item.path.parent.name == "soak":
        item.add_marker(pytest.mark.soak)


_ONE_ENGINE = ("commands", "listening")
"""Folders in whose tests the kind of database matters little: each runs with one, in the soak with both."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves out a test's other engine where one is enough; mixes the tests where ALOVOICE_ORDER names an order."""
    if not IS_SOAK and "ALOVOICE_ENGINES" not in os.environ:
        engines = {item: _engine(item) for item in items}
        there = {(_name(item), engine) for item, engine in engines.items()}
        items[:] = [item for item, engine in engines.items() if not engine or _is_drawn(_name(item), engine, there)]
    if "ALOVOICE_ORDER" in os.environ:
        items[:] = _mixed(items, random.Random(os.environ["ALOVOICE_ORDER"]))


def _mixed(items: list[pytest.Item], chance: random.Random) -> list[pytest.Item]:
    """Mixes the files, and the tests of each: those of a file share what takes long to make."""
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    groups = list(files.values())
    chance.shuffle(groups)
    for group in groups:
        chance.shuffle(group)
    return [item for group in groups for item in group]


def _name(item: pytest.Item) -> str:
    return f"{item.path.stem}.{getattr(item, 'originalname', item.name)}"


def _engine(item: pytest.Item) -> str:
    """The kind of database of a test that needs only one of them, or ''."""
    callspec = getattr(item, "callspec", None)
    kind: str = callspec.params.get("engine", "") if callspec else ""
    return "" if item.path.parent.name not in _ONE_ENGINE or item.get_closest_marker("both_engines") else kind


def _is_drawn(name: str, engine: str, there: set[tuple[str, str]]) -> bool:
    """Whether the test's name draws this engine, or the test knows no other."""
    drawn = "postgres" if zlib.crc32(name.encode()) % 2 else "sqlite"
    return engine == drawn or (name, drawn) not in there


def pytest_collection_finish() -> None:
    """Spares every later garbage collection the tests and libraries that are loaded by now, and makes it rarer."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


ALLOWED_SKIPS = (
    "test_the_unit_names_the_program_as_it_was_started",
    "test_handlers_soak",
    "test_powershell",
    "test_a_network_that_is_cut",  # a container may make no links
)
"""Parts of the names of tests that may be skipped with ALOVOICE_NO_SKIPS: on a Debian with every tool."""
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
    """Returns a fresh home: no configuration, no token, and the sandbox."""
    return fresh_home(tmp_path / "home")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The running PostgreSQL that all workers share."""
    pytest.importorskip("psycopg")
    if programs() is None:
        pytest.skip("PostgreSQL is not installed")
    shared = shared_cluster()
    yield shared
    shared.close()


@pytest.fixture
def postgres(cluster: Cluster) -> Iterator[Cluster]:
    """A running PostgreSQL, which lends this test databases."""
    yield cluster
    IDLE.close()
    cluster.take_back()


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest) -> str:
    """Returns the kind of database for the events: a test that needs a store runs once with each kind."""
    kind: str = request.param
    return kind


@pytest.fixture
def store_url(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """Yields an event store: a file that does not exist yet, or an empty database with the tables."""
    if engine == "sqlite":
        yield f"sqlite:///{tmp_path / 'events.db'}"
        return
    yield request.getfixturevalue("postgres").event_store()


@pytest.fixture(scope="session")
def new_store(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Makes one more event store of the kind: for tests that need many."""

    def make(engine: str) -> str:
        if engine == "sqlite":
            return f"sqlite:///{tmp_path_factory.mktemp('store') / 'events.db'}"
        cluster: Cluster = request.getfixturevalue("cluster")
        return cluster.new_database(EVENT_STORE)

    return make


@pytest.fixture(scope="session")
def emptied_store(new_store: Callable[[str], str]) -> Callable[[str], str]:
    """Returns a function that empties the event store, for each example of a property: the database stays the same."""
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
    """Returns the event store of the profile `default` in a fresh home: its own file, or a database that it names."""
    if engine == "postgres":
        assert alovoice("config", "set", "store", store_url).code == 0
        alovoice.server_store = store_url
    return alovoice.store_url


@pytest.fixture
def store_place(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[str], Path | str]:
    """Returns a function that gives a store's place: a file in the state directory, or an empty database."""
    if engine == "sqlite":
        return lambda name: tmp_path / "state" / name
    url: str = request.getfixturevalue("postgres").database()
    return lambda name: url


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for localhost with its key in one file; it is its own authority."""
    folder = tmp_path_factory.mktemp("tls")
    words = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    command = [*words.split(), "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    try:
        subprocess.run([*command, "-keyout", folder / "key", "-out", folder / "cert"], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    both = folder / "both.pem"
    both.write_bytes((folder / "key").read_bytes() + (folder / "cert").read_bytes())
    return both


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """Makes each test begin in English, whatever language an earlier test chose."""
    use_language("en")
    yield
    use_language("en")


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stops connections to other machines."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not ipaddress.ip_address(address[0]).is_loopback:
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
