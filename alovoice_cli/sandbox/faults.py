"""Ordered faults: reads `outcall:503@10%,*:reset@1%,getpeers:delay=2s` into values."""

import asyncio
import difflib
import random
import re
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from alovoice_cli.errors import UsageError
from alovoice_cli.language import joined, tr

ENDPOINTS = (
    *("addAutorule", "getAutorule", "getMyTrunks", "requestcall", "outcall", "getpeers"),
    *("callsendai", "callgetaireresult", "stereo"),
)
EVERY = "*"

Kind = Literal["status", "reset", "lost", "cut", "hang", "garbage", "delay"]
KINDS: tuple[Kind, ...] = ("reset", "lost", "cut", "hang", "garbage")
"""Those that are written as a bare word; a status is written as its number, a delay as `delay=2s`."""


def grammar() -> str:
    """Returns how a `--fault` text is written."""
    return tr(
        "write ENDPOINT:KIND[@PERCENT%], separated by commas; ENDPOINT: * or {endpoints};"
        " KIND: a status 400-599 (503/5 adds Retry-After: 5), {kinds}, delay=TIME (500ms, 2s, 1m)",
        endpoints=", ".join(ENDPOINTS),
        kinds=", ".join(KINDS),
    )


_STATUS = re.compile(r"(\d{3})(?:/(\d{1,5}))?", re.ASCII)
_DURATION = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)(ms|s|m)", re.ASCII)
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d{1,6})?)%?", re.ASCII)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault at one endpoint (or at every one), in `percent` of its requests.

    `status` and `retry_after_seconds` belong to the kind `status`, `delay_seconds` to `delay`.
    """

    endpoint: str
    kind: Kind
    percent: float = 100.0
    status: int = 0
    retry_after_seconds: int | None = None
    delay_seconds: float = 0.0

    def concerns(self, endpoint: str) -> bool:
        """Returns whether the fault applies to this endpoint."""
        return self.endpoint in (EVERY, endpoint)


def parse_faults(spec: str) -> tuple[Fault, ...]:
    """Returns the faults of a `--fault` text, in order; none for an empty text. Raises UsageError naming the place."""
    if not spec.strip():
        return ()
    return tuple(_parse_fault(text.strip(), place) for place, text in enumerate(spec.split(","), 1))


def _parse_fault(text: str, place: int) -> Fault:
    rule, at, percent = text.partition("@")
    endpoint, colon, kind = (part.strip() for part in rule.partition(":"))
    if not colon:
        raise _unreadable(text, place, tr("the colon between endpoint and kind is missing"))
    if endpoint not in (EVERY, *ENDPOINTS):
        why = tr("there is no endpoint {value}", value=repr(endpoint))
        if near := difflib.get_close_matches(endpoint, ENDPOINTS, 1):
            why = joined("; ", (why, tr("did you mean {word}?", word=near[0])))
        raise _unreadable(text, place, why)
    return _parse_kind(kind, endpoint, _parse_percent(percent, text, place) if at else 100.0, text, place)


def _parse_kind(kind: str, endpoint: str, percent: float, text: str, place: int) -> Fault:
    for word in KINDS:
        if kind == word:
            return Fault(endpoint, word, percent)
    if status := _STATUS.fullmatch(kind):
        if not 400 <= int(status[1]) <= 599:
            raise _unreadable(text, place, tr("the status {status} is not between 400 and 599", status=status[1]))
        retry_after = int(status[2]) if status[2] else None
        return Fault(endpoint, "status", percent, status=int(status[1]), retry_after_seconds=retry_after)
    if kind.startswith("delay="):
        duration = _DURATION.fullmatch(kind.removeprefix("delay="))
        if duration is None:
            value = repr(kind.removeprefix("delay="))
            raise _unreadable(text, place, tr("{value} is not a length of time such as 500ms, 2s or 1m", value=value))
        return Fault(endpoint, "delay", percent, delay_seconds=float(duration[1]) * _SECONDS[duration[2]])
    raise _unreadable(text, place, tr("there is no kind {value}", value=repr(kind)))


def _parse_percent(percent: str, text: str, place: int) -> float:
    match = _PERCENT.fullmatch(percent.strip())
    if match is None or not 0 < float(match[1]) <= 100:
        why = tr("{value} is not a percentage over 0% and up to 100%", value=repr(percent.strip()))
        raise _unreadable(text, place, why)
    return float(match[1])


def _unreadable(text: str, place: int, why: str) -> UsageError:
    return UsageError(
        tr("fault {number} ({value}) is not valid: {problem}", number=place, value=repr(text), problem=why),
        hint=grammar(),
    )


Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

_MOST_DRAINED = 1 << 20
_LONGEST_HANG_SECONDS = 3600
_GARBAGE = b'\xff\xfe{"answer": [1,,\x00'


def with_faults(app: App, faults: Sequence[Fault], *, seed: int) -> App:
    """Returns the app with at most one fault a request, chosen by chance; delays are additional.

    The same seed and the same order of requests give the same faults.
    """
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose

    async def faulty(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        concerned = [fault for fault in faults if fault.concerns(_endpoint(scope["path"]))]
        due = [fault for fault in concerned if chance.random() * 100 < fault.percent]
        await asyncio.sleep(sum(fault.delay_seconds for fault in due))
        mishap = next((fault for fault in due if fault.kind != "delay"), None)
        if mishap is None:
            await app(scope, receive, send)
        else:
            await _happen(mishap, app, scope, receive, send)

    return faulty


def _endpoint(path: str) -> str:
    """Returns the API's name of a path: its first segment, or the second one behind /mapi."""
    segments = path.strip("/").split("/")
    return segments[1] if segments[0] == "mapi" and len(segments) > 1 else segments[0]


async def _happen(fault: Fault, app: App, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    match fault.kind:
        case "status":
            await _drain(receive)
            await _answer_status(fault, send)
        case "reset":
            raise ConnectionResetError("a fault to order: dropped before anything was done")
        case "hang":
            await _hang(receive)
            raise ConnectionResetError("a fault to order: never answered")
        case "lost":
            await _act(app, scope, receive)
            raise ConnectionResetError("a fault to order: done, and the answer lost")
        case "cut":
            await _cut(await _act(app, scope, receive), send)
            raise ConnectionResetError("a fault to order: done, and the answer cut")
        case _:
            await _act(app, scope, receive)
            await _answer(send, 200, [(b"content-type", b"application/json; charset=utf-8")], _GARBAGE)


async def _act(app: App, scope: MutableMapping[str, Any], receive: Receive) -> list[Message]:
    """Runs the app, and collects its answer."""
    sent: list[Message] = []

    async def keep(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, keep)
    return sent


async def _cut(sent: list[Message], send: Send) -> None:
    body = b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
    await send(next(message for message in sent if message["type"] == "http.response.start"))
    await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})


async def _hang(receive: Receive) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(_LONGEST_HANG_SECONDS):
            while (await receive())["type"] != "http.disconnect":
                pass


async def _drain(receive: Receive) -> None:
    """Reads a small body to its end, so that no reset for an unread body overtakes the answer."""
    read = 0
    while read <= _MOST_DRAINED:
        message = await receive()
        read += len(message.get("body", b""))
        if not message.get("more_body", False):
            return


async def _answer_status(fault: Fault, send: Send) -> None:
    headers = [(b"content-type", b"application/json; charset=utf-8")]
    if fault.retry_after_seconds is not None:
        headers.append((b"retry-after", str(fault.retry_after_seconds).encode()))
    await _answer(send, fault.status, headers, b'{"error": "a fault to order"}')


async def _answer(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})
