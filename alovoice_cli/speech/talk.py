"""An analysis as our own values: who said what and when, and the tags (document, section 8).

Reading never fails: a missing value is None, a value of a strange type is None or text, and the server's answer is the
record.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from alovoice_cli.speech.folding import fold

OPERATOR, CLIENT = "operator", "client"
_SIDES = {
    **dict.fromkeys(("operator", "agent", "manager", "menedjer", "employee", "sotrudnik", "xodim"), OPERATOR),
    **dict.fromkeys(("client", "klient", "customer", "mijoz", "abonent", "xaridor"), CLIENT),
}
_NUMBERED = re.compile(r"(.*\S) ?\d+")
_PEER_FIELDS = ("inner_phone", "peer", "operator", "extension")


@dataclass(frozen=True, slots=True)
class Tag:
    """A rule that held for the call; a matched phrase gives it a place. Times in milliseconds."""

    name: str
    value: str = ""
    begin_ms: float | None = None
    end_ms: float | None = None
    match_text: str = ""
    fragment_id: str | None = None


@dataclass(frozen=True, slots=True)
class Fragment:
    """One side's phrase. Times are in milliseconds from the start of the call; either may be unknown."""

    direction: str
    text: str
    begin_ms: float | None = None
    end_ms: float | None = None
    tags: tuple[Tag, ...] = ()


@dataclass(frozen=True, slots=True)
class Talk:
    """One analysed call. `begun_at` is in unix seconds; `peer` is the operator's extension, if known."""

    call_id: str
    fragments: tuple[Fragment, ...]
    tags: tuple[Tag, ...] = ()
    begun_at: int | None = None
    peer: str | None = None

    @property
    def unknown_sides(self) -> tuple[str, ...]:
        """Returns the speakers that are neither operator nor client, each once: checks by speaker ignore them."""
        return tuple(
            dict.fromkeys(part.direction for part in self.fragments if part.direction not in (OPERATOR, CLIENT))
        )

    @property
    def tag_names(self) -> tuple[str, ...]:
        """Returns the names of the tags, each once, in the server's order."""
        return tuple(dict.fromkeys(tag.name for tag in self.tags))


@dataclass(frozen=True, slots=True)
class ScoreOverride:
    """A score of a call that somebody set by hand: 0 to 100, why, the user's name, unix seconds."""

    points: float
    note: str
    by: str
    at: int

    def as_json(self) -> dict[str, object]:
        return {"score": self.points, "note": self.note, "by": self.by, "at": self.at}


def read_talk(call_id: str, answer: Mapping[str, object], *, peer: str | None = None) -> Talk | None:
    """Returns the talk of an answer of callgetaireresult, ordered by beginning; None without `stalk`."""
    inner = inner_answer(answer)
    stalk = inner.get("stalk")
    if not isinstance(stalk, list):
        return None
    tags = [_tag(tag) for tag in dicts(inner.get("tags"))]
    named = tuple(tag for tag in tags if tag.name)
    fragments = sorted((_fragment(part, named) for part in dicts(stalk)), key=lambda part: part.begin_ms or 0)
    return Talk(call_id, tuple(fragments), named, _seconds(inner.get("begin_time")), peer or told_peer(inner))


def inner_answer(answer: Mapping[str, object]) -> Mapping[str, object]:
    """Returns the value of `answer`, or the object itself where the server leaves that level out."""
    inner = answer.get("answer")
    return inner if isinstance(inner, dict) else answer


def dicts(value: object) -> Sequence[Mapping[str, object]]:
    """Returns the objects of a list; an empty list for other values."""
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def told_peer(inner: Mapping[str, object]) -> str | None:
    """Returns the extension, if the answer has one; the document does not show it."""
    for name in _PEER_FIELDS:
        value = inner.get(name)
        if isinstance(value, (str, int)) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip()
    return None


def spans(fragments: Iterable[Fragment], direction: str) -> Iterator[tuple[float, float]]:
    """Returns this side's begin and end times in milliseconds, without empty spans."""
    for part in fragments:
        if part.direction == direction and part.begin_ms is not None and part.end_ms is not None:
            begin = max(part.begin_ms, 0)
            if part.end_ms > begin:
                yield begin, part.end_ms


def marks(fragment: Fragment) -> list[tuple[int, int]]:
    """Returns the places of the tags' phrases in the text, from and to; in order, without overlap."""
    text, found = fragment.text.lower(), set()
    for tag in fragment.tags:
        phrase = tag.match_text.strip().lower()
        # Lower case may be longer than the original text; then the places would be wrong.
        at = text.find(phrase) if phrase and len(text) == len(fragment.text) else -1
        if at >= 0:
            found.add((at, at + len(phrase)))
    kept: list[tuple[int, int]] = []
    for begin, end in sorted(found, key=lambda span: (span[0], -span[1])):
        if not kept or begin >= kept[-1][1]:
            kept.append((begin, end))
    return kept


def clock(milliseconds: float | None) -> str:
    """Returns `0:04`, `12:30`; '' for an unknown time."""
    if milliseconds is None:
        return ""
    sign = "-" if milliseconds < 0 else ""
    minutes, seconds = divmod(int(abs(milliseconds)) // 1000, 60)
    return f"{sign}{minutes}:{seconds:02}"


def number(value: object) -> float | None:
    """Returns a finite number, also from text (the server sends numbers as text elsewhere)."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return value if math.isfinite(value) else None
    except OverflowError:  # an integer too large for a float
        return None


def _fragment(part: Mapping[str, object], tags: Sequence[Tag]) -> Fragment:
    begin, end = number(part.get("begin")), number(part.get("end"))
    own_id = _id(part.get("fragment_id"))
    own = tuple(tag for tag in tags if _belongs(tag, own_id, begin, end))
    return Fragment(_side(_text(part.get("direction"))), _text(part.get("text")), begin, end, own)


def _side(direction: str) -> str:
    """Returns `operator` or `client` for their known spellings (Operator, CLIENT, agent, Mijoz 2), or the text."""
    folded = fold(direction)
    numbered = _NUMBERED.fullmatch(folded)
    return _SIDES.get(numbered[1] if numbered else folded, direction)


def _belongs(tag: Tag, own_id: str | None, begin: float | None, end: float | None) -> bool:
    if tag.fragment_id is not None or own_id is None:
        if tag.fragment_id is not None and own_id is not None:
            return tag.fragment_id == own_id
        return tag.begin_ms is not None and (tag.begin_ms, tag.end_ms) == (begin, end)
    return False


def _tag(tag: Mapping[str, object]) -> Tag:
    return Tag(
        _text(tag.get("name")),
        _text(tag.get("value")),
        number(tag.get("begin")),
        number(tag.get("end")),
        _text(tag.get("match_text")),
        _id(tag.get("fragment_id")),
    )


def _id(value: object) -> str | None:
    return None if value is None or value == "" else str(value)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _seconds(value: object) -> int | None:
    seconds = number(value)
    return None if seconds is None or abs(seconds) > 253_402_300_799 else int(seconds)  # the year 9999


def read_transcript(answer: Mapping[str, object]) -> list[dict[str, object]] | None:
    """Returns the fragments of `answer.stalk` by beginning, each with `time` (`0:04`) and its `tags` added.

    Returns None without `stalk`: then the analysis is not finished (our assumption; not documented).
    """
    inner = inner_answer(answer)
    stalk = inner.get("stalk")
    if not isinstance(stalk, list):
        return None
    tags = _by_fragment(dicts(inner.get("tags")))
    fragments = [dict(part) for part in dicts(stalk)]
    for fragment in fragments:
        fragment["time"] = clock(number(fragment.get("begin")))
        fragment["tags"] = _names(tags.get(str(fragment.get("fragment_id")), ()))
    return sorted(fragments, key=lambda fragment: number(fragment.get("begin")) or 0)


def recording_path(answer: Mapping[str, object]) -> str | None:
    """Returns the server's path of the stereo recording (`stereoaudio`, such as `/stereo/CALL_ID`), or None."""
    path = inner_answer(answer).get("stereoaudio")
    return path if isinstance(path, str) and path else None


def _by_fragment(tags: Iterable[Mapping[str, object]]) -> dict[str, list[Mapping[str, object]]]:
    found: dict[str, list[Mapping[str, object]]] = {}
    for tag in tags:
        if tag.get("fragment_id") is not None:
            found.setdefault(str(tag["fragment_id"]), []).append(tag)
    return found


def _names(tags: Iterable[Mapping[str, object]]) -> list[str]:
    return list(dict.fromkeys(str(tag["name"]) for tag in tags if tag.get("name")))


@dataclass(frozen=True, slots=True)
class Wanted:
    """The wanted analyses: `since` and `until` are unix seconds of a call's beginning; tags in any spelling."""

    since: int | None = None
    until: int | None = None
    tags: tuple[str, ...] = ()
    without_tags: tuple[str, ...] = ()
    peer: str | None = None
    call_ids: tuple[str, ...] = ()


EVERYTHING = Wanted()
