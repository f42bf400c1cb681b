"""The listener's answers to the PBX: ids of calls, `true`, and answers that a CRM gives (API, section 6)."""

import json
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from alovoice_cli.events.bodies import read_json
from alovoice_cli.events.body_text import body_text
from alovoice_cli.language import mark, tr

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
# An id is no secret: the system's randomness takes 50 µs a call beside a busy thread, so it only seeds this generator.
_random = random.Random(random.SystemRandom().getrandbits(256))  # noqa: S311 - as said
_INTEGER = re.compile(r"[0-9]{1,12}")
_LONGEST_ID = 32
_CALLTO = re.compile(r"\+?[0-9][0-9 ()\-]{1,30}")

TRUE = b"true"


def new_id(unix_ms: int) -> str:
    """Returns an id for a callstart's answer: 26 letters and digits that sort by time; at most 32 would fit."""
    return _time_part(unix_ms) + "".join([_PAIRS[_random.getrandbits(10)] for _ in range(8)])


def derived_id(unix_ms: int, content: bytes) -> str:
    """Returns an id with the form of `new_id` that depends on time and content alone."""
    number = int.from_bytes(sha256(content).digest()[:10], "big")
    return _time_part(unix_ms) + "".join([_PAIRS[(number >> shift) & 1023] for shift in range(70, -1, -10)])


@lru_cache(16)
def _time_part(unix_ms: int) -> str:
    return "".join([_PAIRS[(unix_ms >> shift) & 1023] for shift in range(40, -1, -10)])


@dataclass(frozen=True, slots=True)
class StartAnswer:
    """The answer to a callstart: an id in plain text, or `callto` to redirect the call."""

    call_id: str
    callto: str | None = None

    def as_bytes(self) -> bytes:
        """Returns the body of the answer."""
        return json.dumps({"callto": self.callto}).encode() if self.callto is not None else self.call_id.encode()

    def as_values(self) -> Mapping[str, object]:
        """Returns the values that are stored with the event."""
        return {"id": self.call_id} if self.callto is None else {"callto": self.callto}


def kept_answer(values: object, own_id: str) -> StartAnswer:
    """Returns the answer to a callstart from its stored values, or `own_id` where no stored value can be read."""
    kept = values if isinstance(values, dict) else {}
    if isinstance(kept.get("callto"), str):
        return StartAnswer(own_id, kept["callto"])
    return StartAnswer(kept["id"] if isinstance(kept.get("id"), str) else own_id)


@dataclass(frozen=True, slots=True)
class CrmAnswer:
    """How a CRM reacted when it was asked for the answer to a callstart.

    `start` is an answer that the PBX takes; None: the listener answers with its own id. `is_settled`: the CRM answered
    2xx, so it knows of the callstart; `reason` says why its answer cannot be used. `is_late`: the PBX could not wait
    any longer, and the CRM may still answer.
    """

    start: StartAnswer | None = None
    is_settled: bool = False
    reason: str = ""
    is_late: bool = False


EXPECTED_ANSWER = mark(
    "the id of the call in plain text (at most 12 digits, or 32 characters), or a redirect:"
    ' {"callto": "99 123 45 67"} (API, section 6)'
)
NO_ANSWER = CrmAnswer()
"""The CRM was not reached, or refused: the event is forwarded to it again."""
LATE_ANSWER = CrmAnswer(is_late=True)


def read_crm_answer(status: int, body: bytes, own_id: str) -> CrmAnswer:
    """Returns what a CRM's answer to a callstart means.

    An answer can be used if it is an integer of at most 12 digits, a text of at most 32 characters (plain, or as a JSON
    value), or an object with `callto`, also in the vendor's own notation: `{callto: "99 123 45 67"}`. A redirected call
    keeps our id, because the CRM gave none.
    """
    if not 200 <= status < 300:
        return NO_ANSWER
    text, _, problem = body_text(body)
    if text is None:
        return CrmAnswer(
            is_settled=True, reason=tr("{status} and an unreadable body: {problem}", status=status, problem=problem)
        )
    answer = _start_answer(text.strip(), own_id)
    if isinstance(answer, StartAnswer):
        return CrmAnswer(answer, is_settled=True)
    return CrmAnswer(is_settled=True, reason=tr("{status} and {answer}", status=status, answer=answer))


def _start_answer(text: str, own_id: str) -> StartAnswer | str:
    """Returns the answer that a text gives; for any other text returns words that describe it."""
    value = _value(text)
    if isinstance(value, dict):
        callto = value.get("callto")
        if isinstance(callto, (str, int)) and not isinstance(callto, bool) and _CALLTO.fullmatch(str(callto).strip()):
            return StartAnswer(own_id, str(callto).strip())
        return tr("an object without `callto`") if callto is None else tr("a `callto` that is not a phone number")
    if isinstance(value, int) and not isinstance(value, bool):
        return StartAnswer(str(value)) if _INTEGER.fullmatch(str(value)) else tr("a number of more than 12 digits")
    if isinstance(value, str):
        trouble = _id_trouble(value.strip())
        return trouble or StartAnswer(value.strip())
    return tr("JSON that is neither an id nor an object")


def _value(text: str) -> object:
    if text.startswith(("{", '"', "[", "'")):
        read = read_json(text)
        return text if read.problem else read.value
    return int(text) if _INTEGER.fullmatch(text) and str(int(text)) == text else text


def _id_trouble(text: str) -> str:
    """Returns in words why a text is not a valid id of a call; "" for a valid id.

    An id of digits alone has at most 12 digits, any other id at most 32 characters. A web page, and words for yes and
    no, are no ids.
    """
    if not text:
        return tr("no body")
    if text.startswith(("{", "[")):
        return tr("text that is neither JSON nor an id")
    if "<" in text:
        return tr("a web page")
    if text.lower() in ("true", "false", "null", "ok", "none"):
        return tr("the word {word}, which is not a valid id", word=text.lower())
    if text.isdigit():
        return "" if text.isascii() and len(text) <= 12 else tr("a number of more than 12 digits")
    if len(text) > _LONGEST_ID:
        return tr("a text of more than {number} characters", number=_LONGEST_ID)
    return "" if text.isprintable() else tr("a text of several lines")
