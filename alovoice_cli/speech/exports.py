"""A talk as text and as Markdown, for files, mails and tickets. Nothing in it can drive what reads it."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo

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
