"""Analysed calls in the forms that are written: text, Markdown, subtitles, a page; and the rows of CSV."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Literal

from alovoice_cli.speech import exports
from alovoice_cli.speech.private import mask_answer
from alovoice_cli.speech.talk import Talk, read_talk, read_transcript

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
    """A call whose analysis is there: the server's answer, and the operator's extension where it is known."""

    call_id: str
    answer: Mapping[str, object]
    peer: str | None = None

    @property
    def talk(self) -> Talk:
        """The analysis as values."""
        return read_talk(self.call_id, self.answer, peer=self.peer) or Talk(self.call_id, ())


def rendered(found: Sequence[FoundTalk], form: Form, zone: tzinfo) -> str:
    """The calls in a form for people, as one text. Control characters are shown, markup is escaped."""
    talks = [one.talk for one in found]
    if form == "html":
        from alovoice_cli.speech.pages import page, talk_section  # noqa: PLC0415 - pygal, 100 ms, for pages alone

        heading = exports.title(talks[0], zone) if len(talks) == 1 else f"{len(talks)} calls"
        return page(heading, [talk_section(talk, zone) for talk in talks])
    texts = {
        "text": lambda talk: exports.as_text(talk, zone),
        "md": lambda talk: exports.as_markdown(talk, zone),
        "srt": exports.as_srt,
        "vtt": exports.as_vtt,
    }
    return "\n".join(texts[form](talk) for talk in talks)


def rows_of(found: Sequence[FoundTalk]) -> list[dict[str, object]]:
    """What was said, a row a phrase: the server's own fields, and the call's id."""
    return [{"call_id": one.call_id, **line} for one in found for line in read_transcript(one.answer) or []]


def form_of(path: Path) -> Form | None:
    """The form that a file's ending stands for, if any."""
    return _FORMS.get(path.suffix.lstrip(".").lower())


def file_name(call_id: str, form: Form) -> str:
    """The name of a call's file in a folder: nothing in an id leads out of it."""
    ending = next(ending for ending, named in _FORMS.items() if named == form)
    return re.sub(r"[^\w.@+-]", "_", call_id).lstrip(".") + f".{ending}"


def masked_answers(whole: object) -> object:
    """An answer, or a list of answers, with long numbers hidden."""
    if isinstance(whole, dict):
        return mask_answer(whole)
    return [masked_answers(part) for part in whole] if isinstance(whole, list) else whole
