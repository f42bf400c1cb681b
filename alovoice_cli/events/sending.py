"""Events on their way to a handler, and how they were taken."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from alovoice_cli.errors import AlovoiceError, NotFoundError, RefusedError, ServerError, UnreachableError
from alovoice_cli.events.edits import read_value
from alovoice_cli.events.event import Delivery, EventType
from alovoice_cli.events.handler import Answer, Poster, shown_url
from alovoice_cli.events.pacing import at_rate

ANSWER_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One event that is to be posted: these bytes to this URL. `label` is what a person calls it by."""

    kind: EventType
    url: str
    body: bytes
    headers: Mapping[str, str]
    label: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """An event that was posted, and its answer. `place` counts from 1."""

    place: int
    outgoing: Outgoing
    answer: Answer

    def as_row(self) -> dict[str, object]:
        """The event and its answer as a JSON object."""
        answer = self.answer
        return {
            "n": self.place,
            "type": self.outgoing.kind,
            "event": self.outgoing.label,
            "status": answer.status,
            "ms": round(answer.seconds * 1000),
            "answer": answer.body.decode("utf-8", "replace").strip() if answer.status is not None else None,
            "error": answer.error or None,
            "url": shown_url(self.outgoing.url),
            "body": read_value(self.outgoing.body.decode("utf-8", "replace")),
        }


@dataclass(slots=True)
class Sender:
    """Posts events and keeps count of those that were not taken."""

    poster: Poster
    timeout: float = ANSWER_SECONDS
    sleep: Callable[[float], object] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    sent: int = 0
    silent: list[str] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)

    def send(self, outgoing: Outgoing) -> Sent:
        """Posts one event, and counts how it went."""
        return self.counted(outgoing, self.post(outgoing))

    def post(self, outgoing: Outgoing) -> Answer:
        """Posts one event; may be called by several threads."""
        return self.poster.post(outgoing.url, outgoing.body, headers=outgoing.headers, timeout=self.timeout)

    def counted(self, outgoing: Outgoing, answer: Answer) -> Sent:
        """The answer, numbered and counted."""
        self.sent += 1
        if answer.status is None:
            self.silent.append(answer.error)
        elif not 200 <= answer.status < 300:
            self.refused.append(answer.status)
        return Sent(self.sent, outgoing, answer)

    def send_all(self, events: Iterable[Outgoing], rate: float | None) -> Iterator[Sent]:
        """Posts them in order: one after another, or `rate` a second whether or not those before are answered."""
        if rate is None:
            yield from map(self.send, events)
            return
        jobs = (_posting(self, outgoing) for outgoing in events)
        for outgoing, answer in at_rate(jobs, rate, sleep=self.sleep, monotonic=self.monotonic):
            yield self.counted(outgoing, answer)

    def trouble(self) -> AlovoiceError | None:
        """The error that the run ends with: no answer before a failing handler, that before one that refuses."""
        if self.silent:
            return UnreachableError(
                f"{self._of(len(self.silent))} got no answer: {self.silent[0]}",
                hint="is the handler there? `alovoice listen` prints its URLs when it is ready",
                sent="maybe",
            )
        if not self.refused:
            return None
        some, worst, hint = len(self.refused), max(self.refused), "look into its log"
        words = f"{self._of(some)} {'was' if some == 1 else 'were'} not taken: the handler answered {worst}"
        if worst >= 500:
            return ServerError(words, hint=hint, status=worst)
        if worst == 404:
            return NotFoundError(words, hint="check the URL, and the secret in it", status=worst)
        if worst < 400:
            return ServerError(words, hint="redirects are not followed: give the URL where they lead", status=worst)
        return RefusedError(words, hint=hint, status=worst)

    def _of(self, some: int) -> str:
        if self.sent == 1:
            return "the event"
        return f"{some} of {self.sent} events"


def content_type_of(delivery: Delivery) -> dict[str, str]:
    """The header with which a stored event came; nothing where it had none, or one that cannot be sent again."""
    kind = delivery.content_type.strip()
    return {"Content-Type": kind} if kind.isascii() and kind.isprintable() and kind else {}


def _posting(sender: Sender, outgoing: Outgoing) -> Callable[[], tuple[Outgoing, Answer]]:
    return lambda: (outgoing, sender.post(outgoing))
