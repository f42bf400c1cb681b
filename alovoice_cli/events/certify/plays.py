"""How each case of `cases.toml` is sent, by the name of the case (API, sections 5, 6 and 9)."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from alovoice_cli.events.certify.trial import ABSENT, CertifyTrial
from alovoice_cli.events.event import EventType
from alovoice_cli.events.handler import FORM_TYPE
from alovoice_cli.events.samples import as_json, sample
from alovoice_cli.events.sending import at_rate
from alovoice_cli.language import tr

Play = Callable[[CertifyTrial], object]
Changes = Mapping[str, Any]

_START_ODD_NUMBERS = ("anonymous", "", "+", "+998 (00) 123-45-67", "sip:2000@10.0.0.1", "00998001234567", "102")
_STATUSES = ("200", 304, "603", "603-S", "403", 404, "486", 484, "503", 480, "402", 423, "OTHER")
_UNKNOWN = (0, 199, 487, 999, "603-X", "ANSWER", "")
_LETTERS = ("e5e456se456s56w456", "A-1/b_2.c", "01H9ZX4T7K3M5N6P8Q0RSTVWXY")
_ATTEMPT = {"number": "998004412860", "status": "BUSY"}
_NOT_ANSWERED = {"duration": 0, "dialstatus": "NO ANSWER"}
_BURST, _RATE = 50, 50.0
_LATE_SECONDS = 30
_BRACKETED = ("id", "from_number", "to_number", "trunk_number", "begin_time")
"""The five fields that the document writes with `[]` before their names."""
_ROUTE_ODD_NUMBERS = ("anonymous", "", "+998001234567", "998 00 123-45-67", "102", "9" * 15)


# --- plays that change the documented event


def _each(send: Callable[[CertifyTrial, int, Changes], None], changes: Iterable[Changes]) -> Play:
    """Sends the event with each of the changes, as an event of a call of its own."""

    def play(trial: CertifyTrial) -> None:
        for of, each in enumerate(changes):
            send(trial, of, each)

    return play


def _start(trial: CertifyTrial, of: int, changes: Changes) -> None:
    trial.start(of=of, at=of, **changes)


def _end(trial: CertifyTrial, of: int, changes: Changes) -> None:
    trial.end(trial.start(of=of), **changes)


def _result(trial: CertifyTrial, of: int, changes: Changes) -> None:
    trial.result(of=of, **changes)


def _ask(trial: CertifyTrial, _: int, changes: Changes) -> None:
    trial.ask(**changes)


def _untyped(kind: EventType, body: Callable[[CertifyTrial, int], object]) -> Play:
    """JSON without its content type, as the vendor's own curl sends it (API, section 6)."""

    def play(trial: CertifyTrial) -> None:
        for of, content_type in enumerate((FORM_TYPE, "text/plain", "")):
            trial.raw(kind, as_json(body(trial, of)), content_type)

    return play


def _values(name: str, values: Iterable[object]) -> list[Changes]:
    return [{name: value} for value in values]


# --- plays of one event


def _start_as_text(trial: CertifyTrial) -> None:
    body = trial.start_body()
    trial.start(inner_phone=str(body["inner_phone"]), start_time=str(body["start_time"]))


def _start_repeated(trial: CertifyTrial) -> None:
    first, second = trial.start(), trial.start()
    if first is not None and first != second:
        trial.fault(tr("gave one call the id {first} and then {second}", first=first, second=second))


def _start_without_optional(trial: CertifyTrial) -> None:
    trial.raw("callstart", as_json({"number": trial.number(), "type": "inc"}))


def _end_letters(trial: CertifyTrial) -> None:
    for call_id in _LETTERS:
        trial.end(call_id)


def _end_other_type(trial: CertifyTrial) -> None:
    """Sends the id back in the other type of integer and text."""
    call = trial.start()
    trial.end(str(call) if isinstance(call, int) else call)


def _end_as_text(trial: CertifyTrial) -> None:
    trial.end(trial.start(), duration="30", finish_time=str(int(trial.moment(30).timestamp())))


def _end_body(trial: CertifyTrial, of: int = 0) -> dict[str, object]:
    return {**sample("callend", trial.moment(30)), "call_id": trial.start(of=of) or f"certify-{of}"}


def _end_empty_id(trial: CertifyTrial) -> None:
    for call_id in (None, "", 0):
        trial.end(None, call_id=call_id)


def _end_long(trial: CertifyTrial) -> None:
    trial.end("x" * 32, record="https://cld.alovoice.uz/play/" + "a" * 1960, duration=86_399)


# --- plays of several events


def _call_overlapping(trial: CertifyTrial) -> None:
    """Three calls with the same numbers; the first call ends last."""
    ids = [trial.start(at=second) for second in range(3)]
    trial.distinct(ids)
    for second, call in enumerate(reversed(ids)):
        trial.end(call, at=60 + second)


def _call_same_moment(trial: CertifyTrial) -> None:
    """Eight calls of one number within one second, with the same time on the wire."""
    ids = trial.at_once([trial.start_body(inner_phone=2400 + peer) for peer in range(8)], rate=1000.0)
    trial.distinct(ids)


def _call_end_first(trial: CertifyTrial) -> None:
    trial.end(f"certify-{trial.place}-first", at=0)
    trial.start(at=-5)


def _call_end_twice(trial: CertifyTrial) -> None:
    call = trial.start()
    trial.end(call)
    trial.end(call)


def _call_end_never(trial: CertifyTrial) -> None:
    """The first call's end never comes; the same person calls again."""
    first = trial.start()
    second = trial.start(at=600)
    trial.distinct([first, second])
    trial.end(second, at=660)


def _call_end_late(trial: CertifyTrial) -> None:
    call = trial.start(at=-2 * _LATE_SECONDS)
    trial.end(call, at=trial.late(_LATE_SECONDS))


def _call_start_late(trial: CertifyTrial) -> None:
    began = trial.late(_LATE_SECONDS)
    trial.end(trial.start(at=began), at=began + _LATE_SECONDS)


def _call_burst(trial: CertifyTrial) -> None:
    trial.distinct(trial.at_once([trial.start_body(of=call) for call in range(_BURST)], rate=_RATE))


def _result_brackets(trial: CertifyTrial) -> None:
    for of, (before, behind) in enumerate((("[]", ""), ("", "[]"))):
        body = trial.result_body(of=of)
        trial.told(
            "result",
            {f"{before}{name}{behind}" if name in _BRACKETED else name: item for name, item in body.items()},
        )


def _result_list(trial: CertifyTrial) -> None:
    trial.told("result", [trial.result_body(of=of) for of in range(3)])


def _result_form(trial: CertifyTrial) -> None:
    body = trial.result_body(attempts="[]")
    trial.form("result", body)
    trial.form("result", {f"{name}[]": item for name, item in trial.result_body(of=1, attempts="[]").items()})


def _result_as_text(trial: CertifyTrial) -> None:
    body = trial.result_body()
    trial.told("result", {name: str(item) if isinstance(item, int) else item for name, item in body.items()})


def _result_twice(trial: CertifyTrial) -> None:
    trial.result()
    trial.result()


def _route_many(trial: CertifyTrial) -> None:
    jobs = [partial(trial.ask, from_number=trial.number(of)) for of in range(10)]
    list(at_rate(jobs, 100.0, sleep=trial.bench.sleep, monotonic=trial.bench.monotonic))


PLAYS: Mapping[str, Play] = {
    "start-documented": lambda trial: trial.start(),
    "start-directions": _each(_start, _values("type", ("out", "int"))),
    "start-line-number": lambda trial: trial.start(line=712037006),
    "start-text-numbers": _start_as_text,
    "start-no-json-header": _untyped("callstart", lambda trial, of: trial.start_body(of=of)),
    "start-long": lambda trial: trial.start(number="+" + "9" * 15, inner_phone=999999999999, line="7120370060" * 6),
    "start-repeated": _start_repeated,
    "start-odd-numbers": _each(_start, _values("number", _START_ODD_NUMBERS)),
    "start-utf8": lambda trial: trial.start(line="Тошкент офиси · Oʻzbekiston 😀"),
    "start-unknown-field": lambda trial: trial.start(queue="6000", tags=["vip"], extra={"a": None}),
    "start-bare": _start_without_optional,
    "start-form": lambda trial: trial.form("callstart", trial.start_body()),
    "end-documented": _each(_end, [{}]),
    "end-statuses": _each(_end, _values("status_code", _STATUSES)),
    "end-unknown-statuses": _each(_end, [{"status_code": status, "duration": 0} for status in _UNKNOWN]),
    "end-id-letters": _end_letters,
    "end-id-as-text": _end_other_type,
    "end-no-id": lambda trial: trial.end(None),
    "end-text-numbers": _end_as_text,
    "end-no-json-header": _untyped("callend", _end_body),
    "end-long": _end_long,
    "end-no-record": _each(
        _end, [{"status_code": 304, "duration": 0, "record": record} for record in ("", None, ABSENT)]
    ),
    "end-empty-id": _end_empty_id,
    "end-form": lambda trial: trial.form("callend", _end_body(trial)),
    "call-overlapping": _call_overlapping,
    "call-same-moment": _call_same_moment,
    "call-end-first": _call_end_first,
    "call-end-twice": _call_end_twice,
    "call-end-never": _call_end_never,
    "call-end-late": _call_end_late,
    "call-start-late": _call_start_late,
    "call-burst": _call_burst,
    "result-documented": lambda trial: trial.result(),
    "result-brackets": _result_brackets,
    "result-list": _result_list,
    "result-form": _result_form,
    "result-text-numbers": _result_as_text,
    "result-no-json-header": _untyped("result", lambda trial, of: trial.result_body(of=of)),
    "result-attempts": _each(_result, _values("attempts", ([_ATTEMPT], {"1": _ATTEMPT}, "1: BUSY", ""))),
    "result-not-answered": _each(
        _result, [{**_NOT_ANSWERED, "answer_time": missing, "record": missing} for missing in (None, 0, ABSENT)]
    ),
    "result-twice": _result_twice,
    "result-not-ours": _each(_result, _values("externalid", (ABSENT, "CRM-ў-17"))),
    "route-documented": lambda trial: trial.ask(),
    "route-no-queue": lambda trial: trial.ask(queue_number=ABSENT),
    "route-out": lambda trial: trial.ask(direction="out"),
    "route-text-numbers": lambda trial: trial.ask(queue_number="6000", line_number=712037006),
    "route-no-json-header": _untyped("route", lambda trial, _: trial.route_body()),
    "route-odd-numbers": _each(_ask, _values("from_number", _ROUTE_ODD_NUMBERS)),
    "route-many": _route_many,
    "route-unknown-field": lambda trial: trial.ask(call_id="17", extra={"a": None}),
}
