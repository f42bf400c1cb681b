"""A talk as subtitles: SubRip and WebVTT. Speakers are named; phrases that overlap in time stay apart.

Neither format takes a cue without a length, text that looks like an arrow, or an empty line within a cue.
"""

from collections.abc import Iterator
from typing import NamedTuple

from alovoice_cli.masking import disarm
from alovoice_cli.speech.talk import Fragment, Talk

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
