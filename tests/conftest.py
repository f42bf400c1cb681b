"""Fixtures for every test: a fresh home behind the front door, and no way out of this machine."""

import gc
import ipaddress
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from front_door import FrontDoor
from hypothesis import settings
from postgres_server import Cluster, programs, running_cluster

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


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """For `-n auto`: one worker more than there are cores, for many tests wait more than they work."""
    return None if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ else (os.cpu_count() or 1) + 1


def pytest_collection_finish() -> None:
    """Spares every later garbage collection the tests and libraries that are loaded by now: a tenth of all time."""
    gc.collect()
    gc.freeze()


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
    if programs() is None:
        pytest.skip("PostgreSQL is not installed")
    with running_cluster() as cluster:
        yield cluster


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reaches further than this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not ipaddress.ip_address(address[0]).is_loopback:
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
