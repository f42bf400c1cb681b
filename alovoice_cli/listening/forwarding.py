"""Forwards events as they came: raw body and content type, untouched, under the headers of Standard Webhooks."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Protocol

from standardwebhooks import Webhook

from alovoice_cli.errors import UsageError
from alovoice_cli.events.answers import StartAnswer, read_crm_answer
from alovoice_cli.events.event import Delivery
from alovoice_cli.events.outbox import DeliveryOutcome, outcome_of
from alovoice_cli.listening.targets import Target
from alovoice_cli.posts import Posted

FORWARD_SECONDS = 30.0
"""How long a forwarded event may take: as long as others give it (Stripe's forwarder)."""

_MOST_RELAYS = 64


class Post(Protocol):
    """Sends bytes; raises nothing."""

    def __call__(self, url: str, body: bytes, *, headers: Mapping[str, str], timeout: float) -> Posted: ...


class Signer:
    """The signature of Standard Webhooks, made by its own library."""

    def __init__(self, secret: str) -> None:
        try:
            self._webhook = Webhook(secret)
        except Exception as error:
            raise UsageError(
                "the signing secret is not base64", hint="make one: echo whsec_$(head -c 24 /dev/urandom | base64)"
            ) from error

    def sign(self, own_id: str, moment: datetime, body: bytes) -> str | None:
        """The header's value; None for a body that is no UTF-8: what is signed is text."""
        try:
            return self._webhook.sign(own_id, moment, body.decode("utf-8"))
        except UnicodeDecodeError:
            return None


class Forwarder:
    """Sends events to one URL."""

    def __init__(self, target: Target, post: Post, now: Callable[[], datetime], signer: Signer | None) -> None:
        self.target = target
        self._post, self._now, self._signer = post, now, signer

    def deliver(self, delivery: Delivery) -> DeliveryOutcome:
        """Sends one event; returns what the answer means."""
        return outcome_of(self.send(delivery, FORWARD_SECONDS), self._now())

    def send(self, delivery: Delivery, timeout: float) -> Posted:
        """One POST; the seconds bound all of it."""
        moment = self._now()
        headers = {
            "webhook-id": delivery.id,
            "webhook-timestamp": str(int(moment.timestamp())),
            "x-alovoice-type": delivery.type,
        }
        if delivery.content_type:
            headers["content-type"] = delivery.content_type
        signature = self._signer.sign(delivery.id, moment, delivery.body) if self._signer else None
        if signature:
            headers["webhook-signature"] = signature
        return self._post(self.target.url, delivery.body, headers=headers, timeout=timeout)


class Relay:
    """Asks a CRM for its answer to a callstart, within the time that the PBX may wait."""

    def __init__(self, forwarder: Forwarder, seconds: float) -> None:
        self.target = forwarder.target
        self._forwarder, self.seconds = forwarder, seconds
        self._pool = ThreadPoolExecutor(_MOST_RELAYS, thread_name_prefix="relay")

    def ask(self, delivery: Delivery) -> "asyncio.Task[StartAnswer | None]":
        """The CRM's answer; None where it does not come in time, or is none that the PBX takes."""
        return asyncio.get_running_loop().create_task(self._ask(delivery))

    async def _ask(self, delivery: Delivery) -> StartAnswer | None:
        loop = asyncio.get_running_loop()
        asked = loop.run_in_executor(self._pool, self._forwarder.send, delivery, self.seconds)
        try:
            # The time that a busy pool takes is the caller's time too.
            posted = await asyncio.wait_for(asyncio.shield(asked), self.seconds)
        except TimeoutError:
            return None
        return None if posted.status is None else read_crm_answer(posted.status, posted.body, delivery.id)

    def close(self) -> None:
        """Lets go of the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)
