"""What is wrong with a handler's answer, in words: the rules of API sections 6 and 9, and of time."""

import json
import re
from typing import NamedTuple

from alovoice_cli.events.handler import Answer
from alovoice_cli.masking import disarm

SLOW_SECONDS, LATE_SECONDS = 1.0, 2.0
"""How long the PBX waits is not documented; `listen` gives a CRM two seconds, then answers by itself."""

LONGEST_INTEGER, LONGEST_TEXT = 12, 32
_STEPS = ("peer", "queue", "ivr", "trunk", "hangup")
_STEP_FORM = 'answer {"action_type": "queue", "action_data": "6000"} or another step'
_WORDS = ("true", "false", "null", "none", "undefined", "nan", "ok", "error", "[]", "{}", "array")
_SAMPLE = re.compile(r"\{\s*callto\s*:\s*(\"[^\"]*\"|'[^']*')\s*,?\s*\}")
_DIALLED = re.compile(r"\+?[0-9][0-9 ()\-]{1,30}")
_ID = re.compile(r"[0-9]{1,15}")
_PHONE = re.compile(r"\+?[0-9]{3,15}")
_SHOWN = 40


class Problem(NamedTuple):
    """What the handler did, and what it should do (empty: what the case says). A `soft` one is told, and passes."""

    happened: str
    remedy: str = ""
    soft: bool = False


class Verdict(NamedTuple):
    """What an answer is worth. `call_id` is what a callstart's answer names the call, where it does."""

    problems: tuple[Problem, ...] = ()
    call_id: int | str | None = None


def judge_start(answer: Answer) -> Verdict:
    """A callstart's answer: an integer of at most 12 digits, a text of at most 32, `{"callto": …}`, or nothing."""
    problem = _transport_problem(answer)
    if problem is not None:
        return Verdict((problem, *judge_time(answer, "callstart")))
    time = judge_time(answer, "callstart")
    try:
        text = answer.body.decode("utf-8").strip()
    except UnicodeDecodeError:
        return Verdict((Problem("answered bytes that are no UTF-8 text", "answer with the call's id alone"), *time))
    if not text:
        return Verdict(time)
    if text.startswith("{"):
        return Verdict((*_redirect_problems(text), *time))
    soft: tuple[Problem, ...] = ()
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1]
        soft = (
            Problem("put the id in quotes", "send the id alone: the PBX may take the quotes for a part of it", True),
        )
    problem = _id_problem(text)
    if problem is not None:
        return Verdict((problem, *time))
    return Verdict((*soft, *time), int(text) if text.isdigit() and str(int(text)) == text else text)


def _id_problem(text: str) -> Problem | None:
    if text.lower() in _WORDS:
        return Problem(
            f"answered {shown(text)}, which the PBX takes for the call's id",
            "answer with an id of its own for each call, or with nothing",
        )
    if text.startswith("<"):
        return Problem("answered a web page", "answer with the call's id alone, in plain text")
    if text.lstrip("-").isdigit() and len(text) > LONGEST_INTEGER:
        return Problem(
            f"answered a number of {len(text)} digits", f"keep a numeric id to {LONGEST_INTEGER} digits at most"
        )
    if len(text) > LONGEST_TEXT:
        return Problem(f"answered {len(text)} characters", f"keep the id to {LONGEST_TEXT} characters at most")
    if not text.isprintable() or text.startswith("["):
        return Problem(f"answered {shown(text)}, which is no id", "answer with the call's id alone, on one line")
    return None


def _redirect_problems(text: str) -> tuple[Problem, ...]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        if _SAMPLE.fullmatch(text):
            return (Problem("answered a redirect without quotes round `callto`", "write strict JSON", True),)
        return (Problem(f"answered {shown(text)}, which is no JSON", 'redirect with {"callto": "99 123 45 67"}'),)
    if "callto" not in value:
        return (Problem("answered a JSON object without `callto`", "give the id alone, in plain text"),)
    callto = value["callto"]
    if not isinstance(callto, str) or not _DIALLED.fullmatch(callto.strip()):
        said = shown(json.dumps(callto, ensure_ascii=False))
        return (Problem(f"redirects to {said}, which is no number in a text", 'write {"callto": "99 123 45 67"}'),)
    return ()


def judge_true(answer: Answer, kind: str) -> Verdict:
    """The answer to a callend or a result: 200 and the text `true`."""
    time = judge_time(answer, kind)
    problem = _transport_problem(answer)
    if problem is not None:
        return Verdict((problem, *time))
    text = answer.body.decode("utf-8", "replace").strip()
    if text != "true":
        said = shown(text) if text else "an empty body"
        return Verdict((Problem(f"answered {said} where `true` is expected", "answer 200 with the text true"), *time))
    if answer.status != 200:
        soft = Problem(f"answered {answer.status} with `true`", "answer with the status 200", True)
        return Verdict((soft, *time))
    return Verdict(time)


def judge_step(answer: Answer) -> Verdict:
    """A route's answer: one of the five steps, its argument a text; whatever else cuts the caller off."""
    time = judge_time(answer, "route")
    problem = _transport_problem(answer) or _step_problem(answer.body)
    if problem is None:
        return Verdict(time)
    remedy = problem.remedy
    cut_off = Problem(f"{problem.happened}: the caller would be cut off", remedy, problem.soft)
    return Verdict((cut_off, *time))


def _step_problem(body: bytes) -> Problem | None:
    try:
        value = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        text = body.decode("utf-8", "replace").strip()
        said = shown(text) if text else "an empty body"
        is_nearly = text.startswith("{")  # the document's own samples have names without quotes
        remedy = "write strict JSON, with quotes round the names too" if is_nearly else _STEP_FORM
        return Problem(f"answered {said} and no JSON", remedy)
    if not isinstance(value, dict):
        return Problem("answered JSON that is no object", _STEP_FORM)
    action, data = value.get("action_type"), value.get("action_data")
    if action not in _STEPS:
        return Problem(f"answered the step {shown(json.dumps(action))}", f"choose one of {', '.join(_STEPS)}")
    if data is None and action == "hangup" and "action_data" not in value:
        return None
    if not isinstance(data, str):
        said = shown(json.dumps(data))
        is_soft = data is None and action == "hangup"  # left out is documented, null is not
        remedy = "leave action_data out" if is_soft else 'put the argument in quotes: "6000"'
        return Problem(f"gave {action} the argument {said}, which is no text", remedy, is_soft)
    if not (_PHONE if action == "trunk" else _ID).fullmatch(data):
        what = "a phone number" if action == "trunk" else "a number"
        return Problem(f"gave {action} the argument {shown(data)}", f"give {action} {what}, in digits")
    return None


def judge_time(answer: Answer, kind: str) -> tuple[Problem, ...]:
    """Whether the answer came in time: a note over one second, a fault from two on."""
    if answer.status is None or answer.seconds <= SLOW_SECONDS:
        return ()
    waits = "a caller waits" if kind == "route" else "the PBX waits"
    remedy = f"answer first and work afterwards: {waits}"
    return (Problem(f"took {answer.seconds:.1f} s", remedy, answer.seconds < LATE_SECONDS),)


def _transport_problem(answer: Answer) -> Problem | None:
    if answer.status is None:
        return Problem(f"gave no answer ({disarm(answer.error)})")
    if 300 <= answer.status < 400:
        return Problem(f"answered {answer.status}, a redirect", "answer at this very URL: redirects are not followed")
    if not 200 <= answer.status < 300:
        return Problem(f"answered {answer.status}")
    return None


def shown(text: str) -> str:
    """A piece of an answer, harmless and short."""
    plain = disarm(" ".join(text.split()))
    return f"`{plain if len(plain) <= _SHOWN else plain[: _SHOWN - 1] + '…'}`"
