"""Sends the simulated PBX's messages: once each, in the order in which they fall due.

While a handler answers promptly, the next message waits for its answer: so the same seed gives the same order. One that
takes longer than `_PATIENCE_SECONDS` is left to answer, or not, while the others go on beside it. What a handler does
not take is lost, as (for all that the document says) with the vendor's server: nothing is sent again, but what
`--chaos` repeats on purpose.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from functools import partial

from alovoice_cli import __version__
from alovoice_cli.sandbox.callback.chaos import Chaos
from alovoice_cli.sandbox.callback.handlers import ANSWER_SECONDS, Answer, Poster
from alovoice_cli.sandbox.callback.messengers import Messengers
from alovoice_cli.sandbox.callback.timetable import Timetable
from alovoice_cli.stores.pbx_traffic import Traffic

_PATIENCE_SECONDS = 1.0
_AT_ONCE = 48
_OVERTAKEN_AT_LATEST_SECONDS = 300
_LONGEST_KEPT_ANSWER = 2048

Then = Callable[[Answer | None], None]


@dataclass(eq=False, slots=True)
class Envelope:
    """What a message needs to know of its call: a callend waits for the answer to the callstart, which names the call.

    `opened` and `closed` are called for each message that is entered and done with.
    """

    call: int
    speed: float
    opened: Callable[[], None] = lambda: None
    closed: Callable[[], None] = lambda: None
    is_named: bool = False
    waiting: list["Letter"] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Letter:
    """One message; `write` gives its body when it is sent, `then` gets the answer, or None where it went nowhere."""

    envelope: Envelope
    kind: str
    content_type: str | None
    write: Callable[[], bytes]
    then: Then
    due: float
    note: str = ""
    again_seconds: int = 0
    reorder: bool = False


class Mailing:
    """The handlers, and the way to them. All but `stop` happens in the timetable's thread."""

    def __init__(
        self,
        timetable: Timetable,
        traffic: Traffic,
        handlers: Mapping[str, str],
        poster: Poster,
        *,
        chaos: Chaos,
        seed: int,
        complain: Callable[[str], None],
    ) -> None:
        self.handlers = handlers
        self._timetable, self._traffic, self._poster = timetable, traffic, poster
        self._chaos, self._seed, self._complain = chaos, seed, complain
        self._messengers: Messengers[Answer] = Messengers(_AT_ONCE)
        self._slow: dict[Future[Answer], int] = {}
        self._overtaken: list[Letter] = []
        self._blamed: set[str] = set()

    def enter(self, letter: Letter) -> None:
        """Sends the message when it falls due, or as chaos has it. Without a handler for its type it goes nowhere."""
        letter.envelope.opened()
        if letter.kind not in self.handlers:
            self._timetable.at(letter.due, partial(self._done, letter, None))
            return
        fate = self._chaos.fate(self._seed, letter.kind, letter.envelope.call)
        letter.again_seconds, letter.reorder = fate.again_seconds, fate.reorder
        letter.note = "late" if fate.late_seconds else "reorder" if fate.reorder else ""
        letter.due += fate.late_seconds / letter.envelope.speed
        self._timetable.at(letter.due, partial(self._go, letter))

    def stop(self, timeout: float) -> None:
        """Lets what is under way be answered, for at most so many seconds. To be called after the timetable's end."""
        self._messengers.close(timeout)
        for future, number in self._slow.items():
            if future.done():
                self._finish(number, future.result())

    def _go(self, letter: Letter) -> None:
        if letter.kind == "callend" and not letter.envelope.is_named:
            letter.envelope.waiting.append(letter)
        elif letter.reorder:
            letter.reorder = False
            self._overtaken.append(letter)
            latest = letter.due + _OVERTAKEN_AT_LATEST_SECONDS / letter.envelope.speed
            self._timetable.at(latest, partial(self._release, [letter]))
        else:
            self._send(letter)
            self._release(self._overtaken)

    def _release(self, letters: list[Letter]) -> None:
        for letter in [letter for letter in letters if letter in self._overtaken]:
            self._overtaken.remove(letter)
            self._send(letter)

    def _send(self, letter: Letter) -> None:
        while not self._messengers.wait_for_one(0.2):
            if self._timetable.is_stopping:
                return
        body = letter.write()
        number = self._traffic.begin(letter.envelope.call, letter.kind, body, letter.content_type, letter.note)
        future = self._messengers.send(partial(self._post, letter, body))
        wait([future], 0 if self._slow else _PATIENCE_SECONDS)
        if future.done():
            self._came(letter, number, body, future.result())
            return
        self._slow[future] = number
        came = partial(self._came_late, letter, number, body)
        future.add_done_callback(lambda done: self._timetable.at(letter.due, partial(came, done)))

    def _post(self, letter: Letter, body: bytes) -> Answer:
        try:
            headers = _headers(letter.content_type)
            return self._poster.post(self.handlers[letter.kind], body, headers=headers, timeout=ANSWER_SECONDS)
        except Exception as error:  # a poster raises nothing; if it does, the call still goes on
            return _Unsent(error=type(error).__name__)

    def _came_late(self, letter: Letter, number: int, body: bytes, done: "Future[Answer]") -> None:
        self._slow.pop(done, None)
        self._came(letter, number, body, done.result())

    def _came(self, letter: Letter, number: int, body: bytes, answer: Answer) -> None:
        error = self._finish(number, answer)
        if error and letter.kind not in self._blamed:
            self._blamed.add(letter.kind)
            self._complain(f"a {letter.kind} was not taken ({error}); the PBX sends each once, and goes on")
        if letter.again_seconds:
            self._repeat(letter, body)
        self._done(letter, answer)

    def _finish(self, number: int, answer: Answer) -> str:
        error = answer.error or ("" if _is_taken(answer) else f"status {answer.status}")
        self._traffic.finish(number, answer.status, answer.body[:_LONGEST_KEPT_ANSWER], error)
        return error

    def _repeat(self, letter: Letter, body: bytes) -> None:
        due = letter.due + letter.again_seconds / letter.envelope.speed
        again = Letter(letter.envelope, letter.kind, letter.content_type, lambda: body, lambda _: None, due, note="dup")
        again.envelope.opened()
        self._timetable.at(due, partial(self._go, again))

    def _done(self, letter: Letter, answer: Answer | None) -> None:
        """Hands the answer on. The first callstart's answer names the call, whatever a repeated one gets."""
        letter.then(answer)
        if letter.kind == "callstart" and letter.note != "dup":
            letter.envelope.is_named = True
            for waiting in letter.envelope.waiting:
                self._timetable.at(max(waiting.due, letter.due), partial(self._go, waiting))
            letter.envelope.waiting.clear()
        letter.envelope.closed()


@dataclass(frozen=True, slots=True)
class _Unsent:
    """The answer of a poster that broke."""

    error: str
    status: None = None
    body: bytes = b""


def _is_taken(answer: Answer) -> bool:
    return answer.status is not None and 200 <= answer.status < 300


def _headers(content_type: str | None) -> dict[str, str]:
    """The document names no header; ours say that this is a simulation, as the sandbox's answers do."""
    headers = {"User-Agent": f"alovoice-sandbox/{__version__}", "X-Alovoice-Sandbox": "1", "Accept": "*/*"}
    return headers if content_type is None else {**headers, "Content-Type": content_type}
