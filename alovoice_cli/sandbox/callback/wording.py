"""The bodies that the simulated PBX sends, as the vendor's document has them (sections 5, 6 and 9).

The document leaves the types of many fields open, and its samples send JSON without its content type. So do we, by
lot: numbers come as numbers or as text, and the content type is JSON's, another one, or missing. The same call says the
same bytes in every run.
"""

import json
from collections.abc import Mapping

from alovoice_cli.campaigns.dialer_simulation import lot
from alovoice_cli.stores.pbx_traffic import Course

RECORD_BASE = "http://sandbox.localhost/stereo"
"""Where recordings are said to lie: at the embedded PBX whatever port this one has, so that days can be compared."""

_CONTENT_TYPES = (
    *("application/json",) * 9,
    *(None,) * 5,
    *("application/x-www-form-urlencoded",) * 4,  # what curl --data makes of the document's samples
    *("text/plain;charset=UTF-8",) * 2,
)
_TEXT_IN_100 = 20
_LIST_IN_100, _BRACKETS_IN_100 = 10, 5
_BRACKETED = ("id", "from_number", "to_number", "trunk_number", "begin_time")


class Wording:
    """How one message of one call is written: every choice is drawn by the seed, the call and the type."""

    def __init__(self, seed: int, kind: str, call: int) -> None:
        self._seed, self._kind, self._call = seed, kind, call

    @property
    def content_type(self) -> str | None:
        """The Content-Type header, or None where there is none."""
        return _CONTENT_TYPES[self.draw("content type") % len(_CONTENT_TYPES)]

    def draw(self, what: str) -> int:
        """A number of 64 bits for this choice."""
        return lot(self._seed, "wording", self._kind, self._call, what)

    def number(self, name: str, value: int | str, *, text_in_100: int = _TEXT_IN_100) -> int | str:
        """The value of this field as a number or as text; what is no plain number stays text."""
        text = str(value)
        is_plain = text.isascii() and text.isdigit() and len(text) <= 15 and str(int(text)) == text
        return int(text) if is_plain and self.draw(name) % 100 >= text_in_100 else text

    def callstart(self, course: Course) -> bytes:
        """The start of a call."""
        return _dump(
            {
                "inner_phone": self.number("inner_phone", course.inner_phone),
                "number": course.number,
                "line": self.number("line", course.line, text_in_100=50),
                "type": course.type,
                "start_time": self.number("start_time", course.started_at),
            }
        )

    def callend(self, call_id: str | None, finished_at: int, duration: int, status_code: str, record: str) -> bytes:
        """The end of a call: without `call_id` where the handler gave none; a call without recording says so or not."""
        fields: dict[str, object] = {} if call_id is None else {"call_id": self.number("call_id", call_id)}
        fields |= {
            "finish_time": self.number("finish_time", finished_at),
            "duration": self.number("duration", duration),
            "status_code": self.number("status_code", status_code, text_in_100=40),
        }
        if record or self.draw("record") % 2:
            fields["record"] = record
        return _dump(fields)

    def result(self, fields: Mapping[str, object], attempts: list[dict[str, object]]) -> bytes:
        """A call's result: one object, a list of one, or with the document's `[]` before its first five names."""
        written = {
            name: self.number(name, value) if isinstance(value, int) else value for name, value in fields.items()
        }
        written["attempts"] = self._attempts(attempts)
        shape = self.draw("shape") % 100
        if shape < _LIST_IN_100:
            return _dump([written])
        if shape < _LIST_IN_100 + _BRACKETS_IN_100:
            written = {f"[]{name}" if name in _BRACKETED else name: value for name, value in written.items()}
        return _dump(written)

    def route(self, number: str, line: str, queue: str, direction: str) -> bytes:
        """The question of where a call goes next."""
        fields: dict[str, object] = {"from_number": number, "line_number": line}
        if queue:
            fields["queue_number"] = self.number("queue_number", queue)
        return _dump({**fields, "direction": direction})

    def _attempts(self, attempts: list[dict[str, object]]) -> object:
        """`attempts` is an array, an object or a string, says the document."""
        shape = self.draw("attempts") % 10
        if shape < 6:
            return attempts
        numbered = {str(place): attempt for place, attempt in enumerate(attempts, 1)}
        return numbered if shape < 8 else json.dumps(attempts, ensure_ascii=False)


def _dump(value: object) -> bytes:
    """As JavaScript writes it: no spaces, letters as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
