"""Sends events to a handler, one by one, at a rate, or with their original pauses, and counts the answers."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from itertools import starmap
from threading import Semaphore, Thread
from typing import TypeVar

from alovoice_cli.errors import AlovoiceError, NotFoundError, RefusedError, ServerError, UnreachableError, UsageError
from alovoice_cli.events.event import PBX_TYPES, TRIAL_HEADER, Delivery, EventType
from alovoice_cli.events.handler import Handlers, shown_url
from alovoice_cli.events.samples import read_value
from alovoice_cli.language import ngettext, tr
from alovoice_cli.posts import AnyPoster, Posted

T = TypeVar("T")
MOST_AT_ONCE = 64
ANSWER_SECONDS = 10.0
AT_ONCE = "max"
MARK = "x-alovoice-replay"
_MICRO = 1_000_000


def at_rate(
    jobs: Iterable[Callable[[], T]],
    rate: float,
    *,
    sleep: Callable[[float], object] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> Iterator[T]:
    """Starts `rate` jobs a second, at most 64 at once; yields their results in the jobs' order, when ready."""
    slots = Semaphore(MOST_AT_ONCE)
    waiting: deque[Future[T]] = deque()
    began = monotonic()
    for place, job in enumerate(jobs):
        pause = began + place / rate - monotonic()
        if pause > 0:
            sleep(pause)
        slots.acquire()
        waiting.append(_started(job, slots))
        while waiting and waiting[0].done():
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _started(job: Callable[[], T], slots: Semaphore) -> Future[T]:
    """Runs the job in its own thread. Ctrl-C would have to wait for the threads of an executor."""
    future: Future[T] = Future()

    def work() -> None:
        try:
            future.set_result(job())
        except BaseException as error:  # reading the result raises it
            future.set_exception(error)
        finally:
            slots.release()

    Thread(target=work, name="alovoice-event", daemon=True).start()
    return future


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One event to post: these bytes to this URL. `label` is its name for people."""

    kind: EventType
    url: str
    body: bytes
    headers: Mapping[str, str]
    label: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """A posted event, and its answer. `place` counts from 1."""

    place: int
    outgoing: Outgoing
    answer: Posted

    def as_row(self) -> dict[str, object]:
        """Returns the event and its answer as a JSON object."""
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
class EventSender:
    """Posts events and counts those that were refused or lost."""

    poster: AnyPoster
    timeout: float = ANSWER_SECONDS
    sleep: Callable[[float], object] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    sent: int = 0
    silent: list[str] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)

    def send(self, outgoing: Outgoing) -> Sent:
        """Posts one event, and counts its answer."""
        return self.counted(outgoing, self.post(outgoing))

    def post(self, outgoing: Outgoing) -> Posted:
        """Posts one event; for several threads."""
        return self.poster.post(outgoing.url, outgoing.body, headers=outgoing.headers, timeout=self.timeout)

    def _posted(self, outgoing: Outgoing) -> tuple[Outgoing, Posted]:
        return outgoing, self.post(outgoing)

    def counted(self, outgoing: Outgoing, answer: Posted) -> Sent:
        """Returns the numbered answer, and counts it."""
        self.sent += 1
        if answer.status is None:
            self.silent.append(answer.error)
        elif not 200 <= answer.status < 300:
            self.refused.append(answer.status)
        return Sent(self.sent, outgoing, answer)

    def send_all(self, events: Iterable[Outgoing], rate: float | None) -> Iterator[Sent]:
        """Posts the events in order: one after another, or `rate` a second without waiting for answers."""
        if rate is None:
            yield from map(self.send, events)
            return
        jobs = (partial(self._posted, outgoing) for outgoing in events)
        yield from starmap(self.counted, at_rate(jobs, rate, sleep=self.sleep, monotonic=self.monotonic))

    def trouble(self) -> AlovoiceError | None:
        """Returns the run's error: no answer comes before a failing handler, and that before a refusing one."""
        if self.silent:
            hint = tr("is the handler running? `alovoice listen` prints its URLs when it is ready")
            if "CERTIFICATE_VERIFY" in self.silent[0]:
                hint = tr("check the clock of this computer; for a certificate authority of your own set SSL_CERT_FILE")
            return UnreachableError(
                ngettext(
                    "{some} of {n} event got no answer: {problem}",
                    "{some} of {n} events got no answer: {problem}",
                    self.sent,
                    some=len(self.silent),
                    problem=self.silent[0],
                ),
                hint=hint,
                sent="maybe",
            )
        if not self.refused:
            return None
        worst, hint = max(self.refused), tr("see the log of the handler")
        words = ngettext(
            "{some} of {n} event refused: the handler answered {status}",
            "{some} of {n} events refused: the handler answered {status}",
            self.sent,
            some=len(self.refused),
            status=worst,
        )
        if worst >= 500:
            return ServerError(words, hint=hint, status=worst)
        if worst == 404:
            return NotFoundError(words, hint=tr("check the URL and the secret in it"), status=worst)
        if worst < 400:
            return ServerError(words, hint=tr("redirects are not followed: give the URL where they lead"), status=worst)
        return RefusedError(words, hint=hint, status=worst)


def content_headers_of(delivery: Delivery) -> dict[str, str]:
    """Returns the headers that describe a stored event's bytes: the received ones that can be sent again."""
    came = {"Content-Type": delivery.content_type.strip(), "Content-Encoding": delivery.content_encoding.strip()}
    return {name: value for name, value in came.items() if value and value.isascii() and value.isprintable()}


def with_query(url: str, delivery: Delivery) -> str:
    """Returns the URL with a stored event's query appended."""
    return url + ("&" if "?" in url else "?") + delivery.query if delivery.query else url


def read_speed(text: str) -> float | None:
    """Returns the factor of the speed: `1`, `60`, `0.5`; None for `max` or 0, without pauses. Raises UsageError."""
    if text.strip().lower() == AT_ONCE:
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = -1.0
    if not 0 <= speed < float("inf"):
        raise UsageError(
            tr("--speed {speed!r} is not a valid speed", speed=text),
            hint=tr("1: as it was; 60: a minute in a second; max: without pauses"),
        )
    return speed or None


def replayed(delivery: Delivery, handlers: Handlers, option: str) -> Outgoing:
    """Returns the stored event for sending, marked as a replay, with the id of its first forwarding.

    Of its own headers only those of its content and the mark of a trial are sent: the others describe another
    connection.
    """
    headers = {MARK: "1", "webhook-id": delivery.id, "x-alovoice-type": delivery.type, **content_headers_of(delivery)}
    if (TRIAL_HEADER, "1") in delivery.headers:
        headers[TRIAL_HEADER] = "1"
    url = with_query(handlers.needed(delivery.type, option), delivery)
    return Outgoing(delivery.type, url, delivery.body, headers, delivery.id)


def in_order(deliveries: Iterable[Delivery]) -> list[Delivery]:
    """Returns the deliveries in the order of arrival, each once, without our own probes."""
    found = {delivery.id: delivery for delivery in deliveries if delivery.type in PBX_TYPES}
    return sorted(found.values(), key=lambda delivery: (delivery.received_at, delivery.seq))


def replay(
    deliveries: Iterable[Delivery], handlers: Handlers, sender: EventSender, speed: float | None, option: str
) -> Iterator[Sent]:
    """Sends the deliveries one after another, each at its distance in time from the first, divided by this speed."""
    began = sender.monotonic()
    first: int | None = None
    for delivery in deliveries:
        first = delivery.received_at if first is None else first
        due = 0.0 if speed is None else (delivery.received_at - first) / _MICRO / speed
        pause = began + due - sender.monotonic()
        if pause > 0:
            sender.sleep(pause)
        yield sender.send(replayed(delivery, handlers, option))
