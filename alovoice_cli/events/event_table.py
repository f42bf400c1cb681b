"""Events and calls as `events list`, `events tail` and `listen` print them: JSON objects, and cells of a table."""

import base64
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime

from alovoice_cli.events.bodies import read_query
from alovoice_cli.events.body_text import body_text
from alovoice_cli.events.call_ids import read_crm_id
from alovoice_cli.events.event import Call, CallType, Delivery, Event, Fact, direction_word, is_of_another, status_word
from alovoice_cli.language import joined, tr
from alovoice_cli.moments import ClockTime, from_unix, long_text, short_text

_KNOWN_OF_CALL = ("number", "line", "peer", "direction", "external_id", "pbx_call_id", "started_at")
_FACT_NAMES = tuple(field.name for field in fields(Fact) if field.name != "call_id")
_MICRO = 1_000_000


def event_as_json(event: Event) -> dict[str, object]:
    """Returns the event's keys: id, seq, type, received_at (ISO 8601, UTC), the ids of its call, duplicate_of, body.

    `events.call_ids` explains these ids; only the ids in the event itself are returned. `call_id` is an older name that
    programs read: the first of these ids in a callstart or callend, or a result's own id. `body` is the value that was
    read; for an unreadable body its text, or `{"base64": …}` if it is no text, and `problem` gives the reason. `query`
    has the fields of the URL's query. A route question also has its answer and rule, a redirected callstart its answer.
    `trial` marks a made-up event, `imported` an imported one.
    """
    delivery = event.delivery
    shown: dict[str, object] = {
        "id": delivery.id,
        "seq": delivery.seq,
        "type": delivery.type,
        "received_at": iso(delivery.received_at),
        "call_id": event.fact.call_id,
        **_ids_of_call(event, event.fact),
        "duplicate_of": event.duplicate_of,
        "body": _raw(delivery) if event.problem and event.value is None else event.value,
    }
    if event.problem:
        shown["problem"] = event.problem
    if delivery.query:
        shown["query"] = read_query(delivery.query)
    if delivery.type == "callstart" and "callto" in event.answer:
        shown["answer"] = dict(event.answer)
    if delivery.type == "route" and event.answer:
        shown |= {"answer": dict(event.answer), "rule": event.rule}
    if event.is_trial:
        shown["trial"] = True
    if delivery.imported:
        shown["imported"] = True
    return shown


def _ids_of_call(event: Event, fact: Fact, call: Call | None = None) -> dict[str, object]:
    """Returns the ids of the fact's call by their names; a result's own id is the PBX's."""
    is_result = event.delivery.type == "result"
    of_call = None if call is None or (is_result and is_of_another(fact, call)) else call
    own = fact.call_id if not is_result else of_call.call_id if of_call is not None else None
    pbx = fact.pbx_call_id or (of_call.pbx_call_id if of_call is not None else None)
    return {"event_call_id": own, "pbx_call_id": pbx, "crm_call_id": read_crm_id(own)}


def iso(unix_us: int) -> str:
    """Returns unix microseconds as ISO 8601 in UTC, always with six decimals, so that texts sort by time."""
    seconds, micro = divmod(unix_us, 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{micro:06d}Z"


def _raw(delivery: Delivery) -> object:
    text = body_text(delivery.body, delivery.content_type, delivery.content_encoding).text
    return text if text is not None else {"base64": base64.b64encode(delivery.body).decode("ascii")}


def event_cells(
    event: Event, call: Call | None, clock: ClockTime, *, short: bool, fact: Fact | None = None
) -> dict[str, object]:
    """Returns the event's cells. Missing values come from its call. `fact` is one of several; by default the first."""
    delivery, said = event.delivery, fact or event.fact
    cells: dict[str, object] = {name: getattr(said, name) for name in _FACT_NAMES}
    if call is not None:
        cells |= {name: getattr(call, name) for name in _KNOWN_OF_CALL if cells[name] is None}
    return {
        "event": f"e{delivery.seq}",
        "when": when(delivery.received_at // _MICRO, clock, short=short),
        "type": delivery.type,
        **cells,
        **_ids_of_call(event, said, call),
        "said": _with_trial(event, _said(event, said, in_words=short)),
        "id": delivery.id,
        "seq": delivery.seq,
        "received_at": iso(delivery.received_at),
        "duplicate_of": event.duplicate_of,
        "answer": dict(event.answer) or None,
        "rule": event.rule,
        "problem": event.problem or None,
        "sender": delivery.peer or None,
    }


def call_as_json(call: Call) -> dict[str, object]:
    """Returns the call's fields. `reported_at` is ISO 8601 in UTC; the PBX's own times stay unix seconds.

    `call_id` is the older name of `event_call_id`, for programs that read it.
    """
    ids = {"event_call_id": call.call_id, "crm_call_id": read_crm_id(call.call_id)}
    return {**asdict(call), **ids, "reported_at": iso(call.reported_at * _MICRO)}


def finished_call_as_json(call: Call, event_id: str, kind: CallType) -> dict[str, object]:
    """Returns the message to targets about a finished call: `call_as_json` with an `id` of the message, and its type.

    `event_id` is our id of its callstart.
    """
    return {"id": f"{event_id}-{kind}", "type": kind, "event_id": event_id, **call_as_json(call)}


def when(seconds: int, clock: ClockTime, *, short: bool) -> str:
    """Returns unix seconds as a time in the profile's zone."""
    moment = from_unix(seconds, clock.zone)
    if moment is None:
        return str(seconds)
    return short_text(moment, clock) if short else long_text(moment, clock)


def step_text(event: Event) -> str:
    """Returns the stored step that answered a route question: `queue 6000`."""
    return _step(event.answer)


def routed(event: Event) -> str:
    """Returns a caller's step with its rule or reason: `queue 6000 by night`; and a different step of the shadow."""
    answer = event.answer
    why = str(answer.get("why", "")).partition(" until ")[0]  # the whole answer says how long an override lasts
    reason = f" by {event.rule}" if event.rule else f" ({why})" if why else ""
    shadow = answer.get("shadow")
    moved = f"; shadow: {_step(shadow)}" if isinstance(shadow, dict) and shadow.get("moved") else ""
    return _step(answer) + reason + moved


def brief(event: Event, room: int) -> str:
    """Returns the main content of the event in a word or two, for a line of 80 columns.

    The end of a call is words with its seconds, else words alone, else its code: the longest that fits into `room`
    letters. `events list` shows the rule of a route question and the content of a trial.
    """
    if event.is_trial:
        return tr("trial")
    if event.delivery.type == "route":
        return step_text(event)
    fact, more = event.fact, f" (+{len(event.facts) - 1})" if len(event.facts) > 1 else ""
    said = _said(event, fact, in_words=True)
    if len(said + more) > room and event.delivery.type == "callend":
        word = status_word(fact.status)
        said = word if len(word + more) <= room else _said(event, fact, in_words=False)
    return said + more


def _with_trial(event: Event, said: str) -> str:
    return tr("{said} (trial)", said=said) if event.is_trial else said


def _step(kept: Mapping[str, object]) -> str:
    found = kept.get("step")
    step = found if isinstance(found, dict) else {}
    return " ".join(str(step[name]) for name in ("action_type", "action_data") if step.get(name) is not None)


def _said(event: Event, fact: Fact, *, in_words: bool) -> str:
    """Returns the main content of the event in a word or two; the end of a call as its code, or `in_words`."""
    if event.duplicate_of is not None:
        return tr("again")
    if event.delivery.type == "route":  # also for an unreadable question: its caller got a step
        return routed(event)
    if event.problem and not event.facts:
        return tr("unreadable")
    if event.delivery.type == "callstart":
        return direction_word(fact.direction)
    if not in_words:
        seconds = "" if fact.duration is None else f"{fact.duration}s"
        return f"{fact.status or ''} {seconds}".strip()
    lasted = "" if fact.duration is None else tr("{seconds}s", seconds=fact.duration)
    return joined(" ", filter(None, (status_word(fact.status) if fact.status else "", lasted)))
