"""What we answer the PBX: ids of calls, `true`, and what a CRM may say in our place (API, section 6)."""

import json
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
# An id is no secret, so the system's source of randomness (50 µs a call beside a busy thread) only seeds this one.
_random = random.Random(random.SystemRandom().getrandbits(256))  # noqa: S311 - as said
_INTEGER = re.compile(r"[0-9]{1,12}")
_LONGEST_ID = 32
_CALLTO = re.compile(r"\+?[0-9][0-9 ()\-]{1,30}")

TRUE = b"true"


def new_id(unix_ms: int) -> str:
    """An id of 26 letters and digits that sorts by its time: what a callstart is answered with (at most 32 fit)."""
    return _time_part(unix_ms) + "".join([_PAIRS[_random.getrandbits(10)] for _ in range(8)])


@lru_cache(16)
def _time_part(unix_ms: int) -> str:
    return "".join([_PAIRS[(unix_ms >> shift) & 1023] for shift in range(40, -1, -10)])


@dataclass(frozen=True, slots=True)
class StartAnswer:
    """The answer to a callstart: an id in plain text, or `callto` to redirect the call."""

    call_id: str
    callto: str | None = None

    def as_bytes(self) -> bytes:
        """What goes out."""
        return json.dumps({"callto": self.callto}).encode() if self.callto is not None else self.call_id.encode()

    def as_values(self) -> Mapping[str, object]:
        """What is kept with the event."""
        return {"id": self.call_id} if self.callto is None else {"callto": self.callto}


def kept_answer(values: object, own_id: str) -> StartAnswer:
    """What a callstart was answered, from what was kept of it; our own id where nothing readable was."""
    kept = values if isinstance(values, dict) else {}
    if isinstance(kept.get("callto"), str):
        return StartAnswer(own_id, kept["callto"])
    return StartAnswer(kept["id"] if isinstance(kept.get("id"), str) else own_id)


def read_crm_answer(status: int, body: bytes, own_id: str) -> StartAnswer | None:
    """A CRM's answer to a callstart where it is one that the PBX takes, else None: ours goes out then.

    An integer of at most 12 digits or a text of at most 32 characters (plain, or as a JSON value), or an object with
    `callto` alone. A redirected call keeps our id, for the CRM gave none.
    """
    if not 200 <= status < 300:
        return None
    try:
        text = body.decode("utf-8").strip()
        value = _value(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, dict):
        callto = value.get("callto")
        if isinstance(callto, (str, int)) and not isinstance(callto, bool) and _CALLTO.fullmatch(str(callto).strip()):
            return StartAnswer(own_id, str(callto).strip())
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return StartAnswer(str(value)) if _INTEGER.fullmatch(str(value)) else None
    if isinstance(value, str) and _is_id(value.strip()):
        return StartAnswer(value.strip())
    return None


def _value(text: str) -> object:
    if text.startswith(("{", '"', "[")):
        return json.loads(text)
    return int(text) if _INTEGER.fullmatch(text) and str(int(text)) == text else text


def _is_id(text: str) -> bool:
    """Twelve digits at most where it is all digits, else 32 characters; no web page, no word of yes or no."""
    if text.isdigit():
        return text.isascii() and len(text) <= 12
    words = ("true", "false", "null", "ok", "none")
    return 0 < len(text) <= _LONGEST_ID and text.isprintable() and "<" not in text and text.lower() not in words
