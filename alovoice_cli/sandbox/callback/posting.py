"""Sends messages to the handlers: one thread leads all calls, posts run beside it, with faults on request.

`--chaos dup=3%,late=5%,reorder=1%` gives the faults; the seed decides which messages they affect.
"""

import difflib
import heapq
import itertools
import re
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial

from alovoice_cli import __version__
from alovoice_cli.campaigns.dialer_simulation import lot
from alovoice_cli.errors import UsageError
from alovoice_cli.language import joined, mark, tr
from alovoice_cli.posts import AnyPoster, Posted
from alovoice_cli.sandbox.callback.messages import ANSWER_SECONDS
from alovoice_cli.stores.pbx_traffic import Traffic

WORDS = ("dup", "late", "reorder")
GRAMMAR = mark(
    "write WORD=PERCENT%, separated by commas;"
    " WORD: dup (sent again), late (delayed), reorder (sent after the next message)"
)

_PERCENT = re.compile(r"(\d{1,3}(?:\.\d{1,6})?)%?", re.ASCII)
_LATE_SECONDS = (30, 300)
_AGAIN_SECONDS = (1, 60)


@dataclass(frozen=True, slots=True)
class Fate:
    """The faults of one message; seconds are virtual, and 0 without this fault."""

    late_seconds: int = 0
    again_seconds: int = 0
    reorder: bool = False


@dataclass(frozen=True, slots=True)
class Chaos:
    """The percentages of messages that are sent again, late, or after the next one.

    A route question has no fault: a caller waits on the line.
    """

    dup: float = 0.0
    late: float = 0.0
    reorder: float = 0.0

    def fate(self, seed: int, kind: str, call: int) -> Fate:
        """Returns the fate of this message of this call, always the same."""
        if kind == "route":
            return Fate()
        dup, late, reorder = (lot(seed, "chaos", word, kind, call) for word in WORDS)
        return Fate(
            late_seconds=_within(_LATE_SECONDS, late) if _happens(late, self.late) else 0,
            again_seconds=_within(_AGAIN_SECONDS, dup) if _happens(dup, self.dup) else 0,
            reorder=_happens(reorder, self.reorder),
        )


def parse_chaos(text: str) -> Chaos:
    """Parses a `--chaos` text; an empty text means no faults. Raises UsageError naming the unreadable part."""
    shares: dict[str, float] = {}
    for part in text.split(",") if text.strip() else ():
        word, _, percent = (piece.strip() for piece in part.partition("="))
        if word not in WORDS:
            message = tr("--chaos: there is no {value}", value=repr(word))
            if near := difflib.get_close_matches(word, WORDS, 1):
                message = joined("; ", (message, tr("did you mean {word}?", word=near[0])))
            raise UsageError(message, hint=tr(GRAMMAR))
        match = _PERCENT.fullmatch(percent)
        if match is None or float(match[1]) > 100:
            raise UsageError(
                tr("--chaos: {value} is not a percentage from 0% to 100% for {word}", value=repr(percent), word=word),
                hint=tr(GRAMMAR),
            )
        if word in shares:
            raise UsageError(tr("--chaos: {word} is given twice", word=word), hint=tr(GRAMMAR))
        shares[word] = float(match[1])
    return Chaos(**shares)


def _happens(drawn: int, percent: float) -> bool:
    return (drawn & 0xFFFFFF) / 0x1000000 * 100 < percent


def _within(bounds: tuple[int, int], drawn: int) -> int:
    return bounds[0] + (drawn >> 24) % (bounds[1] - bounds[0] + 1)


class Timetable:
    """Runs each action at its moment (monotonic seconds), or as soon after it as earlier actions allow.

    Two actions of one moment run in the order of their entry. An exception goes to `complain`, and the other actions
    continue. Any thread may enter an action; `stop` drops the remaining ones.
    """

    def __init__(self, complain: Callable[[str], None], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._complain = complain
        self._monotonic = monotonic
        self._waiting: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="sandbox timetable", daemon=True)

    def start(self) -> None:
        """Begins to run what is entered."""
        self._thread.start()

    def now(self) -> float:
        """Returns the present moment."""
        return self._monotonic()

    def at(self, moment: float, action: Callable[[], None]) -> None:
        """Enters an action."""
        with self._changed:
            heapq.heappush(self._waiting, (moment, next(self._order), action))
            self._changed.notify()

    @property
    def is_stopping(self) -> bool:
        """Returns whether `stop` was called."""
        return self._stopping

    def stop(self, timeout: float) -> None:
        """Waits for the running action, at most this many seconds."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.ident is not None:
            self._thread.join(timeout)

    def _run(self) -> None:
        while (action := self._next()) is not None:
            try:
                action()
            except Exception as error:
                if self._stopping:  # the resources of the action may be closed already
                    return
                problem = f"{type(error).__name__}: {error}"
                self._complain(tr("error in a simulated call: {problem}", problem=problem))

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            while not self._stopping:
                wait = self._waiting[0][0] - self._monotonic() if self._waiting else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._waiting)[2]
                self._changed.wait(None if wait is None else min(wait, threading.TIMEOUT_MAX))
        return None


_PATIENCE_SECONDS = 1.0
_AT_ONCE = 48
_OVERTAKEN_AT_LATEST_SECONDS = 300
_LONGEST_KEPT_ANSWER = 2048

Then = Callable[[Posted | None], None]


@dataclass(eq=False, slots=True)
class Envelope:
    """The facts of a message's call: a callend waits for the answer to the callstart, which names the call.

    `opened` and `closed` are called when a message is entered, and when it is done.
    """

    call: int
    speed: float
    opened: Callable[[], None] = lambda: None
    closed: Callable[[], None] = lambda: None
    is_named: bool = False
    waiting: list["Letter"] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Letter:
    """One message; `write` returns its body when it is sent, `then` gets the answer, or None without a handler."""

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
    """The handlers, and the way to them. All methods but `stop` run in the timetable's thread."""

    def __init__(
        self,
        timetable: Timetable,
        traffic: Traffic,
        handlers: Mapping[str, str],
        poster: AnyPoster,
        *,
        chaos: Chaos,
        seed: int,
        complain: Callable[[str], None],
    ) -> None:
        self.handlers = handlers
        self._timetable, self._traffic, self._poster = timetable, traffic, poster
        self._chaos, self._seed, self._complain = chaos, seed, complain
        self._executor = ThreadPoolExecutor(_AT_ONCE, "sandbox post")
        self._slow: dict[Future[Posted], int] = {}
        self._overtaken: list[Letter] = []
        self._blamed: set[str] = set()

    def enter(self, letter: Letter) -> None:
        """Sends the message when it is due, changed by chaos. Without a handler for its type it is dropped."""
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
        """Waits for running posts, at most this many seconds. Call it after the timetable's end."""
        wait(self._slow, timeout)
        self._executor.shutdown(wait=False)
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
        while len(under_way := [post for post in self._slow if not post.done()]) >= _AT_ONCE:
            if self._timetable.is_stopping:
                return
            wait(under_way, 0.2, FIRST_COMPLETED)
        body = letter.write()
        number = self._traffic.begin(letter.envelope.call, letter.kind, body, letter.content_type, letter.note)
        future = self._executor.submit(self._post, letter, body)
        wait([future], 0 if self._slow else _PATIENCE_SECONDS)
        if future.done():
            self._came(letter, number, body, future.result())
            return
        self._slow[future] = number
        came = partial(self._came_late, letter, number, body)
        future.add_done_callback(lambda done: self._timetable.at(letter.due, partial(came, done)))

    def _post(self, letter: Letter, body: bytes) -> Posted:
        try:
            headers = _headers(letter.content_type)
            return self._poster.post(self.handlers[letter.kind], body, headers=headers, timeout=ANSWER_SECONDS)
        except Exception as error:  # a poster raises nothing; if it does, the call still goes on
            return Posted(None, error=type(error).__name__)

    def _came_late(self, letter: Letter, number: int, body: bytes, done: "Future[Posted]") -> None:
        self._slow.pop(done, None)
        self._came(letter, number, body, done.result())

    def _came(self, letter: Letter, number: int, body: bytes, answer: Posted) -> None:
        error = self._finish(number, answer)
        if error and letter.kind not in self._blamed:
            self._blamed.add(letter.kind)
            self._complain(
                tr(
                    "a {type} event was not accepted ({problem}); the PBX sends each event once, and continues",
                    type=letter.kind,
                    problem=error,
                )
            )
        if letter.again_seconds:
            self._repeat(letter, body)
        self._done(letter, answer)

    def _finish(self, number: int, answer: Posted) -> str:
        error = answer.error or ("" if _is_taken(answer) else tr("status {status}", status=answer.status))
        self._traffic.finish(number, answer.status, answer.body[:_LONGEST_KEPT_ANSWER], error)
        return error

    def _repeat(self, letter: Letter, body: bytes) -> None:
        due = letter.due + letter.again_seconds / letter.envelope.speed
        again = Letter(letter.envelope, letter.kind, letter.content_type, lambda: body, lambda _: None, due, note="dup")
        again.envelope.opened()
        self._timetable.at(due, partial(self._go, again))

    def _done(self, letter: Letter, answer: Posted | None) -> None:
        """Passes the answer on. The first callstart's answer names the call; a repetition's does not."""
        letter.then(answer)
        if letter.kind == "callstart" and letter.note != "dup":
            letter.envelope.is_named = True
            for waiting in letter.envelope.waiting:
                self._timetable.at(max(waiting.due, letter.due), partial(self._go, waiting))
            letter.envelope.waiting.clear()
        letter.envelope.closed()


def _is_taken(answer: Posted) -> bool:
    return answer.status is not None and 200 <= answer.status < 300


def _headers(content_type: str | None) -> dict[str, str]:
    """Returns our headers, which mark a simulation like the sandbox's answers; the document names no header."""
    headers = {"User-Agent": f"alovoice-sandbox/{__version__}", "X-Alovoice-Sandbox": "1", "Accept": "*/*"}
    return headers if content_type is None else {**headers, "Content-Type": content_type}
