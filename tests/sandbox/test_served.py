"""The sandbox behind a real socket: its faults are what a client meets in the wild."""

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from alovoice_cli.sandbox.opening import MOST_BODY_BYTES, open_sandbox
from alovoice_cli.serving.limits import Limits
from alovoice_cli.serving.server import SocketServer
from alovoice_cli.stores.pbx import PbxStore

TOKEN = "22dfbb22-d073-4422-b322-22949d14a022"
FAULTS = "outcall:lost,requestcall:reset,getpeers:cut,getMyTrunks:hang,callgetaireresult:503/2"


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A PBX at whose every endpoint something else goes wrong: its address and its store."""
    path = tmp_path_factory.mktemp("faulty") / "sandbox.db"
    app = open_sandbox(path, token=TOKEN, faults=FAULTS).app
    server = SocketServer(app, limits=Limits(body_bytes=MOST_BODY_BYTES))
    started = threading.Event()
    thread = threading.Thread(target=server.run, args=[lambda _: started.set()])
    thread.start()
    assert started.wait(10)
    yield server.url.removeprefix("http://"), PbxStore(path)
    server.stop()
    thread.join(15)
    assert not thread.is_alive()


def ask(address: str, method: str, path: str, body: str | None = None, timeout: float = 60.0) -> Any:
    connection = http.client.HTTPConnection(address, timeout=timeout)
    try:
        connection.request(method, path, body, {"Authorization": f"Bearer {TOKEN}"})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def call(key: str) -> Any:
    return f'{{"call_id": "{key}", "inner_phone": 2424, "number": "+998994412860"}}'


def test_a_reset_is_a_real_reset_and_nothing_was_done(faulty: Any) -> None:
    address, store = faulty
    body = '{"callto": "712037006", "ivrid": 222, "extid": "r1"}'
    with pytest.raises(ConnectionResetError):
        ask(address, "POST", f"/requestcall/{TOKEN}", body)
    assert store.find_call("r1") is None


def test_a_lost_answer_is_a_drop_after_the_call_was_made(faulty: Any) -> None:
    address, store = faulty
    with pytest.raises(ConnectionResetError):
        ask(address, "POST", f"/outcall/{TOKEN}", call("l1"))
    assert store.find_call("l1") is not None


def test_a_cut_answer_has_its_whole_head_and_half_its_body(faulty: Any) -> None:
    with pytest.raises(http.client.IncompleteRead) as caught:
        ask(faulty[0], "GET", f"/getpeers/{TOKEN}")
    assert caught.value.partial.startswith(b'[{"id":8396')
    assert caught.value.expected is not None
    assert abs(len(caught.value.partial) - caught.value.expected) <= 1


def test_a_hanging_answer_outlasts_the_client(faulty: Any) -> None:
    began = time.perf_counter()
    with pytest.raises(TimeoutError):
        ask(faulty[0], "GET", "/mapi/getMyTrunks", timeout=0.5)
    assert time.perf_counter() - began >= 0.5


def test_an_ordered_status_comes_with_its_retry_after_and_the_sandboxs_mark(faulty: Any) -> None:
    status, headers, _ = ask(faulty[0], "GET", f"/callgetaireresult/{TOKEN}/1")
    assert (status, headers["retry-after"], headers["x-alovoice-sandbox"]) == (503, "2", "1")


def test_a_body_over_the_cap_is_refused_before_it_is_sent(faulty: Any) -> None:
    host, port = faulty[0].split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        head = f"POST /mapi/addAutorule HTTP/1.1\r\nHost: localhost\r\nContent-Length: {MOST_BODY_BYTES + 1}\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")
