"""A talk as text, Markdown and subtitles, for files, mails and players. Nothing in it can drive what reads it."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from alovoice_cli.masking import disarm
from alovoice_cli.speech.measures import Measures, measure
from alovoice_cli.speech.talk import Fragment, Tag, Talk, clock

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~])")
_STARTS_A_LIST = re.compile(r"^(\d+)([.)])|^([-+=])")


def as_text(talk: Talk, zone: tzinfo) -> str:
    """Plain lines: a heading, `[0:04] operator: text`, the tags of a phrase behind it, all tags below."""
    lines = [title(talk, zone), ""]
    for part in talk.fragments:
        at = clock(part.begin_ms) or "?"
        tags = "".join(f"  #{_line(name)}" for name in names(part.tags))
        lines.append(f"[{at}] {_line(part.direction) or '?'}: {_line(part.text)}{tags}")
    if talk.tags:
        lines += ["", "Tags:", *(f"  {_line(line)}" for line in tag_lines(talk))]
    return "\n".join(lines) + "\n"


def as_markdown(talk: Talk, zone: tzinfo) -> str:
    """A section: the dialogue as paragraphs, the tags as a list."""
    lines = [f"## {_escaped(title(talk, zone))}", ""]
    for part in talk.fragments:
        tags = "".join(f" *#{_escaped(name)}*" for name in names(part.tags))
        who = f"{clock(part.begin_ms)} {part.direction}".strip() or "?"
        lines += [f"**{_escaped(who)}**: {_escaped(part.text)}{tags}", ""]
    if talk.tags:
        lines += ["### Tags", "", *(f"- {_escaped(line)}" for line in tag_lines(talk)), ""]
    return "\n".join(lines)


def title(talk: Talk, zone: tzinfo) -> str:
    """What the call is: its id, when it began, its length, the operator's share of the talk."""
    parts = [f"Call {disarm(talk.call_id)}"]
    if begun := began(talk.begun_at, zone):
        parts.append(begun)
    if talk.peer:
        parts.append(f"extension {disarm(talk.peer)}")
    return ", ".join([*parts, *figures(measure(talk))])


def began(begun_at: int | None, zone: tzinfo) -> str:
    """When a call began, to the minute, in the zone; nothing where it is not told or beyond the calendar."""
    if begun_at is None:
        return ""
    try:
        moment = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=begun_at)).astimezone(zone)
    except (OverflowError, ValueError):
        return ""
    return f"{moment:%Y-%m-%d %H:%M}"


def figures(measures: Measures) -> list[str]:
    """The length and the operator's share, as words; nothing of a call in which nobody spoke."""
    if measures.talk_ratio is None:
        return []
    return [clock(measures.length_ms), f"operator {measures.talk_ratio:.0%}"]


def tag_lines(talk: Talk) -> list[str]:
    """Each tag once, with the times where it matched: `Прощание 3:53, 3:57`."""
    places: dict[str, list[str]] = {}
    for tag in talk.tags:
        times = places.setdefault(tag.name, [])
        at = clock(tag.begin_ms)
        if at and at not in times:
            times.append(at)
    return [f"{name} {', '.join(times)}".strip() for name, times in places.items()]


def names(tags: Iterable[Tag]) -> list[str]:
    """The names of tags, each once."""
    return list(dict.fromkeys(tag.name for tag in tags))


def rows(talk: Talk) -> list[dict[str, object]]:
    """The talk as rows of a table: one a phrase, times in whole milliseconds."""
    return [
        {
            "call_id": talk.call_id,
            "time": clock(part.begin_ms),
            "begin_ms": _whole(part.begin_ms),
            "end_ms": _whole(part.end_ms),
            "direction": part.direction,
            "text": part.text,
            "tags": ", ".join(names(part.tags)),
        }
        for part in talk.fragments
    ]


def side_of(part: Fragment) -> str:
    """Where a phrase stands in a dialogue: `left` for the operator, `right` for the client."""
    return {"operator": "left", "client": "right"}.get(part.direction, "none")


def _whole(milliseconds: float | None) -> int | None:
    return None if milliseconds is None else round(milliseconds)


def _line(text: str) -> str:
    return disarm(" ".join(text.split()))


def _escaped(text: str) -> str:
    escaped = _MARKDOWN.sub(r"\\\1", _line(text))
    return _STARTS_A_LIST.sub(lambda m: f"\\{m.group(3)}" if m.group(3) else f"{m.group(1)}\\{m.group(2)}", escaped)


_READING_MS_A_LETTER = 60  # for a phrase that the server gives no end: about 17 letters a second
_SHORTEST_MS = 1000
_LONGEST_MS = 359_999_999  # 99:59:59,999: two digits of hours is what every player reads
_NO_MARKUP = str.maketrans({"<": "‹", ">": "›", "{": "(", "}": ")"})  # SubRip cannot escape them; nor an arrow
_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class Cue(NamedTuple):
    """A subtitle: milliseconds from the start, begin before end; who speaks; one line of text."""

    begin_ms: int
    end_ms: int
    speaker: str
    text: str


def cues(talk: Talk) -> Iterator[Cue]:
    """The talk's cues in order. What has no begin follows what came before; what has no end stays to be read."""
    last_end = 0
    for part in talk.fragments:
        text = " ".join(disarm(part.text, one_line=False).split())
        if not text:
            continue
        begin, end = _times(part, last_end, len(text))
        last_end = end
        yield Cue(begin, end, " ".join(disarm(part.direction).split()) or "unknown", text)


def as_srt(talk: Talk) -> str:
    """SubRip: numbered cues, `operator: text`."""
    blocks = [
        f"{place}\n{_time(cue.begin_ms, ',')} --> {_time(cue.end_ms, ',')}\n"
        f"{f'{cue.speaker}: {cue.text}'.translate(_NO_MARKUP)}\n"
        for place, cue in enumerate(cues(talk), start=1)
    ]
    return "\n".join(blocks)


def as_vtt(talk: Talk) -> str:
    """WebVTT: the speaker as a voice span, which players show or style."""
    blocks = ["WEBVTT\n"]
    for cue in cues(talk):
        times = f"{_time(cue.begin_ms, '.')} --> {_time(cue.end_ms, '.')}"
        blocks.append(f"{times}\n<v {cue.speaker.translate(_ESCAPED)}>{cue.text.translate(_ESCAPED)}</v>\n")
    return "\n".join(blocks)


def _times(part: Fragment, last_end: int, letters: int) -> tuple[int, int]:
    begin = last_end if part.begin_ms is None else round(part.begin_ms)
    begin = min(max(begin, 0), _LONGEST_MS - 1)
    end = begin if part.end_ms is None else min(round(part.end_ms), _LONGEST_MS)
    if end <= begin:
        end = min(begin + max(_SHORTEST_MS, letters * _READING_MS_A_LETTER), _LONGEST_MS)
    return begin, end


def _time(milliseconds: int, mark: str) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{mark}{rest:03}"
