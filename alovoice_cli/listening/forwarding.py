"""Forwards events with the headers of Standard Webhooks, unchanged or as JSON; asks a CRM about callstarts."""

import asyncio
import base64
import hmac
import string
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, Protocol
from urllib.parse import quote

from alovoice_cli.errors import UsageError
from alovoice_cli.events.answers import EXPECTED_ANSWER, LATE_ANSWER, NO_ANSWER, CrmAnswer, StartAnswer, read_crm_answer
from alovoice_cli.events.event import TRIAL_HEADER, Delivery, Event
from alovoice_cli.events.event_table import event_as_json
from alovoice_cli.events.outbox import DONE, DeliveryOutcome, outcome_of
from alovoice_cli.events.reading import read_delivery
from alovoice_cli.json_text import json_text
from alovoice_cli.language import tr
from alovoice_cli.listening.targets import EventReader, Target
from alovoice_cli.posts import Posted
from alovoice_cli.stores.event_file import Change
from alovoice_cli.stores.outbox import Due, settled
from alovoice_cli.stores.row_values import json_of

FORWARD_SECONDS = 30.0
"""The longest time for one forward: the same as in Stripe's forwarder."""
JSON_CONTENT = {"content-type": "application/json"}
"""The headers of a JSON body."""

_MOST_RELAYS = 64
_LOOK_SECONDS = 0.05
_LATE_SECONDS = 1.0
"""How much longer than the PBX the listener waits for a CRM: a late answer saves sending the callstart again."""
_HEADER_SAFE = string.punctuation + " "
"""Characters that stay unchanged in a header's value; others, such as non-ASCII ones, are percent-encoded."""

RelayOutcome = Literal["answered", "unusable", "timeout", "unreachable"]
"""How a CRM reacted when it was asked for the answer to a callstart."""


class Post(Protocol):
    """Sends bytes; raises nothing."""

    def __call__(self, url: str, body: bytes, *, headers: Mapping[str, str], timeout: float) -> Posted: ...


class Signer:
    """The signature of Standard Webhooks: an HMAC of id, time and the body's bytes."""

    def __init__(self, secret: str) -> None:
        try:
            self._key = base64.b64decode(secret.strip().removeprefix("whsec_") + "==")
        except ValueError:
            self._key = b""
        if not self._key:
            raise UsageError(
                tr("the signing secret is not valid base64"),
                hint=tr("create one: {command}", command="echo whsec_$(head -c 24 /dev/urandom | base64)"),
            )

    def sign(self, own_id: str, timestamp: str, body: bytes) -> str:
        """Returns the header's value."""
        digest = hmac.digest(self._key, f"{own_id}.{timestamp}.".encode() + body, "sha256")
        return f"v1,{base64.b64encode(digest).decode()}"


@dataclass(frozen=True, slots=True)
class ForwardOptions:
    """How events are sent. `headers` are added to each POST, with lower-case names; their values are secret.

    With `as_json` the body is the event as JSON, not the received bytes.
    """

    signer: Signer | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    as_json: bool = False


@dataclass(frozen=True, slots=True)
class WebhookMessage:
    """The content of one POST. `content` are the headers that describe the body."""

    id: str
    type: str
    body: bytes
    content: Mapping[str, str]
    call_id: str | None
    is_trial: bool = False


class Forwarder:
    """Sends events and finished calls to one URL."""

    def __init__(
        self, target: Target, post: Post, now: Callable[[], datetime], options: ForwardOptions, as_json: EventReader
    ) -> None:
        self.target = target
        self._post, self._now, self._options, self._as_json = post, now, options, as_json

    def deliver(self, due: Due) -> DeliveryOutcome:
        """Sends the delivery; returns the outcome that the answer means."""
        return outcome_of(self.send(self._message(due), FORWARD_SECONDS), self._now())

    def ask(self, delivery: Delivery, timeout: float) -> Posted:
        """Sends a callstart that was stored just now, and returns the answer; `timeout` limits it all, in seconds."""
        told = _just_stored(delivery) if self._options.as_json else None
        return self.send(_event_message(delivery, delivery.id, told), timeout)

    def _message(self, due: Due) -> WebhookMessage:
        if due.message:
            call = json_of(due.message)
            is_trial = bool(call.get("trial"))
            return WebhookMessage(
                call["id"], call["type"], due.message.encode(), JSON_CONTENT, call["call_id"], is_trial
            )
        delivery = due.delivery
        return _event_message(delivery, due.call_id, self._as_json(delivery) if self._options.as_json else None)

    def send(self, message: WebhookMessage, timeout: float) -> Posted:
        """Sends a message, signed if a secret is set; `timeout` limits the whole exchange, in seconds."""
        timestamp = str(int(self._now().timestamp()))
        headers = {
            **self._options.headers,
            "webhook-id": message.id,
            "webhook-timestamp": timestamp,
            "x-alovoice-type": message.type,
        }
        if message.call_id:
            headers["x-alovoice-call-id"] = quote(message.call_id, safe=_HEADER_SAFE)
        if message.is_trial:
            headers[TRIAL_HEADER] = "1"
        headers |= {name: quote(value, safe=_HEADER_SAFE) for name, value in message.content.items() if value}
        if self._options.signer is not None:
            headers["webhook-signature"] = self._options.signer.sign(message.id, timestamp, message.body)
        return self._post(self.target.url, message.body, headers=headers, timeout=timeout)


def _event_message(delivery: Delivery, call_id: str | None, told: Mapping[str, object] | None) -> WebhookMessage:
    """Returns the event as received, or as `told` in JSON; with the mark of a trial if the event has one."""
    is_trial = (TRIAL_HEADER, "1") in delivery.headers
    if told is not None:
        return WebhookMessage(delivery.id, delivery.type, json_text(told).encode(), JSON_CONTENT, call_id, is_trial)
    content = {
        "content-type": delivery.content_type,
        "content-encoding": delivery.content_encoding,
        "x-alovoice-query": delivery.query,
    }
    return WebhookMessage(delivery.id, delivery.type, delivery.body, content, call_id, is_trial)


def _just_stored(delivery: Delivery) -> Mapping[str, object]:
    """Returns a callstart as JSON without reading the store, because the PBX waits.

    It has our id until the CRM answers.
    """
    reading = read_delivery(delivery)
    facts = tuple(replace(fact, call_id=delivery.id) for fact in reading.facts)
    return event_as_json(Event(delivery, facts, value=reading.value, problem=reading.problem))


class Relay:
    """Asks a CRM for its answer to a callstart, within the time that the PBX may wait."""

    def __init__(
        self,
        forwarder: Forwarder,
        seconds: float,
        complain: Callable[[str], None],
        count: Callable[[RelayOutcome], None],
        change: Callable[[Change], None],
        answer_to: Callable[[str], StartAnswer | None],
    ) -> None:
        self.target = forwarder.target
        self._forwarder, self.seconds, self._complain, self._count = forwarder, seconds, complain, count
        self._change, self._answer_to = change, answer_to
        self._told: set[str] = set()
        self._pool = ThreadPoolExecutor(_MOST_RELAYS, thread_name_prefix="relay")

    def ask(self, delivery: Delivery) -> "asyncio.Task[CrmAnswer]":
        """Returns the CRM's answer. Reports an unusable one once for each reason; a late one settles the delivery."""
        return asyncio.get_running_loop().create_task(self._ask(delivery))

    async def _ask(self, delivery: Delivery) -> CrmAnswer:
        loop = asyncio.get_running_loop()
        asked = loop.run_in_executor(self._pool, self._forwarder.ask, delivery, self.seconds + _LATE_SECONDS)
        try:
            # The time of a busy pool counts as the caller's time too.
            posted = await asyncio.wait_for(asyncio.shield(asked), self.seconds)
        except TimeoutError:
            self._count("timeout")
            asked.add_done_callback(lambda done: self._settle_late(delivery, done))
            return LATE_ANSWER
        if posted.status is None:
            self._count("timeout" if posted.seconds >= self.seconds else "unreachable")
            return NO_ANSWER
        answer = read_crm_answer(posted.status, posted.body, delivery.id)
        self._count("unusable" if answer.start is None else "answered")
        if answer.reason and answer.reason not in self._told:
            self._told.add(answer.reason)
            self._complain(
                tr(
                    "{target} answered a callstart with {answer}; the listener's own id is sent to the PBX. Expected:"
                    " {expected}",
                    target=self.target.label,
                    answer=answer.reason,
                    expected=tr(EXPECTED_ANSWER),
                )
            )
        return answer

    def asked_elsewhere(self, first_id: str) -> "asyncio.Task[CrmAnswer]":
        """Returns the CRM's answer to a delivery of another listener, after that one has stored it.

        Returns NO_ANSWER if that takes longer than the CRM may take.
        """
        return asyncio.get_running_loop().create_task(self._told_elsewhere(first_id))

    async def _told_elsewhere(self, first_id: str) -> CrmAnswer:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.seconds + _LATE_SECONDS
        while loop.time() < deadline:
            with suppress(Exception):  # the store cannot be read now
                answer = await loop.run_in_executor(self._pool, self._answer_to, first_id)
                if answer is not None:
                    return CrmAnswer(answer, is_settled=True)
            await asyncio.sleep(_LOOK_SECONDS)
        return NO_ANSWER

    def _settle_late(self, delivery: Delivery, asked: "asyncio.Future[Posted]") -> None:
        """Prevents a second delivery of the callstart to a CRM that took it late."""
        posted = None if asked.cancelled() or asked.exception() else asked.result()
        if posted is not None and posted.status is not None and 200 <= posted.status < 300:
            self._change(settled(self.target.name, delivery.seq, DONE))

    def close(self) -> None:
        """Ends the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)
