"""How `ai result` and `ai show` show talks: a dialogue, lines, or a file in one of seven forms."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from io import StringIO
from pathlib import Path
from typing import Annotated, Literal

import typer

from alovoice_cli.campaigns.schedule import parse_zone
from alovoice_cli.errors import UsageError
from alovoice_cli.output.columns import Column
from alovoice_cli.output.csv import write_csv
from alovoice_cli.output.files import write_private
from alovoice_cli.output.json import json_text
from alovoice_cli.output.listing import Listing
from alovoice_cli.output.spoken import Dialogue, Said
from alovoice_cli.session import Session
from alovoice_cli.speech import exports, subtitles
from alovoice_cli.speech.exports import names, side_of, tag_lines, title
from alovoice_cli.speech.page import page, talk_section
from alovoice_cli.speech.private import mask_answer
from alovoice_cli.speech.talk import Talk, clock, marks, read_talk
from alovoice_cli.speech.transcript import read_transcript

Form = Literal["text", "json", "md", "srt", "vtt", "csv", "html"]
_ENDINGS: Mapping[str, str] = {"text": "txt"}

Format = Annotated[
    Form | None, typer.Option("--format", help="The form; else what the terminal or the pipe calls for.")
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE|DIR", help="Into a file; of several calls each into a folder."),
]
Force = Annotated[bool, typer.Option("--force", help="Replace a file that is there.", show_default=False)]
MaskNumbers = Annotated[
    bool,
    typer.Option(
        "--mask-numbers", help="Hide phones, cards and other long numbers, spoken ones too.", show_default=False
    ),
]

COLUMNS = (
    Column("call_id", "Call", shown=False),
    Column("time", "Time"),
    Column("direction", "Who"),
    Column("text", "Said"),
    Column("begin", "Begin (ms)", shown=False, numeric=True),
    Column("end", "End (ms)", shown=False, numeric=True),
    Column("tags", "Tags", shown=False),
    Column("fragment_id", "Fragment", shown=False),
)
_IN_A_FILE = ("call_id", "time", "begin", "end", "direction", "text", "tags")


@dataclass(frozen=True, slots=True)
class Found:
    """A call whose analysis is there: the server's answer, and the operator's extension where it is known."""

    call_id: str
    answer: Mapping[str, object]
    peer: str | None = None

    @property
    def talk(self) -> Talk:
        """The analysis as values."""
        return read_talk(self.call_id, self.answer, peer=self.peer) or Talk(self.call_id, ())


@dataclass(frozen=True, slots=True)
class Wish:
    """What the options ask for."""

    form: Form | None
    output: Path | None
    force: bool
    mask_numbers: bool

    def check(self, session: Session, call_ids: Sequence[str]) -> None:
        """Raises UsageError for options that do not fit, before anything is asked."""
        if self.form is not None and (session.options.json or session.options.csv):
            raise UsageError("--format and --json or --csv exclude each other", hint="choose one of them")
        if self.form is not None and self.form != "csv" and session.options.columns is not None:
            raise UsageError(f"--columns does not go with --format {self.form}", hint="leave one of them out")
        if self.output is not None and self.form is None and _form_of(self.output) is None:
            raise UsageError("--output needs a form", hint="add --format, or an ending: call.srt, call.html, call.md")
        several = len(call_ids) > 1 and not (self.output and self.output.is_dir())
        form = self.form or (_form_of(self.output) if self.output else None)
        if several and form in ("srt", "vtt"):
            raise UsageError(f"several calls do not fit into one {form} file", hint="give a folder: -o DIR")


def zone_of(session: Session) -> tzinfo:
    """The profile's time zone."""
    return parse_zone(session.settings.timezone, "the profile's timezone")


def show_talks(session: Session, found: Sequence[Found], wish: Wish, *, whole: object) -> None:
    """Shows them as they are wished for; `whole` is what `--json` prints."""
    if wish.mask_numbers:
        found = [replace(one, answer=mask_answer(one.answer)) for one in found]
        whole = _masked(whole)
    if wish.output is not None:
        _write_files(session, found, wish, wish.output)
    elif wish.form in (None, "json", "csv"):
        _show_lines(session, found, wish.form, whole)
    else:
        session.display.write(_rendered(session, found, wish.form or "text"))


def _masked(whole: object) -> object:
    if isinstance(whole, dict):
        return mask_answer(whole)
    return [_masked(part) for part in whole] if isinstance(whole, list) else whole


def _show_lines(session: Session, found: Sequence[Found], form: Form | None, whole: object) -> None:
    options = session.options
    if form is not None:
        setattr(options, form, True)
    plain = options.json or options.csv or options.columns is not None
    if session.stdout.isatty() and not plain:
        for number, one in enumerate(found):
            session.display.write("\n" if number else "")
            session.display.dialogue(_dialogue(session, one.talk))
        return
    shown = _IN_A_FILE if form == "csv" else ("time", "direction", "text")
    columns = tuple(
        replace(column, shown=column.name in shown or (column.name == "call_id" and len(found) > 1))
        for column in COLUMNS
    )
    session.show(Listing(_items(found), columns, whole=whole, nothing="nothing was said in this call"))
    for one in found if not options.json else ():
        if tags := one.talk.tag_names:
            session.note((f"{one.call_id}: " if len(found) > 1 else "") + "tags: " + ", ".join(tags))


def _items(found: Sequence[Found]) -> list[dict[str, object]]:
    return [{"call_id": one.call_id, **line} for one in found for line in read_transcript(one.answer) or []]


def _dialogue(session: Session, talk: Talk) -> Dialogue:
    hide = session.masker.hide
    said = [
        Said(hide(part.direction), clock(part.begin_ms), part.text, side_of(part), marks(part), names(part.tags))
        for part in _hidden(session, talk).fragments
    ]
    tags = [hide(line) for line in tag_lines(talk)]
    below = ["Tags: " + "; ".join(tags)] if tags else []
    return Dialogue(hide(title(talk, zone_of(session))), said, below if said else ["Nothing was said.", *below])


def _hidden(session: Session, talk: Talk) -> Talk:
    """The talk without the secrets that this run knows: a line that names one loses its marks with it."""
    hide = session.masker.hide
    return replace(talk, fragments=tuple(replace(part, text=hide(part.text)) for part in talk.fragments))


def _rendered(session: Session, found: Sequence[Found], form: Form) -> str:
    zone, talks = zone_of(session), [one.talk for one in found]
    if form == "html":
        heading = exports.title(talks[0], zone) if len(talks) == 1 else f"{len(talks)} calls"
        return page(heading, [talk_section(talk, zone) for talk in talks])
    if form == "json":
        return _json([one.answer for one in found])
    if form == "csv":
        return _csv(found)
    texts = {
        "text": lambda talk: exports.as_text(talk, zone),
        "md": lambda talk: exports.as_markdown(talk, zone),
        "srt": subtitles.as_srt,
        "vtt": subtitles.as_vtt,
    }
    return "\n".join(texts[form](talk) for talk in talks)


def _csv(found: Sequence[Found]) -> str:
    chosen = tuple(column for column in COLUMNS if column.name in _IN_A_FILE)
    out = StringIO()
    write_csv(Listing(_items(found), chosen), chosen, out, headers=True)
    return out.getvalue()


def _json(answers: Sequence[Mapping[str, object]]) -> str:
    return json_text(answers[0] if len(answers) == 1 else answers, indent=True, ascii_only=False) + "\n"


def _write_files(session: Session, found: Sequence[Found], wish: Wish, output: Path) -> None:
    form = wish.form or _form_of(output) or "text"
    folder = output.is_dir()
    hide = session.masker.hide
    groups = [[one] for one in found] if folder else [list(found)] if found else []
    for group in groups:
        target = output / _file_name(group[0].call_id, form) if folder else output
        write_private(target, hide(_rendered(session, group, form)), force=wish.force)
        session.note(f"written: {target}")


def _form_of(output: Path) -> Form | None:
    ending = output.suffix.lstrip(".").lower()
    forms: dict[str, Form] = {"txt": "text", "json": "json", "md": "md", "srt": "srt", "vtt": "vtt", "csv": "csv"}
    return "html" if ending in ("html", "htm") else forms.get(ending)


def _file_name(call_id: str, form: Form) -> str:
    return re.sub(r"[^\w.@+-]", "_", call_id).lstrip(".") + "." + _ENDINGS.get(form, form)
