"""Reads the requests of `requestcall` and `outcall` as the vendor's document describes them (API, sections 4 and 7)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from alovoice_cli.sandbox.bodies import Refusal
from alovoice_cli.sandbox.scenario import Scenario

_PHONE = re.compile(r"\+?\d{3,15}", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2,3}", re.ASCII)
_LONGEST_KEY = 64
_MOST_CALLED = 100


@dataclass(frozen=True, slots=True)
class CallOrder:
    """A call to make: `first` is rung, then each of `then` in turn until one answers.

    `kind` is conference, ivr or out; `key` the caller's own id (`extid`, `call_id`), empty if none was given.
    """

    kind: str
    key: str
    first: str
    then: tuple[str, ...] = ()
    request: Mapping[str, object] = field(default_factory=dict)


def read_requestcall(fields: Mapping[str, object], scenario: Scenario) -> CallOrder:
    """Returns a conference for `callfrom` or a list to call, else a voice menu call. Raises Refusal (400)."""
    if "callto" not in fields:
        raise Refusal(400, "callto is missing")
    _read_language(fields)
    if "callfrom" in fields or isinstance(fields["callto"], list):
        return _read_conference(fields, scenario)
    return _read_ivr(fields, scenario)


def read_outcall(fields: Mapping[str, object]) -> CallOrder:
    """Returns an extension and a number; does not check that the extension exists. Raises Refusal (400)."""
    inner = _read_phone(fields.get("inner_phone"), "inner_phone", shortest=1)
    return CallOrder("out", _read_key(fields, "call_id"), inner, (_read_phone(fields.get("number"), "number"),), fields)


def _read_conference(fields: Mapping[str, object], scenario: Scenario) -> CallOrder:
    callfrom = fields.get("callfrom")
    if not isinstance(callfrom, dict):
        raise Refusal(400, "callfrom is missing, or is no object with a phone")
    first = _read_phone(callfrom.get("phone"), "callfrom.phone")
    _read_language(callfrom)
    callto = fields["callto"]
    if not isinstance(callto, list) or not 0 < len(callto) <= _MOST_CALLED:
        raise Refusal(400, f"callto must be a list of 1 to {_MOST_CALLED} phones, or a queue")
    then = tuple(_read_called(item, place, scenario) for place, item in enumerate(callto))
    return CallOrder("conference", _read_key(fields, "extid"), first, then, fields)


def _read_called(item: object, place: int, scenario: Scenario) -> str:
    if not isinstance(item, dict):
        raise Refusal(400, f"callto[{place}] is no object with a phone or a queue")
    _read_language(item)
    if "queue" not in item:
        return _read_phone(item.get("phone"), f"callto[{place}].phone")
    return f"queue {_read_known(item['queue'], f'callto[{place}].queue', scenario.queues, 'department')}"


def _read_ivr(fields: Mapping[str, object], scenario: Scenario) -> CallOrder:
    number = _read_phone(fields["callto"], "callto")
    if "ivrid" not in fields:
        raise Refusal(400, "ivrid is missing (or callfrom, for a conference)")
    _read_known(fields["ivrid"], "ivrid", scenario.ivrs, "voice menu")
    if "fromline" in fields:
        _read_known(fields["fromline"], "fromline", scenario.trunks, "line")
    return CallOrder("ivr", _read_key(fields, "extid"), number, (), fields)


def _read_phone(value: object, name: str, *, shortest: int = 3) -> str:
    """Returns a phone from text or number; the document says XXXXXXXX or +XXXXXXXXXXXXX, its samples differ (A)."""
    if value is None:
        raise Refusal(400, f"{name} is missing")
    text = _plain(value, name)
    if _PHONE.fullmatch(text) or (text.isascii() and text.isdigit() and shortest <= len(text) < 16):
        return text
    raise Refusal(400, f"{name} is no phone number")


def _read_known(value: object, name: str, known: Mapping[str, str], what: str) -> str:
    text = _plain(value, name)
    if text not in known:
        raise Refusal(400, f"{name}: {text[:40]!r} is not a {what} of this PBX")
    return text


def _read_key(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    text = "" if value is None else _plain(value, name)
    if len(text) > _LONGEST_KEY or not text.isprintable():
        raise Refusal(400, f"{name} is longer than {_LONGEST_KEY} characters, or holds control characters")
    return text


def _read_language(fields: Mapping[str, object]) -> None:
    language = fields.get("lang")
    if language is not None and not (isinstance(language, str) and _LANGUAGE.fullmatch(language)):
        raise Refusal(400, "lang must be a language such as ru or uz")


def _plain(value: object, name: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Refusal(400, f"{name} must be text or a number")
    return str(value)
