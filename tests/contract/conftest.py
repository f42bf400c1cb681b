"""A sandbox behind a real socket, and the contract's cases."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from alovoice_cli.sandbox.opening import open_sandbox
from alovoice_cli.serving.server import SocketServer

HERE = Path(__file__).parent
TOKEN = "22dfbb22-d073-4422-b322-22949d14a022"


@dataclass(frozen=True)
class Served:
    """Where the sandbox answers, and the token that it takes."""

    url: str
    token: str


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A sandbox that lives fast: an analysis is ready at once."""
    sandbox = open_sandbox(tmp_path_factory.mktemp("state") / "sandbox.db", token=TOKEN, speed=100_000)
    server = SocketServer(sandbox.app)
    started = threading.Event()
    thread = threading.Thread(target=server.run, args=[lambda _: started.set()])
    thread.start()
    assert started.wait(60)
    yield Served(server.url, sandbox.token)
    server.stop()
    thread.join(60)
    assert not thread.is_alive()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Gives a test each `case`, each case whose curl line the document has `printed`, or each of the eight methods."""
    methods = [json.loads(file.read_text("utf-8")) for file in sorted(HERE.glob("*.json"))]
    cases: list[Any] = [(method, case) for method in methods for case in method["cases"]]
    given = {"case": cases, "printed": [pair for pair in cases if "curl" in pair[1]]}
    for name, pairs in given.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, pairs, ids=[f"{method['name']}: {case['name']}" for method, case in pairs])
    if "method" in metafunc.fixturenames:
        metafunc.parametrize("method", methods, ids=[method["name"] for method in methods])
