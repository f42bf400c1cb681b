"""What guards itself is started many times at once: all that is kept belongs together, and who must lose says why."""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence

import pytest
from front_door import FrontDoor
from listening.conftest import Listening
from ports import free_port
from raw_server import Connection, RawServer
from strength import rounds

pytestmark = pytest.mark.soak
MANY = min(2 + rounds(2), 16)


@pytest.fixture
def exchanges() -> Iterator[list[RawServer]]:
    """PBXs that accept every token."""

    def accept(connection: Connection) -> None:
        while connection.read() is not None:
            connection.answer("200 OK", b'["712037006"]')

    servers = [RawServer([accept]) for _ in range(2)]
    yield servers
    for server in servers:
        server.stop()


def _ended(processes: Sequence[subprocess.Popen[bytes]]) -> list[tuple[int, str]]:
    ended = [process.communicate(timeout=120) for process in processes]
    return [(process.returncode, err.decode()) for process, (_, err) in zip(processes, ended, strict=True)]


def _token(number: int) -> str:
    return f"{number:08}-dead-4eef-8bad-f00dfeed0042"


def test_logins_to_two_exchanges_at_once_keep_a_token_with_its_own_exchange(
    alovoice: FrontDoor, exchanges: list[RawServer]
) -> None:
    processes = []
    for number in range(MANY):
        words = ("--base-url", exchanges[number % 2].url, "login", "-p", "north", "--with-token")
        processes.append(
            subprocess.Popen(
                [sys.executable, "-m", "alovoice_cli", *words],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=alovoice.environ,
                cwd=alovoice.home,
            )
        )
    for number, process in enumerate(processes):
        assert process.stdin is not None
        process.stdin.write(f"{_token(number)}\n".encode())
        process.stdin.flush()
    assert {code for code, _ in _ended(processes)} == {0}
    stored = tomllib.loads((alovoice.home / "config" / "tokens.toml").read_text("utf-8"))
    (winner,) = [number for number in range(MANY) if _token(number) in json.dumps(stored)]
    before = [len(exchange.requests) for exchange in exchanges]
    assert alovoice("-p", "north", "trunks").code == 0
    asked = [len(exchange.requests) - count for exchange, count in zip(exchanges, before, strict=True)]
    assert asked == [int(place == winner % 2) for place in range(2)], "the token went to the PBX that accepted it"
    assert exchanges[winner % 2].requests[-1].header("authorization").endswith(_token(winner))


def test_one_setting_written_by_many_is_one_of_their_values(alovoice: FrontDoor) -> None:
    processes = [alovoice.start("config", "set", "timeout", str(10 + number)) for number in range(MANY)]
    assert {code for code, _ in _ended(processes)} == {0}
    assert json.loads(alovoice("config", "get", "timeout", "--json").out)["value"] in range(10, 10 + MANY)
    assert sorted(path.name for path in (alovoice.home / "config").iterdir()) == ["config.lock", "config.toml"]


def test_of_many_listeners_on_one_port_one_serves(alovoice: FrontDoor) -> None:
    port = str(free_port())
    processes = [alovoice.start("listen", "--port", port, "--json") for _ in range(MANY)]
    winners = [process for process in processes if process.stdout is not None and process.stdout.readline()]
    losers = [process for process in processes if process not in winners]
    assert len(winners) == 1
    for code, told in _ended(losers):
        assert (code, port in told, "Traceback" in told) == (2, True, False), told
    winners[0].terminate()
    assert [code for code, _ in _ended(winners)] == [143]


def test_many_listeners_that_begin_a_store_share_its_secret_and_its_numbers(alovoice: FrontDoor) -> None:
    words = [sys.executable, "-m", "alovoice_cli", "listen", "--port", "0", "--json"]
    pipe = subprocess.PIPE
    started = [
        Listening(subprocess.Popen(words, stdout=pipe, stderr=pipe, env=alovoice.environ, cwd=alovoice.home))
        for _ in range(MANY)
    ]
    for listening in started:
        listening.watch()
    assert all(listening.urls for listening in started), [listening.errors for listening in started]
    assert len({listening.urls["callstart"].rpartition("/h/")[2] for listening in started}) == 1
    for number, listening in enumerate(started):
        body = {"number": f"9989{number:08}", "line": 712037006, "type": "inc", "start_time": 1716209468}
        assert listening.post("callstart", body)[0] == 200
    told = json.loads(alovoice("events", "list", "--json", "--limit", "0").out)
    assert len({event["seq"] for event in told}) == len(told) == MANY
    assert [listening.stop() for listening in started] == [143] * MANY
    for listening in started:
        for stream in (listening.process.stdout, listening.process.stderr):
            assert stream is not None
            stream.close()
