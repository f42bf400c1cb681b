"""What a PBX, and whatever stands before it, can do to a request that dials, each with the only right exit code."""

import gzip
import json
import socket
import zlib
from collections.abc import Callable
from typing import Literal, NamedTuple

from raw_server import Connection

Happen = Callable[[Connection, bytes], None]
Route = Literal["http", "no tls", "untrusted", "trusted", "proxy"]
DONE, REFUSED, AUTH, ABSENT, UNREACHED, UNKNOWN, SERVER = 0, 1, 3, 4, 5, 6, 7


class Fault(NamedTuple):
    """What happens, given the body of a good answer, and the exit codes.

    `code` is for `outcall`, which answers true or false; `text` for `requestcall`, which may answer any text; `whole`
    for `addAutorule` and `callsendai`, which answer an object. None: the same. `or_else`: the code where the network
    decides which of the two comes first. `route`: how the program reaches the PBX. `slow`: ends by the time-out.
    `pauses`: a batch waits before its next row.
    """

    happen: Happen
    code: int
    text: int | None = None
    whole: int | None = None
    or_else: int | None = None
    route: Route = "http"
    slow: bool = False
    pauses: bool = False

    def codes(self, method: str) -> set[int]:
        """Returns the exit codes of one request by this method of the API."""
        own = {"outcall": None, "requestcall": self.text}.get(method, self.whole)
        code = self.code if own is None else own
        return {code} if self.or_else is None else {code, self.or_else}

    @property
    def never_leaves(self) -> bool:
        """Returns whether the request certainly does not leave: the program may try again."""
        return UNREACHED in (self.code, self.or_else) or self.route == "proxy"


def _unread(happen: Callable[[Connection], None]) -> Happen:
    return lambda connection, good: happen(connection)


def _read(happen: Callable[[Connection, bytes], None]) -> Happen:
    def read_first(connection: Connection, good: bytes) -> None:
        if connection.read() is not None:
            happen(connection, good)

    return read_first


def _says(status: str = "200 OK", body: bytes | None = None, *headers: str) -> Happen:
    """A whole answer; without a body the good one."""
    return _read(lambda connection, good: connection.answer(status, good if body is None else body, *headers))


def _writes(make: Callable[[bytes], bytes], *, resets: bool = False) -> Happen:
    """Raw bytes, then the end of the connection, orderly or not."""

    def write(connection: Connection, good: bytes) -> None:
        connection.write(make(good))
        if resets:
            connection.reset()

    return _read(write)


def _hang(connection: Connection, _: bytes = b"") -> None:
    connection.hang()


def _drip(head: bytes) -> Happen:
    def drip(connection: Connection, _: bytes) -> None:
        connection.write(head)
        while not connection.server.stopped.wait(0.05):
            connection.write(b"x")

    return _read(drip)


def _reset_at_first_byte(connection: Connection) -> None:
    connection.sock.recv(1, socket.MSG_PEEK)
    connection.reset()


def _close_after_headers(connection: Connection, _: bytes) -> None:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.sock.recv(1)


def _early(status: str) -> Happen:
    """Answers before it reads."""

    def answer(connection: Connection, good: bytes) -> None:
        connection.sock.recv(1, socket.MSG_PEEK)
        connection.answer(status, good)
        connection.read()

    return answer


def _head(*headers: str, status: str = "HTTP/1.1 200 OK") -> bytes:
    return "\r\n".join((status, *headers, "", "")).encode()


def _length(good: bytes, off: int = 0) -> str:
    return f"Content-Length: {len(good) + off}"


def _chunked(*lines: bytes) -> bytes:
    return _head("Transfer-Encoding: chunked") + b"\r\n".join(lines)


def _chunk(good: bytes) -> bytes:
    return b"%x" % len(good)


def _encoded(name: str, make: Callable[[bytes], bytes]) -> Happen:
    return _read(lambda connection, good: connection.answer("200 OK", make(good), f"Content-Encoding: {name}"))


def _body(body: bytes, code: int, text: int | None = None, whole: int | None = None) -> Fault:
    return Fault(_says(body=body), code, text, whole)


def _object(value: object, code: int, text: int | None = None, whole: int | None = None) -> Fault:
    return _body(json.dumps(value).encode(), code, text, whole)


def _redirect(status: int) -> Fault:
    """Sends the client to the same server under another name: who follows is counted."""

    def happen(connection: Connection, _: bytes) -> None:
        place = f"Location: http://127.0.0.1:{connection.server.port}/elsewhere"
        connection.answer(f"{status} X", b"moved", place)

    return Fault(_read(happen), SERVER)


def _statuses(code: int, *statuses: int) -> dict[str, Fault]:
    return {f"status {status}": Fault(_says(f"{status} X", b'{"e": 1}'), code) for status in statuses}


def _limited(wait: str | None) -> Fault:
    headers = [f"Retry-After: {wait}"] if wait is not None else []
    return Fault(_says("429 X", b"", *headers), SERVER, pauses=True)


_BEFORE_THE_ANSWER = {
    "reset on accept": Fault(_unread(Connection.reset), UNKNOWN, or_else=UNREACHED),
    "closed on accept": Fault(_unread(Connection.close), UNKNOWN),
    "reset at the first byte": Fault(_unread(_reset_at_first_byte), UNKNOWN),
    "closed after the headers": Fault(_close_after_headers, UNKNOWN),
    "hangs unread": Fault(_hang, UNKNOWN, slow=True),
    "a refusal before the body is read": Fault(_early("400 X"), REFUSED),
    "an answer before the body is read": Fault(_early("200 OK"), DONE),
    "closed without an answer": Fault(_read(lambda connection, good: None), UNKNOWN),
    "reset without an answer": Fault(_writes(lambda good: b"", resets=True), UNKNOWN),
    "hangs": Fault(_read(_hang), UNKNOWN, slow=True),
}
_CUT = {
    "cut after one byte": Fault(_writes(lambda good: b"H"), UNKNOWN),
    "cut in the status": Fault(_writes(lambda good: b"HTTP/1.1 200"), UNKNOWN),
    "cut after the status": Fault(_writes(lambda good: b"HTTP/1.1 200 OK\r\n"), UNKNOWN),
    "cut in a header": Fault(_writes(lambda good: b"HTTP/1.1 200 OK\r\nContent-Le"), UNKNOWN),
    "cut before the body": Fault(_writes(lambda good: _head(_length(good))), UNKNOWN),
    "cut in the body": Fault(_writes(lambda good: _head(_length(good)) + good[:2]), UNKNOWN),
    "cut before the last byte": Fault(_writes(lambda good: _head(_length(good)) + good[:-1]), UNKNOWN),
    "reset in the body": Fault(_writes(lambda good: _head(_length(good)) + good[:2], resets=True), UNKNOWN),
    "drips headers": Fault(_drip(b"HTTP/1.1 200 OK\r\nX: "), UNKNOWN, slow=True),
    "drips the body": Fault(_drip(_head()), UNKNOWN, slow=True),
    "a cut refusal": Fault(_writes(lambda good: _head("Content-Length: 9", status="HTTP/1.1 400 X")), UNKNOWN),
}
_FRAMING = {
    "chunks are cut": Fault(_writes(lambda good: _chunked(_chunk(good), good[:1])), UNKNOWN),
    "no last chunk": Fault(_writes(lambda good: _chunked(_chunk(good), good, b"")), UNKNOWN),
    "a chunk without a size": Fault(_writes(lambda good: _chunked(b"zz", good, b"0", b"", b"")), UNKNOWN),
    "a chunk of a huge size": Fault(_writes(lambda good: _chunked(b"F" * 16, good, b"0", b"", b"")), UNKNOWN),
    "whole chunks": Fault(_writes(lambda good: _chunked(_chunk(good), good, b"0", b"", b"")), DONE),
    "length too small": Fault(_writes(lambda good: _head(_length(good, -1)) + good), UNKNOWN, DONE),
    "length too large": Fault(_writes(lambda good: _head(_length(good, 1)) + good), UNKNOWN),
    "length is no number": Fault(_writes(lambda good: _head("Content-Length: four") + good), UNKNOWN),
    "length is negative": Fault(_writes(lambda good: _head("Content-Length: -4") + good), UNKNOWN),
    "two lengths": Fault(_writes(lambda good: _head(_length(good), _length(good, 1)) + good), UNKNOWN),
    "one length twice": Fault(_writes(lambda good: _head(_length(good), _length(good)) + good), DONE),
    "no length": Fault(_writes(lambda good: _head() + good), DONE),
    "an answer of HTTP/1.0": Fault(_writes(lambda good: _head(status="HTTP/1.0 200 OK") + good), DONE),
    "an answer of HTTP/0.9": Fault(_writes(lambda good: good), UNKNOWN),
    "an answer of HTTP/2": Fault(_writes(lambda good: b"\0\0\x12\x04\0\0\0\0\0"), UNKNOWN),
    "another protocol": Fault(_writes(lambda good: b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), UNKNOWN),
    "two answers": Fault(_writes(lambda good: _head(_length(good)) + good + _head(_length(b"false")) + b"false"), DONE),
    "huge headers": Fault(_writes(lambda good: _head(_length(good), f"X: {'x' * 200_000}") + good), UNKNOWN),
    "a NUL in a header": Fault(_writes(lambda good: _head(_length(good), "X: a\0b") + good), UNKNOWN),
    "continue, then an answer": Fault(
        _writes(lambda good: _head(status="HTTP/1.1 100 Continue") + _head(_length(good)) + good), DONE
    ),
    "continue, then nothing": Fault(_writes(lambda good: _head(status="HTTP/1.1 100 Continue")), UNKNOWN),
    "early hints, then an answer": Fault(
        _writes(lambda good: _head("Link: </x>", status="HTTP/1.1 103 Early Hints") + _head(_length(good)) + good), DONE
    ),
    "other protocols": Fault(_writes(lambda good: _head("Upgrade: h2c", status="HTTP/1.1 101 Switching")), UNKNOWN),
}
_ENCODED = {
    "gzip cut at 0": Fault(_encoded("gzip", lambda good: b""), UNKNOWN),
    "gzip cut at 12": Fault(_encoded("gzip", lambda good: gzip.compress(good)[:12]), UNKNOWN),
    "gzip cut before its checksum": Fault(_encoded("gzip", lambda good: gzip.compress(good)[:-8]), UNKNOWN),
    "no gzip": Fault(_encoded("gzip", lambda good: good), UNKNOWN),
    "whole gzip": Fault(_encoded("gzip", gzip.compress), DONE),
    "deflate cut": Fault(_encoded("deflate", lambda good: zlib.compress(good)[:-2]), UNKNOWN),
    "an unknown encoding": Fault(_encoded("br", lambda good: good), UNKNOWN),
}
_BODIES = {
    "false": _body(b"false", REFUSED),
    "an error object": _object({"error": "no money"}, REFUSED),
    "a result of false": _object({"result": False}, REFUSED),
    "null": _object(None, UNKNOWN, DONE),
    "a number": _object(1, UNKNOWN, DONE),
    "an array": _object([], UNKNOWN, DONE),
    "another object": _object({"x": 1}, UNKNOWN, DONE, DONE),
    "a page": _body(b"<html>It works</html>", UNKNOWN, DONE),
    "half a document": _body(b'{"id": 1', UNKNOWN, DONE),
    "not a number": _body(b'{"id": NaN}', UNKNOWN, DONE),
    "a deep document": _body(b"[" * 5000 + b"]" * 5000, UNKNOWN, DONE),
    "NULs": _body(b"tr\0ue\0", UNKNOWN, DONE),
    "no text": _body(b"\xff\xfe\0t\0r", UNKNOWN),
    "an empty body": _body(b"", UNKNOWN, DONE),
    "a huge body": _body(b"true" + b" " * 2_000_000, UNKNOWN),
    "no content": Fault(_writes(lambda good: _head(status="HTTP/1.1 204 No Content")), UNKNOWN, DONE),
}
_STATUSES = {
    **{f"status {status}": _redirect(status) for status in (300, 301, 302, 303, 307, 308)},
    **_statuses(SERVER, 304),
    "a redirect without a place": Fault(_says("302 X"), SERVER),
    "a redirect to no address": Fault(_says("302 X", b"", "Location: http://[::1"), SERVER),
    **_statuses(REFUSED, 400, 402, 405, 407, 409, 410, 413, 415, 422, 451),
    **_statuses(AUTH, 401, 403),
    **_statuses(ABSENT, 404),
    **_statuses(UNKNOWN, 408, 425, 500, 501, 502, 503, 504, 507, 520, 599, 600, 999),
    "429 without a time": _limited(None),
    "429 for no time": _limited("0"),
    "429 for ages": _limited("99999999999999999999"),
    "429 for a negative time": _limited("-5"),
    "429 in words": _limited("soon"),
    "429 until a date without a zone": _limited("Sun, 29 Nov 2026 10:00:00 -0000"),
    "429 until the year 10000": _limited("Sun, 29 Nov 10000 10:00:00 GMT"),
}
_ON_THE_WAY = {
    "the handshake is cut": Fault(_unread(Connection.close), UNREACHED, route="no tls"),
    "the handshake hangs": Fault(_hang, UNREACHED, route="no tls", slow=True),
    "no TLS": Fault(_unread(lambda connection: connection.write(b"HTTP/1.1 400 X\r\n\r\n")), UNREACHED, route="no tls"),
    "a certificate of a stranger": Fault(_says(), UNREACHED, route="untrusted"),
    "TLS ends without an answer": Fault(_read(lambda connection, good: None), UNKNOWN, route="trusted"),
    "TLS is reset without an answer": Fault(_writes(lambda good: b"", resets=True), UNKNOWN, route="trusted"),
    "an answer by TLS": Fault(_says(), DONE, route="trusted"),
    "the proxy refuses": Fault(_says("502 X"), UNREACHED, route="proxy"),
    "the proxy asks who it is": Fault(_says("407 X", b"", "Proxy-Authenticate: Basic"), AUTH, route="proxy"),
    "the proxy hangs": Fault(_read(_hang), UNREACHED, route="proxy", slow=True),
    "the proxy goes": Fault(_read(lambda connection, good: None), UNREACHED, route="proxy"),
    "the proxy mumbles": Fault(_writes(lambda good: b"what?\r\n\r\n"), UNREACHED, route="proxy"),
}
FAULTS: dict[str, Fault] = {
    **_BEFORE_THE_ANSWER,
    **_CUT,
    **_FRAMING,
    **_ENCODED,
    **_BODIES,
    **_STATUSES,
    **_ON_THE_WAY,
}
