"""One case: sends its events and judges every answer, by content and time (API, sections 6 and 9)."""

import json
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from threading import Lock
from typing import NamedTuple
from urllib.parse import urlencode

from alovoice_cli.events.event import TRIAL_HEADER, TRIAL_PREFIX, EventType
from alovoice_cli.events.handler import FORM_TYPE, JSON_TYPE, Handlers
from alovoice_cli.events.samples import as_json, sample
from alovoice_cli.events.sending import at_rate
from alovoice_cli.language import mark, ngettext, tr
from alovoice_cli.localization import decimal_text
from alovoice_cli.masking import disarm
from alovoice_cli.posts import AnyPoster, Posted

SLOW_SECONDS, LATE_SECONDS = 1.0, 2.0
"""The PBX's waiting time is not documented; `listen` waits two seconds for a CRM, then answers itself."""

LONGEST_INTEGER, LONGEST_TEXT = 12, 32
_STEPS = ("peer", "queue", "ivr", "trunk", "hangup")
_REDIRECT, _STEP = '{"callto": "99 123 45 67"}', '{"action_type": "queue", "action_data": "6000"}'
_STEP_FORM = mark("answer {json} or another step")
_WORDS = ("true", "false", "null", "none", "undefined", "nan", "ok", "error", "[]", "{}", "array")
_SAMPLE = re.compile(r"\{\s*callto\s*:\s*(\"[^\"]*\"|'[^']*')\s*,?\s*\}")
_DIALLED = re.compile(r"\+?[0-9][0-9 ()\-]{1,30}")
_ID = re.compile(r"[0-9]{1,15}")
_PHONE = re.compile(r"\+?[0-9]{3,15}")
_SHOWN = 40


class AnswerProblem(NamedTuple):
    """What the handler did, and what it should do (empty: as in the case). A `soft` problem is reported, and passes."""

    happened: str
    remedy: str = ""
    soft: bool = False


class AnswerVerdict(NamedTuple):
    """The judgement of an answer. `call_id` is the id in a callstart's answer, if any."""

    problems: tuple[AnswerProblem, ...] = ()
    call_id: int | str | None = None


def judge(kind: EventType, answer: Posted) -> AnswerVerdict:
    """Judges the answer to an event of this type, and its time."""
    problem = _transport_problem(answer)
    verdict = AnswerVerdict((problem,)) if problem is not None else _JUDGES.get(kind, _judge_true)(answer)
    problems = verdict.problems
    if kind == "route":
        problems = tuple(
            each._replace(happened=tr("{answer}: the caller would be disconnected", answer=each.happened))
            for each in problems
        )
    return verdict._replace(problems=(*problems, *_time_problems(answer, kind)))


def _judge_start(answer: Posted) -> AnswerVerdict:
    """Judges a callstart's answer: an integer of at most 12 digits, a text of at most 32, `callto`, or nothing."""
    try:
        text = answer.body.decode("utf-8").strip()
    except UnicodeDecodeError:
        return _fault(tr("answered bytes that are not UTF-8 text"), tr("answer only with the id of the call"))
    if not text:
        return AnswerVerdict()
    if text.startswith("{"):
        return AnswerVerdict(_redirect_problems(text))
    soft: tuple[AnswerProblem, ...] = ()
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1]
        remedy = tr("send the id without quotes: the PBX may read the quotes as part of the id")
        soft = (AnswerProblem(tr("put the id in quotes"), remedy, True),)
    problem = _id_problem(text)
    if problem is not None:
        return AnswerVerdict((problem,))
    return AnswerVerdict(soft, int(text) if text.isdigit() and str(int(text)) == text else text)


def _fault(happened: str, remedy: str = "", *, soft: bool = False) -> AnswerVerdict:
    return AnswerVerdict((AnswerProblem(happened, remedy, soft),))


def _id_problem(text: str) -> AnswerProblem | None:
    if text.lower() in _WORDS:
        return AnswerProblem(
            tr("answered {answer}, which the PBX reads as the id of the call", answer=shown(text)),
            tr("answer with a different id for each call, or with nothing"),
        )
    if text.startswith("<"):
        return AnswerProblem(tr("answered a web page"), tr("answer only with the id of the call, in plain text"))
    if text.lstrip("-").isdigit() and len(text) > LONGEST_INTEGER:
        return AnswerProblem(
            ngettext("answered a number of {n} digit", "answered a number of {n} digits", len(text)),
            tr("use at most {number} digits in a numeric id", number=LONGEST_INTEGER),
        )
    if len(text) > LONGEST_TEXT:
        return AnswerProblem(
            ngettext("answered {n} character", "answered {n} characters", len(text)),
            tr("use at most {number} characters in the id", number=LONGEST_TEXT),
        )
    if not text.isprintable() or text.startswith("["):
        return AnswerProblem(
            tr("answered {answer}, which is not a valid id", answer=shown(text)),
            tr("answer only with the id of the call, on one line"),
        )
    return None


def _redirect_problems(text: str) -> tuple[AnswerProblem, ...]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        if _SAMPLE.fullmatch(text):
            return (
                AnswerProblem(tr("answered a redirect without quotes around `callto`"), tr("write strict JSON"), True),
            )
        return (
            AnswerProblem(
                tr("answered {answer}, which is not valid JSON", answer=shown(text)),
                tr("redirect with {json}", json=_REDIRECT),
            ),
        )
    if "callto" not in value:
        return (
            AnswerProblem(tr("answered a JSON object without `callto`"), tr("answer only with the id, in plain text")),
        )
    callto = value["callto"]
    if not isinstance(callto, str) or not _DIALLED.fullmatch(callto.strip()):
        said = shown(json.dumps(callto, ensure_ascii=False))
        return (
            AnswerProblem(
                tr("redirects to {value}, which is not a phone number in a string", value=said),
                tr("write {json}", json=_REDIRECT),
            ),
        )
    return ()


def _judge_true(answer: Posted) -> AnswerVerdict:
    """Judges the answer to a callend or a result: 200 and the text `true`."""
    text = answer.body.decode("utf-8", "replace").strip()
    if text != "true":
        said = shown(text) if text else tr("an empty body")
        return _fault(tr("answered {answer} instead of `true`", answer=said), tr("answer 200 with the text true"))
    if answer.status != 200:
        return _fault(
            tr("answered {status} with `true`", status=answer.status), tr("answer with the status 200"), soft=True
        )
    return AnswerVerdict()


def _judge_step(answer: Posted) -> AnswerVerdict:
    """Judges a route's answer: one of the five steps, with a text as its argument."""
    problem = _step_problem(answer.body)
    return AnswerVerdict() if problem is None else AnswerVerdict((problem,))


_JUDGES: Mapping[EventType, Callable[[Posted], AnswerVerdict]] = {"callstart": _judge_start, "route": _judge_step}


def _step_problem(body: bytes) -> AnswerProblem | None:
    try:
        value = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        text = body.decode("utf-8", "replace").strip()
        said = shown(text) if text else tr("an empty body")
        is_nearly = text.startswith("{")  # the document's own samples have names without quotes
        remedy = tr("write strict JSON, with quotes around the names too") if is_nearly else tr(_STEP_FORM, json=_STEP)
        return AnswerProblem(tr("answered {answer} instead of JSON", answer=said), remedy)
    if not isinstance(value, dict):
        return AnswerProblem(tr("answered JSON that is not an object"), tr(_STEP_FORM, json=_STEP))
    action, data = value.get("action_type"), value.get("action_data")
    if action not in _STEPS:
        return AnswerProblem(
            tr("answered the step {value}", value=shown(json.dumps(action))),
            tr("use one of these steps: {names}", names=", ".join(_STEPS)),
        )
    if data is None and action == "hangup" and "action_data" not in value:
        return None
    if not isinstance(data, str):
        said = shown(json.dumps(data))
        is_soft = data is None and action == "hangup"  # a missing value is documented, null is not
        remedy = tr("leave out action_data") if is_soft else tr("put the argument in quotes: {value}", value='"6000"')
        return AnswerProblem(
            tr("gave {step} the argument {value}, which is not a string", step=action, value=said), remedy, is_soft
        )
    if not (_PHONE if action == "trunk" else _ID).fullmatch(data):
        return AnswerProblem(
            tr("gave {step} the argument {value}", step=action, value=shown(data)),
            tr("give {step} a phone number, in digits", step=action)
            if action == "trunk"
            else tr("give {step} a number, in digits", step=action),
        )
    return None


def _time_problems(answer: Posted, kind: str) -> tuple[AnswerProblem, ...]:
    """Judges the time: a note over one second, an error from two seconds on."""
    if answer.status is None or answer.seconds <= SLOW_SECONDS:
        return ()
    remedy = (
        tr("answer first and work afterwards: a caller is waiting")
        if kind == "route"
        else tr("answer first and work afterwards: the PBX is waiting")
    )
    took = tr("took {seconds} s", seconds=decimal_text(answer.seconds))
    return (AnswerProblem(took, remedy, answer.seconds < LATE_SECONDS),)


def _transport_problem(answer: Posted) -> AnswerProblem | None:
    if answer.status is None:
        return AnswerProblem(tr("gave no answer ({problem})", problem=disarm(answer.error)))
    if 300 <= answer.status < 400:
        return AnswerProblem(
            tr("answered {status}, a redirect", status=answer.status),
            tr("answer at this URL: redirects are not followed"),
        )
    if not 200 <= answer.status < 300:
        return AnswerProblem(tr("answered {status}", status=answer.status))
    return None


def shown(text: str) -> str:
    """Returns a piece of an answer, harmless and short."""
    plain = disarm(" ".join(text.split()))
    return f"`{plain if len(plain) <= _SHOWN else plain[: _SHOWN - 1] + '…'}`"


CallId = int | str | None
ABSENT = object()
"""The mark of a missing field."""


@dataclass(frozen=True, slots=True)
class Bench:
    """The common values of all trials.

    `timeout` is for one answer, in seconds; `slow`: late events are really delayed.
    """

    poster: AnyPoster
    handlers: Handlers
    now: Callable[[], datetime]
    timeout: float = 10.0
    slow: bool = False
    sleep: Callable[[float], object] = time.sleep
    monotonic: Callable[[], float] = time.monotonic


@dataclass(slots=True)
class CertifyTrial:
    """The events of one case, and the problems found.

    Each case has its own numbers and times, so none repeats another's.
    """

    bench: Bench
    place: int
    began: datetime
    problems: list[AnswerProblem] = field(default_factory=list)
    sent: int = 0
    answered: int = 0
    seconds: list[float] = field(default_factory=list)
    error: str = ""
    _lock: Lock = field(default_factory=Lock)

    # --- what a case sends -------------------------------------------------------------------------------------------

    def number(self, of: int = 0) -> str:
        """Returns an unassigned number: +998 00 is no network."""
        return f"+{TRIAL_PREFIX}{self.place:03d}{of:04d}"

    def moment(self, seconds: int = 0) -> datetime:
        """Returns the case's own time: its beginning, and this many seconds later."""
        return self.began.replace(microsecond=0) + timedelta(seconds=seconds)

    def start(self, *, of: int = 0, at: int = 0, **changes: object) -> CallId:
        """Sends a callstart, judges the answer, returns the answer's id."""
        return self._start(self.start_body(of=of, at=at, **changes))

    def start_body(self, *, of: int = 0, at: int = 0, **changes: object) -> dict[str, object]:
        """Returns the documented callstart with this case's number and the changes."""
        return _changed({**sample("callstart", self.moment(at)), "number": self.number(of)}, changes)

    def _start(self, body: object) -> CallId:
        verdict = judge("callstart", self.post("callstart", as_json(body)))
        return self._keep(verdict).call_id

    def end(self, call: CallId, *, at: int = 30, **changes: object) -> None:
        """Sends the end of the call with this id (None: without `call_id`) and judges the answer."""
        own = {"call_id": ABSENT if call is None else call}
        self.told("callend", _changed({**sample("callend", self.moment(at)), **own}, changes))

    def result(self, *, of: int = 0, **changes: object) -> None:
        """Sends a result and judges the answer."""
        self.told("result", self.result_body(of=of, **changes))

    def result_body(self, *, of: int = 0, **changes: object) -> dict[str, object]:
        """Returns the documented result with ids of this case and the changes."""
        own = {
            "id": 9_000_000 + self.place * 1000 + of,
            "externalid": 800_000 + self.place * 100 + of,
            "to_number": self.number(of).removeprefix("+"),
        }
        return _changed({**sample("result", self.moment()), **own}, changes)

    def told(self, kind: EventType, body: object) -> None:
        """Sends a callend or a result as JSON, and judges whether the answer is `true`."""
        self.raw(kind, as_json(body))

    def ask(self, **changes: object) -> None:
        """Asks the route of a call and judges the step."""
        self.raw("route", as_json(self.route_body(**changes)))

    def route_body(self, **changes: object) -> dict[str, object]:
        """Returns the documented question with this case's number and the changes."""
        own = {"from_number": self.number().removeprefix("+")}
        return _changed({**sample("route", self.moment()), **own}, changes)

    def raw(self, kind: EventType, body: bytes, content_type: str = JSON_TYPE) -> None:
        """Sends these bytes and judges the answer by the event's type."""
        self._keep(judge(kind, self.post(kind, body, content_type)))

    def form(self, kind: EventType, body: Mapping[str, object]) -> None:
        """Sends the fields form-encoded."""
        fields = [(name, "" if value is None else str(value)) for name, value in body.items()]
        self.raw(kind, urlencode(fields).encode(), FORM_TYPE)

    def at_once(self, bodies: Iterable[object], rate: float) -> list[CallId]:
        """Sends callstarts at this rate, without waiting for answers; returns their ids in order."""
        jobs = [partial(self._start, body) for body in bodies]
        return list(at_rate(jobs, rate, sleep=self.bench.sleep, monotonic=self.bench.monotonic))

    def late(self, seconds: int) -> int:
        """Returns the time of an event that is sent so much later than it happened, from the beginning in seconds.

        With --slow it happens now, and its sending is really delayed; otherwise it happened that long ago.
        """
        if not self.bench.slow:
            return -seconds
        self.bench.sleep(seconds)
        return 0

    # --- what it finds -----------------------------------------------------------------------------------------------

    def post(self, kind: EventType, body: bytes, content_type: str = JSON_TYPE) -> Posted:
        """Sends these bytes unchanged."""
        url = self.bench.handlers.needed(kind, "certify")
        headers = {TRIAL_HEADER: "1", **({"Content-Type": content_type} if content_type else {})}
        answer = self.bench.poster.post(url, body, headers=headers, timeout=self.bench.timeout)
        with self._lock:
            self.sent += 1
            self.answered += answer.status is not None
            self.seconds.append(answer.seconds)
            self.error = answer.error or self.error
        return answer

    def fault(self, happened: str, remedy: str = "") -> None:
        """Notes a problem that no single answer shows."""
        self._keep(_fault(happened, remedy))

    def distinct(self, ids: Sequence[CallId]) -> None:
        """Notes a problem where two calls got the same id."""
        known = [str(each) for each in ids if each is not None]
        if len(set(known)) < len(known):
            twice = next(each for each in known if known.count(each) > 1)
            self.fault(tr("gave two calls the same id {id}", id=twice), tr("give each call a different id"))

    def _keep(self, verdict: AnswerVerdict) -> AnswerVerdict:
        with self._lock:
            self.problems.extend(problem for problem in verdict.problems if problem not in self.problems)
        return verdict


def _changed(body: dict[str, object], changes: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in {**body, **changes}.items() if value is not ABSENT}
