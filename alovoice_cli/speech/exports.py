"""Talks as text, Markdown, subtitles and HTML pages, for files, mails and players, without active content.

`html_page` makes the pages, and escapes all outside text.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Literal, NamedTuple

from alovoice_cli.html_page import page, safe
from alovoice_cli.language import joined, ngettext, tr
from alovoice_cli.masking import disarm
from alovoice_cli.moments import minute_text
from alovoice_cli.speech.measures import Measures, measure
from alovoice_cli.speech.number_masking import mask_answer
from alovoice_cli.speech.talk import Fragment, Tag, Talk, clock, marks, read_talk, read_transcript

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~])")
_STARTS_A_LIST = re.compile(r"^(\d+)([.)])|^([-+=])")


def as_text(talk: Talk, zone: tzinfo) -> str:
    """Yields plain lines: a heading, `[0:04] operator: text` with the phrase's tags, all tags at the end."""
    lines = [title(talk, zone), ""]
    for part in talk.fragments:
        at = clock(part.begin_ms) or "?"
        tags = "".join(f"  #{_line(name)}" for name in names(part.tags))
        lines.append(f"[{at}] {_line(part.direction) or '?'}: {_line(part.text)}{tags}")
    if talk.tags:
        lines += ["", tr("Tags:"), *(f"  {_line(line)}" for line in tag_lines(talk))]
    return "\n".join(lines) + "\n"


def as_markdown(talk: Talk, zone: tzinfo) -> str:
    """Returns a section: the dialogue as paragraphs, the tags as a list."""
    lines = [f"## {_escaped(title(talk, zone))}", ""]
    for part in talk.fragments:
        tags = "".join(f" *#{_escaped(name)}*" for name in names(part.tags))
        who = f"{clock(part.begin_ms)} {part.direction}".strip() or "?"
        lines += [f"**{_escaped(who)}**: {_escaped(part.text)}{tags}", ""]
    if talk.tags:
        lines += [f"### {tr('Tags')}", "", *(f"- {_escaped(line)}" for line in tag_lines(talk)), ""]
    return "\n".join(lines)


def title(talk: Talk, zone: tzinfo) -> str:
    """Returns the call's description: its id, its beginning, its length, the operator's share of the talk."""
    parts = [tr("Call {call}", call=disarm(talk.call_id))]
    if begun := minute_text(talk.begun_at, zone):
        parts.append(begun)
    if talk.peer:
        parts.append(tr("extension {peer}", peer=disarm(talk.peer)))
    return joined(", ", [*parts, *figures(measure(talk))])


def figures(measures: Measures) -> list[str]:
    """Returns the length and the operator's share, in words; '' for a call in which nobody spoke."""
    if measures.talk_ratio is None:
        return []
    return [clock(measures.length_ms), tr("operator {share}", share=f"{measures.talk_ratio:.0%}")]


def tag_lines(talk: Talk) -> list[str]:
    """Returns each tag once, with its times: `Прощание 3:53, 3:57`."""
    places: dict[str, list[str]] = {}
    for tag in talk.tags:
        times = places.setdefault(tag.name, [])
        at = clock(tag.begin_ms)
        if at and at not in times:
            times.append(at)
    return [f"{name} {', '.join(times)}".strip() for name, times in places.items()]


def names(tags: Iterable[Tag]) -> list[str]:
    """Returns the names of tags, each once."""
    return list(dict.fromkeys(tag.name for tag in tags))


def side_of(part: Fragment) -> str:
    """Returns the side of a phrase in a dialogue: `left` for the operator, `right` for the client."""
    return {"operator": "left", "client": "right"}.get(part.direction, "none")


def _line(text: str) -> str:
    return disarm(" ".join(text.split()))


def _escaped(text: str) -> str:
    escaped = _MARKDOWN.sub(r"\\\1", _line(text))
    return _STARTS_A_LIST.sub(lambda m: f"\\{m.group(3)}" if m.group(3) else f"{m.group(1)}\\{m.group(2)}", escaped)


_READING_MS_A_LETTER = 60  # for a phrase without an end: about 17 letters a second
_SHORTEST_MS = 1000
_LONGEST_MS = 359_999_999  # 99:59:59,999: two digits of hours is what every player reads
_NO_MARKUP = str.maketrans({"<": "‹", ">": "›", "{": "(", "}": ")"})  # SubRip cannot escape them; nor an arrow
_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class Cue(NamedTuple):
    """A subtitle: milliseconds from the start, begin before end; the speaker; one line of text."""

    begin_ms: int
    end_ms: int
    speaker: str
    text: str


def cues(talk: Talk) -> Iterator[Cue]:
    """Returns the talk's cues in order. A missing begin is the end before; a missing end leaves time to read."""
    last_end = 0
    for part in talk.fragments:
        text = " ".join(disarm(part.text, one_line=False).split())
        if not text:
            continue
        begin, end = _times(part, last_end, len(text))
        last_end = end
        yield Cue(begin, end, " ".join(disarm(part.direction).split()) or "unknown", text)


def as_srt(talk: Talk) -> str:
    """Returns SubRip: numbered cues, `operator: text`."""
    blocks = [
        f"{place}\n{_time(cue.begin_ms, ',')} --> {_time(cue.end_ms, ',')}\n"
        f"{f'{cue.speaker}: {cue.text}'.translate(_NO_MARKUP)}\n"
        for place, cue in enumerate(cues(talk), start=1)
    ]
    return "\n".join(blocks)


def as_vtt(talk: Talk) -> str:
    """Returns WebVTT: the speaker is a voice span, which players show or style."""
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


def talk_section(talk: Talk, zone: tzinfo, *, level: int = 2) -> str:
    """Returns a talk as a section: its title, the dialogue, its tags."""
    said = "\n".join(map(_said, talk.fragments)) or f'<p class="nothing">{safe(tr("Nothing was said."))}</p>'
    tags = "".join(f"<li>{safe(line)}</li>" for line in tag_lines(talk))
    below = f'<ul class="tags" aria-label="{safe(tr("Tags"))}">{tags}</ul>\n' if tags else ""
    head = f"<h{level}>{safe(title(talk, zone))}</h{level}>"
    return f'<section class="talk">\n{head}\n<div class="dialogue">\n{said}\n</div>\n{below}</section>'


def _said(part: Fragment) -> str:
    tags = "".join(f' <span class="tag">{safe(name)}</span>' for name in names(part.tags))
    time = f"<time>{safe(clock(part.begin_ms))}</time> " if part.begin_ms is not None else ""
    who = safe(part.direction) or "?"
    return f'<div class="said {side_of(part)}"><p class="who">{time}{who}{tags}</p><p>{_marked(part)}</p></div>'


def _marked(part: Fragment) -> str:
    text, at = "", 0
    for begin, end in marks(part):
        text += safe(part.text[at:begin]) + f"<mark>{safe(part.text[begin:end])}</mark>"
        at = end
    return text + safe(part.text[at:])


Form = Literal["text", "json", "md", "srt", "vtt", "csv", "html"]
_FORMS: Mapping[str, Form] = {
    "txt": "text",
    "json": "json",
    "md": "md",
    "srt": "srt",
    "vtt": "vtt",
    "csv": "csv",
    "html": "html",
    "htm": "html",
}


@dataclass(frozen=True, slots=True)
class FoundTalk:
    """A call with its analysis: the server's answer, and the operator's extension if known."""

    call_id: str
    answer: Mapping[str, object]
    peer: str | None = None

    @property
    def talk(self) -> Talk:
        """Returns the analysis as values."""
        return read_talk(self.call_id, self.answer, peer=self.peer) or Talk(self.call_id, ())


def rendered(found: Sequence[FoundTalk], form: Form, zone: tzinfo) -> str:
    """Returns the calls in a form for people, as one text, with visible control characters and escaped markup."""
    talks = [one.talk for one in found]
    if form == "html":
        heading = title(talks[0], zone) if len(talks) == 1 else ngettext("{n} call", "{n} calls", len(talks))
        return page(heading, [talk_section(talk, zone) for talk in talks])
    texts = {
        "text": lambda talk: as_text(talk, zone),
        "md": lambda talk: as_markdown(talk, zone),
        "srt": as_srt,
        "vtt": as_vtt,
    }
    return "\n".join(texts[form](talk) for talk in talks)


def rows_of(found: Sequence[FoundTalk]) -> list[dict[str, object]]:
    """Returns the phrases, one a row: the server's own fields, and the call's id."""
    return [{"call_id": one.call_id, **line} for one in found for line in read_transcript(one.answer) or []]


def form_of(path: Path) -> Form | None:
    """Returns the form for a file's ending, if any."""
    return _FORMS.get(path.suffix.lstrip(".").lower())


def file_name(call_id: str, form: Form) -> str:
    """Returns the name of a call's file in a folder: no id can lead out of the folder."""
    ending = next(ending for ending, named in _FORMS.items() if named == form)
    return re.sub(r"[^\w.@+-]", "_", call_id).lstrip(".") + f".{ending}"


def masked_answers(whole: object) -> object:
    """Returns an answer, or a list of answers, with long numbers hidden."""
    if isinstance(whole, dict):
        return mask_answer(whole)
    return [masked_answers(part) for part in whole] if isinstance(whole, list) else whole
