"""An ASGI app in this process behaves as a server on a socket would, faults included."""

import asyncio
import io
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from alovoice_cli.api.inprocess import InProcess
from alovoice_cli.api.request import FilePart
from alovoice_cli.errors import OutcomeUnknownError, ServerError, UnreachableError

URL = "http://sandbox.localhost"
App = Callable[[Any, Any, Any], Awaitable[None]]


class Seen:
    """What the app was given."""

    def __init__(self) -> None:
        self.scopes: list[Any] = []
        self.bodies: list[bytes] = []
        self.largest = 0
        self.released, self.ended = threading.Event(), threading.Event()


async def read(scope: Any, receive: Any, seen: Seen) -> None:
    body = b""
    while True:
        message = await receive()
        body += message["body"]
        seen.largest = max(seen.largest, len(message["body"]))
        if not message["more_body"]:
            break
    seen.scopes.append(scope)
    seen.bodies.append(body)


async def hang(seen: Seen) -> None:
    while not seen.released.is_set():
        await asyncio.sleep(0.01)
    seen.ended.set()


def app(seen: Seen, body: bytes = b"true", fault: str = "") -> App:
    async def answer(scope: Any, receive: Any, send: Any) -> None:
        await read(scope, receive, seen)
        if fault == "reset":
            raise ConnectionResetError
        if fault == "bug":
            raise RuntimeError("a bug")
        if fault == "hang":
            await hang(seen)
        if fault == "silent":
            return
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": body, "more_body": True})
        if fault == "cut":
            raise ConnectionResetError
        if fault == "never ends":
            return
        await send({"type": "http.response.body"})

    return answer


def test_a_call_reaches_the_app_as_it_is(client: Any, unsafe: Any) -> None:
    seen = Seen()
    assert unsafe["outcall"](client(URL, transport=InProcess(app(seen)))) is True
    scope = seen.scopes[0]
    assert (scope["method"], scope["path"]) == ("POST", "/outcall/22dfbb22-d073-4422-b322-22949d14a022")
    assert (b"host", b"sandbox.localhost") in scope["headers"]
    assert seen.bodies[0].startswith(b'{"call_id": "7"')


def test_escapes_and_queries_arrive_as_asgi_has_them(client: Any) -> None:
    seen = Seen()
    client(URL, transport=InProcess(app(seen, b"{}"))).ai.result("a%2Fb ў?x")
    scope = seen.scopes[0]
    assert scope["path"].endswith("/a%2Fb ў?x")
    assert scope["query_string"] == b""


def test_an_upload_is_streamed_in(client: Any) -> None:
    seen = Seen()
    size = 3_000_000
    client(URL, transport=InProcess(app(seen, b'{"id": 1}'))).autorule.create(
        {"name": "N"},
        record=FilePart("x.mp3", "audio/mpeg", io.BytesIO(b"\xff" * size)),
        recipients=FilePart("r.csv", "text/csv", io.BytesIO(b"1\n")),
    )
    assert len(seen.bodies[0]) > size
    assert seen.largest < 100_000


@pytest.mark.parametrize("fault", ["reset", "bug", "cut", "silent", "never ends", "hang"])
def test_an_app_that_fails_leaves_the_outcome_unknown(fault: str, client: Any, unsafe: Any, book: Any) -> None:
    seen = Seen()
    pbx = client(URL, transport=InProcess(app(seen, fault=fault)), timeout=0.3)
    with pytest.raises(OutcomeUnknownError):
        unsafe["outcall"](pbx)
    assert len(seen.bodies) == 1
    assert book.outcomes["R-0001"].state == "unknown"
    seen.released.set()
    assert fault != "hang" or seen.ended.wait(60)


@pytest.mark.parametrize(("fault", "tries", "kind"), [("reset", 4, UnreachableError), ("cut", 2, ServerError)])
def test_an_app_that_drops_a_read_is_asked_again(fault: str, tries: int, kind: Any, client: Any) -> None:
    seen = Seen()
    with pytest.raises(kind):
        client(URL, transport=InProcess(app(seen, b"[", fault))).trunks.list()
    assert len(seen.bodies) == tries


def test_of_a_transport_without_trace_events_nothing_is_ever_sent_twice(client: Any, unsafe: Any, book: Any) -> None:
    def broken(scope: Any, receive: Any, send: Any) -> Any:
        raise ConnectionResetError

    with pytest.raises(OutcomeUnknownError):
        unsafe["outcall"](client(URL, transport=InProcess(broken)))
    assert len(book.intents) == 1
