"""One case on trial: sends what it wants sent, judges every answer, keeps what it found."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from threading import Lock
from urllib.parse import urlencode

from alovoice_cli.events.certify.answers import Problem, Verdict, judge_start, judge_step, judge_true
from alovoice_cli.events.event import EventType
from alovoice_cli.events.handler import FORM_TYPE, JSON_TYPE, Answer, Handlers, Poster
from alovoice_cli.events.pacing import at_rate
from alovoice_cli.events.samples import as_json, sample

CallId = int | str | None
ABSENT = object()
"""Stands for a field that is left out."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What all trials share. `timeout` is for one answer, in seconds; `slow`: late events are really waited for."""

    poster: Poster
    handlers: Handlers
    now: Callable[[], datetime]
    timeout: float = 10.0
    slow: bool = False
    sleep: Callable[[float], object] = time.sleep
    monotonic: Callable[[], float] = time.monotonic


@dataclass(slots=True)
class Trial:
    """What one case did, and what was wrong. Each has numbers and times of its own, so that none repeats another's."""

    bench: Bench
    place: int
    began: datetime
    problems: list[Problem] = field(default_factory=list)
    sent: int = 0
    answered: int = 0
    seconds: list[float] = field(default_factory=list)
    error: str = ""
    _lock: Lock = field(default_factory=Lock)

    # --- what a case sends -------------------------------------------------------------------------------------------

    def number(self, of: int = 0) -> str:
        """A number that nobody has: +998 00 is no network."""
        return f"+99800{self.place:03d}{of:04d}"

    def moment(self, seconds: int = 0) -> datetime:
        """The case's own time: when it began, and so many seconds later."""
        return self.began.replace(microsecond=0) + timedelta(seconds=seconds)

    def start(self, *, of: int = 0, at: int = 0, **changes: object) -> CallId:
        """Sends a callstart, judges the answer, returns the id that it gives."""
        return self._start(self.start_body(of=of, at=at, **changes))

    def start_body(self, *, of: int = 0, at: int = 0, **changes: object) -> dict[str, object]:
        """The documented callstart with this case's number, and the changes."""
        return _changed({**sample("callstart", self.moment(at)), "number": self.number(of)}, changes)

    def _start(self, body: object) -> CallId:
        verdict = judge_start(self.post("callstart", as_json(body)))
        return self._keep(verdict).call_id

    def end(self, call: CallId, *, at: int = 30, **changes: object) -> None:
        """Sends the end of the call of this id (without `call_id` where it is None) and judges the answer."""
        own = {"call_id": ABSENT if call is None else call}
        self.told("callend", _changed({**sample("callend", self.moment(at)), **own}, changes))

    def result(self, *, of: int = 0, **changes: object) -> None:
        """Sends a result and judges the answer."""
        self.told("result", self.result_body(of=of, **changes))

    def result_body(self, *, of: int = 0, **changes: object) -> dict[str, object]:
        """The documented result with ids of this case, and the changes."""
        own = {"id": 9_000_000 + self.place * 1000 + of, "externalid": 800_000 + self.place * 100 + of}
        return _changed({**sample("result", self.moment()), **own}, changes)

    def told(self, kind: EventType, body: object) -> None:
        """Sends a callend or a result as JSON, and judges whether it is answered with `true`."""
        self.raw(kind, as_json(body))

    def ask(self, **changes: object) -> None:
        """Asks the route of a call and judges the step."""
        self.raw("route", as_json(_changed(sample("route", self.moment()), changes)))

    def raw(self, kind: EventType, body: bytes, content_type: str = JSON_TYPE) -> None:
        """Sends these bytes and judges the answer by the event's type."""
        answer = self.post(kind, body, content_type)
        if kind == "callstart":
            self._keep(judge_start(answer))
        else:
            self._keep(judge_step(answer) if kind == "route" else judge_true(answer, kind))

    def form(self, kind: EventType, body: Mapping[str, object]) -> None:
        """Sends the fields form-encoded."""
        fields = [(name, "" if value is None else str(value)) for name, value in body.items()]
        self.raw(kind, urlencode(fields).encode(), FORM_TYPE)

    def at_once(self, bodies: Iterable[object], rate: float) -> list[CallId]:
        """Sends callstarts at this rate, whether or not those before are answered; returns their ids in order."""
        jobs = [partial(self._start, body) for body in bodies]
        return list(at_rate(jobs, rate, sleep=self.bench.sleep, monotonic=self.bench.monotonic))

    def late(self, seconds: int) -> int:
        """Where an event stands (in seconds from the beginning) that goes out so much later than it happened.

        With --slow it happens now, and is really waited for; else it has happened so long ago.
        """
        if not self.bench.slow:
            return -seconds
        self.bench.sleep(seconds)
        return 0

    # --- what it finds -----------------------------------------------------------------------------------------------

    def post(self, kind: EventType, body: bytes, content_type: str = JSON_TYPE) -> Answer:
        """Sends these bytes as they are."""
        url = self.bench.handlers.needed(kind, "certify")
        headers = {"Content-Type": content_type} if content_type else {}
        answer = self.bench.poster.post(url, body, headers=headers, timeout=self.bench.timeout)
        with self._lock:
            self.sent += 1
            self.answered += answer.status is not None
            self.seconds.append(answer.seconds)
            self.error = answer.error or self.error
        return answer

    def fault(self, happened: str, remedy: str = "") -> None:
        """Notes something wrong that no single answer shows."""
        self._keep(Verdict((Problem(happened, remedy),)))

    def distinct(self, ids: Sequence[CallId]) -> None:
        """Notes a fault where two calls were given one id."""
        known = [str(each) for each in ids if each is not None]
        if len(set(known)) < len(known):
            twice = next(each for each in known if known.count(each) > 1)
            self.fault(f"gave two calls the same id {twice}", "give each call an id of its own")

    def _keep(self, verdict: Verdict) -> Verdict:
        with self._lock:
            self.problems.extend(problem for problem in verdict.problems if problem not in self.problems)
        return verdict


def _changed(body: dict[str, object], changes: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in {**body, **changes}.items() if value is not ABSENT}
