"""The ASGI app for the PBX's requests: it reads each delivery, stores it, and then answers.

The answer to a callstart is an id (the same for a repeated delivery), or the answer of the CRM; to a callend and a
result `true`; to a route question a step. A wrong path gets 404 and an empty body: the secret in the path is the only
protection that the PBX offers (API, section 6).
"""

import hmac
import ipaddress
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from alovoice_cli.events.answers import NO_ANSWER, TRUE, CrmAnswer, StartAnswer, new_id
from alovoice_cli.events.event import EVENT_TYPES, Delivery, EventType
from alovoice_cli.events.event_assembly import FirstDelivery, LateAnswer, NewDelivery, Stored
from alovoice_cli.events.reading import read_delivery

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_KINDS: Mapping[str, EventType] = {kind: kind for kind in EVENT_TYPES}
_JSON = b"application/json"
_TEXT = b"text/plain; charset=utf-8"
_MOST_HEADERS = 64
_THIS_MACHINE = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1"))


class RouteAnswer(NamedTuple):
    """The step to send, as strict JSON; the values to store with the question; and the rule that decided.

    `later` is awaited after the caller has the answer, and returns all values to store. It has its own time limit, and
    raises nothing.
    """

    body: bytes
    answer: Mapping[str, object]
    rule: str | None = None
    later: Callable[[], Awaitable[Mapping[str, object]]] | None = None


class Duties(Protocol):
    """The work that the receiver needs from its owner. The awaitables have their own time limits, and raise nothing."""

    @property
    def asked(self) -> str | None:
        """Returns the target that is asked for the answer to a callstart; None if there is none."""

    def store(self, new: NewDelivery) -> Awaitable[Stored | None]:
        """Stores the delivery durably; None means that it is lost."""

    def store_soon(self, new: NewDelivery) -> Awaitable[None]:
        """Stores the delivery as `store` does, and waits no longer than a caller can wait."""

    def keep_answer(self, late: LateAnswer) -> None:
        """Stores the answer to a delivery."""

    def kept_answer(self, late: LateAnswer) -> Awaitable[None]:
        """Stores the answer as `keep_answer` does, and waits until it is durable."""

    def ask(self, delivery: Delivery) -> Awaitable[CrmAnswer]:
        """Asks the CRM for the answer to a callstart; several may await it."""

    def asked_elsewhere(self, first_id: str) -> Awaitable[CrmAnswer]:
        """Returns the CRM's answer to another listener on the same store; several may await it."""

    def tell_too_large(self, kind: EventType, size: int | None) -> None:
        """Reports a body that was not read; `size` is in bytes, None if the sender did not give it."""

    def route(self, delivery: Delivery) -> Awaitable[RouteAnswer]:
        """Decides the caller's next step; never fails."""


@dataclass(frozen=True, slots=True)
class Door:
    """Who may send, and to which paths. `secret` None: the paths have no secret. Empty networks allow everyone."""

    secret: str | None
    allowed: Sequence[Network] = ()
    trusted_proxies: Sequence[Network] = ()

    def path(self, kind: EventType) -> str:
        """Returns the path for one type of event."""
        return f"/{kind}" if self.secret is None else f"/h/{self.secret}/{kind}"

    def kind_of(self, path: str) -> EventType | None:
        """Returns the type of event of this path; None for every other path."""
        head, _, last = path.removesuffix("/").rpartition("/")
        expected = "" if self.secret is None else f"/h/{self.secret}"
        is_right = hmac.compare_digest(head.encode("utf-8", "replace"), expected.encode())
        return _KINDS.get(last) if is_right else None

    def caller(self, peer: str, headers: Sequence[tuple[str, str]]) -> str:
        """Returns the sender's address: the real peer, or the address that a trusted proxy names."""
        if not _is_within(peer, self.trusted_proxies):
            return peer
        hops = ",".join(value for name, value in headers if name == "x-forwarded-for").split(",")
        for hop in reversed([hop.strip() for hop in hops if hop.strip()]):
            peer = hop
            if not _is_within(hop, self.trusted_proxies):
                break
        return peer

    def lets_in(self, caller: str) -> bool:
        """Returns whether this address may send."""
        return not self.allowed or _is_within(caller, self.allowed)


class Receiver:
    """The app. It lives in one event loop; `turned_away` counts requests with a wrong path."""

    def __init__(self, door: Door, duties: Duties, now: Callable[[], datetime]) -> None:
        self._door, self._duties, self._now = door, duties, now
        self.turned_away = 0

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Serves one request."""
        kind = self._door.kind_of(scope["path"])
        if kind is None:
            self.turned_away += 1
            return await _answer(send, 404)
        headers = _headers(scope)
        peer = (scope.get("client") or ("", 0))[0]
        caller = self._door.caller(peer, headers)
        is_own_proof = kind == "probe" and _is_within(peer, _THIS_MACHINE)
        if not (is_own_proof or self._door.lets_in(caller)):
            return await _answer(send, 403)
        if scope["method"] != "POST":
            return await _answer(send, 405, extra=[(b"allow", b"POST")])
        body = await _body(receive)
        if body is None:
            return None  # the sender left before the end: nothing was delivered
        return await self._serve(self._delivery(kind, body, caller, headers, scope["query_string"]), send)

    async def overfull(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answers a route question whose body is too large to read: its caller waits. Does nothing for other types.

        The question is stored without its body; its headers show the size.
        """
        kind = self._door.kind_of(scope["path"])
        headers = _headers(scope)
        caller = self._door.caller((scope.get("client") or ("", 0))[0], headers)
        if kind is None or scope["method"] != "POST" or not self._door.lets_in(caller):
            return
        size = next((int(value) for name, value in headers if name == "content-length"), None)
        self._duties.tell_too_large(kind, size)
        if kind == "route":
            await self._answer_route(self._delivery(kind, b"", caller, headers, scope["query_string"]), send)

    def _delivery(
        self, kind: EventType, body: bytes, caller: str, headers: Sequence[tuple[str, str]], query: bytes
    ) -> Delivery:
        moment = self._now().timestamp()
        return Delivery(
            id=new_id(int(moment * 1000)),
            type=kind,
            received_at=int(moment * 1_000_000),
            body=body,
            content_type=next((value for name, value in headers if name == "content-type"), ""),
            peer=caller,
            headers=tuple(headers[:_MOST_HEADERS]),
            query=query.decode("latin-1"),
        )

    async def _serve(self, delivery: Delivery, send: Send) -> None:
        if delivery.type == "route":
            return await self._answer_route(delivery, send)
        reading = read_delivery(delivery)
        asked = self._duties.asked if delivery.type == "callstart" else None
        stored = await self._duties.store(NewDelivery(delivery, reading, answer_follows=asked is not None))
        if stored is None:
            return await _answer(send, 503)
        if delivery.type != "callstart":
            return await _answer(send, 200, TRUE)
        answer = stored.first.answer
        if asked is not None:
            answer = await self._asked_answer(replace(delivery, seq=stored.seq), stored.first, asked)
        return await _answer(send, 200, answer.as_bytes(), content_type=_TEXT if answer.callto is None else _JSON)

    async def _asked_answer(self, delivery: Delivery, first: FirstDelivery, asked: str) -> StartAnswer:
        """Returns the CRM's answer to the first of several equal callstarts; our own if that answer cannot be used."""
        is_first = first.id == delivery.id
        if is_first:
            first.asked = self._duties.ask(delivery)
        elif first.asked is None and first.is_asked_elsewhere:
            first.asked = self._duties.asked_elsewhere(first.id)
        # A repetition that arrives while the CRM is still asked waits for the same answer.
        told = await first.asked if first.asked is not None else NO_ANSWER
        first.answer = told.start or first.answer
        late = LateAnswer(
            delivery.id,
            first.answer.as_values(),
            call_id=first.answer.call_id,
            asked=asked if is_first and not told.is_late else None,
            is_answered=told.is_settled,
        )
        if told.start is not None and is_first:
            # From now on the CRM's id is the call's only id: the store must know it before the PBX does.
            await self._duties.kept_answer(late)
        else:
            self._duties.keep_answer(late)
        return first.answer

    async def _answer_route(self, delivery: Delivery, send: Send) -> None:
        answer = await self._duties.route(delivery)
        reading = read_delivery(delivery)
        follows = answer.later is not None
        # A caller does not wait for a slow store.
        await self._duties.store_soon(NewDelivery(delivery, reading, answer.answer, answer.rule, follows))
        await _answer(send, 200, answer.body, content_type=_JSON)
        if answer.later is not None:
            self._duties.keep_answer(LateAnswer(delivery.id, await answer.later(), answer.rule))


def _headers(scope: MutableMapping[str, Any]) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]


async def _body(receive: Receive) -> bytes | None:
    parts = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


async def _answer(
    send: Send,
    status: int,
    body: bytes = b"",
    *,
    content_type: bytes = _TEXT,
    extra: Sequence[tuple[bytes, bytes]] = (),
) -> None:
    headers = [(b"content-length", b"%d" % len(body)), *extra]
    if body:
        headers.append((b"content-type", content_type))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _is_within(address: str, networks: Sequence[Network]) -> bool:
    if not networks:
        return False
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return any(parsed.version == network.version and parsed in network for network in networks)
