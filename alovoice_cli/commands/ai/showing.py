"""Shows talks for `ai result` and `ai show`: as a dialogue, lines, or a file in one of seven forms."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from io import StringIO
from pathlib import Path
from typing import Annotated

import typer

from alovoice_cli.commands.ai import warn_of_sides
from alovoice_cli.errors import UsageError
from alovoice_cli.json_text import json_text
from alovoice_cli.language import joined, tr
from alovoice_cli.output.data_formats import write_csv
from alovoice_cli.output.files import write_private
from alovoice_cli.output.listing import Column, Dialogue, Listing, Said, tone_by
from alovoice_cli.session import Session
from alovoice_cli.speech.exports import (
    Form,
    FoundTalk,
    file_name,
    form_of,
    masked_answers,
    names,
    rendered,
    rows_of,
    side_of,
    tag_lines,
    title,
)
from alovoice_cli.speech.number_masking import mask_answer
from alovoice_cli.speech.talk import Talk, clock, marks

COLUMNS = (
    Column("call_id", "Call", shown=False),
    Column("time", "Time"),
    Column("direction", "Who", tone=tone_by("direction", {"operator": "first", "client": "second"})),
    Column("text", "Said"),
    Column("begin", "Begin (ms)", shown=False, numeric=True),
    Column("end", "End (ms)", shown=False, numeric=True),
    Column("tags", "Tags", shown=False),
    Column("fragment_id", "Fragment", shown=False),
)
IN_A_FILE = ("call_id", "time", "begin", "end", "direction", "text", "tags")


Format = Annotated[Form | None, typer.Option("--format", help="Output format (default: by terminal or pipe).")]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE|DIR", help="Write to a file; several calls: to a directory."),
]
Force = Annotated[bool, typer.Option("--force", help="Replace existing files.", show_default=False)]
MaskNumbers = Annotated[
    bool,
    typer.Option(
        "--mask-numbers", help="Mask phone, card and other long numbers, also spoken ones.", show_default=False
    ),
]


@dataclass(frozen=True, slots=True)
class AiShowOptions:
    """The options of `ai result` and `ai show` for the output."""

    form: Form | None
    output: Path | None
    force: bool
    mask_numbers: bool

    def check(self, session: Session, call_ids: Sequence[str]) -> None:
        """Raises UsageError for contradictory options, before any request."""
        if self.form is not None and (session.options.json or session.options.csv):
            message = tr("--format cannot be used together with --json or --csv")
            raise UsageError(message, hint=tr("choose one of them"))
        if self.form is not None and self.form != "csv" and session.options.columns is not None:
            message = tr("--columns cannot be used together with --format {form}", form=self.form)
            raise UsageError(message, hint=tr("leave one of them out"))
        if self.output is not None and self.form is None and form_of(self.output) is None:
            hint = tr("add --format, or a file ending: call.srt, call.html, call.md")
            raise UsageError(tr("the format of --output is not known"), hint=hint)
        several = len(call_ids) > 1 and not (self.output and self.output.is_dir())
        form = self.form or (form_of(self.output) if self.output else None)
        if several and form in ("srt", "vtt"):
            message = tr("a file in the format {form} holds only one call", form=form)
            raise UsageError(message, hint=tr("give a directory: -o DIR"))


def _text_of(found: Sequence[FoundTalk], form: Form, zone: tzinfo) -> str:
    """Returns the calls in any form, as one text."""
    if form == "json":
        answers = [one.answer for one in found]
        return json_text(answers[0] if len(answers) == 1 else answers, indent=True, ascii_only=False) + "\n"
    if form == "csv":
        chosen = tuple(column for column in COLUMNS if column.name in IN_A_FILE)
        out = StringIO()
        write_csv(Listing(rows_of(found), chosen), chosen, out, headers=True)
        return out.getvalue()
    return rendered(found, form, zone)


def show_talks(session: Session, found: Sequence[FoundTalk], options: AiShowOptions, *, whole: object) -> None:
    """Shows the talks as the options ask; `whole` is what `--json` prints."""
    warn_of_sides(session, Counter(side for one in found for side in one.talk.unknown_sides))
    if options.mask_numbers:
        found = [replace(one, answer=mask_answer(one.answer)) for one in found]
        whole = masked_answers(whole)
    if options.output is not None:
        _write_files(session, found, options, options.output)
    elif options.form is None or options.form in ("json", "csv"):
        _show_lines(session, found, options.form, whole)
    else:
        session.display.write(rendered(found, options.form, session.clock.zone))


def _show_lines(session: Session, found: Sequence[FoundTalk], form: Form | None, whole: object) -> None:
    options = session.options if form is None else session.options.with_option(form, True)
    plain = options.json or options.csv or options.columns is not None
    if session.stdout.isatty() and not plain:
        for number, one in enumerate(found):
            session.display.write("\n" if number else "")
            session.display.dialogue(_dialogue(session, one.talk))
        return
    shown = IN_A_FILE if form == "csv" else ("time", "direction", "text")
    columns = tuple(
        column._replace(shown=column.name in shown or (column.name == "call_id" and len(found) > 1))
        for column in COLUMNS
    )
    listing = Listing(rows_of(found), columns, whole=whole, nothing=tr("nothing was said in this call"))
    session.display.show(listing, options=options)
    for one in found if not options.json else ():
        if tags := one.talk.tag_names:
            note = tr("tags: {tags}", tags=", ".join(tags))
            session.note(joined(": ", [one.call_id, note]) if len(found) > 1 else note)


def _dialogue(session: Session, talk: Talk) -> Dialogue:
    hide = session.masker.hide
    # A phrase that names a secret of this run loses its marks with it.
    hidden = [replace(part, text=hide(part.text)) for part in talk.fragments]
    said = [
        Said(hide(part.direction), clock(part.begin_ms), part.text, side_of(part), marks(part), names(part.tags))
        for part in hidden
    ]
    tags = [hide(line) for line in tag_lines(talk)]
    below = [tr("Tags: {tags}", tags="; ".join(tags))] if tags else []
    if not said:
        below = [tr("Nothing was said."), *below]
    return Dialogue(hide(title(talk, session.clock.zone)), said, below)


def _write_files(session: Session, found: Sequence[FoundTalk], options: AiShowOptions, output: Path) -> None:
    form = options.form or form_of(output) or "text"
    folder = output.is_dir()
    hide = session.masker.hide
    groups = [[one] for one in found] if folder else [list(found)] if found else []
    written: list[str] = []
    for group in groups:
        target = output / file_name(group[0].call_id, form) if folder else output
        write_private(target, hide(_text_of(group, form, session.clock.zone)), force=options.force)
        written.append(str(target))
    if written or session.options.json:
        session.report(tr("written: {files}", files=", ".join(written)), files=written)
