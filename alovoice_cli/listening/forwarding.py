"""Forwards events as they came: raw body and content type, untouched, under the headers of Standard Webhooks."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Protocol

from standardwebhooks import Webhook

from alovoice_cli.errors import UsageError
from alovoice_cli.events.answers import EXPECTED_ANSWER, NO_ANSWER, CrmAnswer, read_crm_answer
from alovoice_cli.events.event import Delivery
from alovoice_cli.listening.dispatch import DeliveryOutcome
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
        """Sends one event; an answer of 2xx is delivered, and everything else is tried again."""
        posted = self.send(delivery, FORWARD_SECONDS)
        if posted.status is None:
            return DeliveryOutcome(done=False, trouble=posted.error, reached=False)
        return DeliveryOutcome(done=200 <= posted.status < 300, trouble=f"it answered {posted.status}")

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

    def __init__(self, forwarder: Forwarder, seconds: float, complain: Callable[[str], None]) -> None:
        self.target = forwarder.target
        self._forwarder, self.seconds, self._complain = forwarder, seconds, complain
        self._told: set[str] = set()
        self._pool = ThreadPoolExecutor(_MOST_RELAYS, thread_name_prefix="relay")

    def ask(self, delivery: Delivery) -> "asyncio.Task[CrmAnswer]":
        """The CRM's answer; NO_ANSWER where it does not come in time. One of no use is told once for each reason."""
        return asyncio.get_running_loop().create_task(self._ask(delivery))

    async def _ask(self, delivery: Delivery) -> CrmAnswer:
        loop = asyncio.get_running_loop()
        asked = loop.run_in_executor(self._pool, self._forwarder.send, delivery, self.seconds)
        try:
            # The time that a busy pool takes is the caller's time too.
            posted = await asyncio.wait_for(asyncio.shield(asked), self.seconds)
        except TimeoutError:
            return NO_ANSWER
        if posted.status is None:
            return NO_ANSWER
        answer = read_crm_answer(posted.status, posted.body, delivery.id)
        if answer.reason and answer.reason not in self._told:
            self._told.add(answer.reason)
            self._complain(
                f"{self.target.label} answers a callstart with {answer.reason}: the PBX gets our own id; expected is"
                f" {EXPECTED_ANSWER}"
            )
        return answer

    def close(self) -> None:
        """Lets go of the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)
