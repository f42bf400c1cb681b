"""Chooses the form of the output, by the options and by the reader of the stream: a person, a pipe, a script.

The imports of rich inside functions are intended: errors, TSV and JSON need not wait 50 ms for it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, TextIO

from alovoice_cli.errors import AlovoiceError, UsageError
from alovoice_cli.json_text import json_text
from alovoice_cli.language import Language, all_in_english, in_english, language_in_use, tr
from alovoice_cli.masking import Masker, disarm, mask_fields, mask_text
from alovoice_cli.output.data_formats import write_csv, write_json, write_tsv
from alovoice_cli.output.listing import Column, Dialogue, Item, Listing, Record, Tone, cell_text, choose_columns, legend
from alovoice_cli.output.messages import (
    TONE_CODES,
    write_body,
    write_error,
    write_head,
    write_log_line,
    write_message,
    write_rehearsal,
)
from alovoice_cli.output.options import GlobalOptions
from alovoice_cli.output.terminal import OpenTerminal, QuestionTerminal, terminal_columns

if TYPE_CHECKING:
    from alovoice_cli.output.screen import LiveScreen, Pieces

_ANSWERS: Mapping[Language, tuple[str, frozenset[str]]] = {
    "en": ("[y/N]", frozenset({"y", "yes"})),
    "ru": ("[д/Н]", frozenset({"д", "да", "y", "yes"})),
    "uz": ("[ha/YOʻQ]", frozenset({"ha", "h"})),
}
"""How a question asks for yes or no in each language, and the words that mean yes; all others mean no.

Not in the catalogues: there a letter could come to mean the opposite. Uzbek takes no `y`, it is the first letter of no.
"""


class Display:
    """The terminal or pipe of one run. All output is masked, and has no control characters."""

    def __init__(
        self,
        stdin: TextIO,
        stdout: TextIO,
        stderr: TextIO,
        environ: Mapping[str, str],
        options: GlobalOptions,
        masker: Masker,
        open_terminal: OpenTerminal | None = None,
        zone: Callable[[], tzinfo] = lambda: UTC,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._out, self._err = stdout, stderr
        self._terminal = QuestionTerminal(stdin, stderr, open_terminal)
        self._environ = environ
        self._options = options
        self._masker = masker
        self._zone, self._now = zone, now

    def show(
        self,
        thing: Listing | Record,
        *,
        lines: bool = False,
        show_secrets: bool = False,
        options: GlobalOptions | None = None,
    ) -> frozenset[str]:
        """Prints a list or a record: JSON or CSV by option, a table on a terminal, else tab-separated lines.

        With `lines` a list is printed as JSON, an object a line. `options` replace the command line's. Returns the
        names of the columns for which a terminal has no room.
        """
        options = options or self._options
        if lines or options.json or options.csv or not self._out.isatty():
            thing = thing.mapped(all_in_english)  # for programs
        if thing.ours or not show_secrets:
            thing = thing.mapped(self._masker.hide_in if thing.ours else self._cleaned)
        if isinstance(thing, Record):
            self._show_record(thing, options)
            return frozenset()
        return frozenset(column.name for column in self._show_listing(thing, options, lines=lines))

    def _show_record(self, record: Record, options: GlobalOptions) -> None:
        out, terminal = self._out, self._out.isatty()
        if options.json:
            out.write(json_text(record.as_json(), indent=terminal, ascii_only=_ascii_only(out)) + "\n")
        elif terminal:
            from alovoice_cli.output.table import write_record

            write_record(record, out, color=self._colored(out))
        else:
            write_tsv(record, (), out, headers=not options.no_headers)

    def _show_listing(self, listing: Listing, options: GlobalOptions, *, lines: bool) -> tuple[Column, ...]:
        """Returns the columns for which a terminal has no room."""
        out, terminal = self._out, self._out.isatty()
        columns, headers = choose_columns(listing.columns, options.columns), not options.no_headers
        if lines or options.json:
            chosen, ascii_only = columns if options.columns is not None else None, _ascii_only(out)
            write_json(listing, chosen, out, indent=terminal, ascii_only=ascii_only, lines=lines)
        elif options.csv:
            zone = self._zone() if options.excel else None
            write_csv(listing, columns, out, headers=headers, excel_zone=zone)
        elif terminal:
            return self._draw([pair.item for pair in listing.pairs()], listing, columns, options)
        else:
            write_tsv(listing, columns, out, headers=headers)
        return ()

    def _draw(
        self, items: Sequence[Item], listing: Listing, columns: tuple[Column, ...], options: GlobalOptions
    ) -> tuple[Column, ...]:
        out, color = self._out, self._colored(self._out)
        if not items:
            self.message("note", listing.nothing or tr("nothing to show"))
            return ()
        from alovoice_cli.output.table import write_checklist, write_table
        from alovoice_cli.output.table_layout import no_room_for

        if listing.checklist is not None and options.columns is None:
            write_checklist(items, listing.checklist, out, color=color)
            return ()
        left_out = write_table(items, columns, out, headers=not options.no_headers, color=color)
        if left_out and not options.quiet:
            self.message("note", no_room_for(left_out))
        return left_out

    def dialogue(self, dialogue: Dialogue) -> None:
        """Prints a conversation, for a person at a terminal."""
        from alovoice_cli.output.table import write_dialogue

        write_dialogue(dialogue, self._out, color=self._colored(self._out))

    def screen(self, lines: "Sequence[Pieces]", *, wrapped: bool = False) -> None:
        """Prints lines of styled pieces, for a person at a terminal; `wrapped`: long ones go on below, else are cut."""
        from alovoice_cli.output.screen import write_screen

        cleaned = [[(self._masker.hide(text), style) for text, style in line] for line in lines]
        write_screen(cleaned, self._out, color=self._colored(self._out), wrapped=wrapped)

    @contextmanager
    def live_screen(self) -> "Iterator[LiveScreen | None]":
        """Yields a screen that is drawn over; None where no cursor moves: a pipe, `--json`, a dumb terminal."""
        if self._options.json or not self._out.isatty() or self._environ.get("TERM") == "dumb":
            yield None
            return
        from alovoice_cli.output.screen import show_screen

        with show_screen(self._out, color=self._colored(self._out)) as screen:
            yield screen

    @property
    def width(self) -> int:
        """Returns the columns of the terminal on stdout."""
        from alovoice_cli.output.table import open_console

        return open_console(self._out, color=False).width

    @property
    def ascii_only(self) -> bool:
        """Returns whether stdout lacks letters beyond ASCII."""
        return _ascii_only(self._out)

    def row(self, item: Item, widths: Mapping[str, int], tone: Tone = "") -> None:
        """Prints one line of a growing table: its cells by name, each padded to its width, none shortened.

        `tone` is what the last cell means.
        """
        cells = [disarm(cell_text(self._cleaned(item.get(name)))).ljust(width) for name, width in widths.items()]
        cells[-1] = cells[-1].rstrip()
        if tone and cells[-1] and self._colored(self._out):
            cells[-1] = f"\x1b[{TONE_CODES[tone]}m{cells[-1]}\x1b[0m"
        self._out.write("  ".join(cells).rstrip() + "\n")
        self._out.flush()

    def line(self, value: Mapping[str, object], *, ours: bool = False) -> None:
        """Prints one object of a stream: JSON on a line of its own, flushed. `ours` as in Record."""
        self.lines([value], ours=ours)

    def lines(self, values: Iterable[Mapping[str, object]], *, ours: bool = False) -> None:
        """Prints several objects of a stream, flushed together."""
        clean, ascii_only = self._masker.hide_in if ours else self._cleaned, _ascii_only(self._out)
        texts = [json_text(clean(all_in_english(dict(value))), indent=False, ascii_only=ascii_only) for value in values]
        self._out.write("".join(f"{text}\n" for text in texts))
        self._out.flush()

    def legend(self, names: Sequence[str]) -> str:
        """Returns the names of a bar's parts, each behind its character on this terminal."""
        return legend(names, ascii_only=_ascii_only(self._out))

    def value(self, value: object) -> None:
        """Prints one value alone on a line, for a shell's `$(…)`; lists joined with commas."""
        self.write(disarm(cell_text(all_in_english(value))) + "\n")

    def write(self, text: str) -> None:
        """Prints text that is itself the data, such as a script or a path, on stdout."""
        self._out.write(self._masker.hide(text))

    def answer(
        self,
        status: int,
        reason: str,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        *,
        with_headers: bool,
        show_secrets: bool = False,
    ) -> None:
        """Prints an answer as received: status and headers if wanted, then the body."""
        if with_headers:
            hide = self._masker.hide
            write_head(status, hide(reason), [(hide(name), hide(value)) for name, value in headers], self._out)
        write_body(
            body,
            self._out,
            clean=(lambda value: value) if show_secrets else self._cleaned,
            indent=self._out.isatty(),
            ascii_only=_ascii_only(self._out),
            as_json=self._options.json,
        )

    def _cleaned(self, value: object) -> object:
        if isinstance(value, str):
            return self._masker.hide(mask_text(value))
        return self._masker.hide_in(mask_fields(value))

    def rehearsal(self, rehearsed: Mapping[str, object]) -> None:
        """Prints the request that `--dry-run` stopped: an object, or a shell script with comments that sends it."""
        if self._options.json:
            self.show(Record(rehearsed, ours=True))  # its token is already `$ALOVOICE_TOKEN`
            return
        shown = {name: self._masker.hide_in(value) for name, value in rehearsed.items()}
        write_rehearsal(shown, self._out, disarmed=self._out.isatty())
        if _ascii_only(self._out) and not str(shown["curl"]).isascii():
            self.message("warning", tr("this stream is not UTF-8: letters of the command are changed; use --json"))

    def error(self, error: AlovoiceError) -> None:
        """Prints an error on stderr: a sentence and what to do, or with `--json` one object, in English."""
        texts: Iterable[str] = (error.message, error.hint, error.detail)
        if self._options.log_format == "json" or (self._options.log_format is None and self._options.json):
            texts = map(in_english, texts)
        error.message, error.hint, error.detail = map(self._masker.hide, texts)
        if self._options.log_format is not None:
            told = {"kind": error.kind, "detail": error.detail, "exit_code": int(error.exit_code)}
            self._log("error", f"{error.message} ({error.hint})".removesuffix(" ()"), told)
            return
        color, ascii_only = self._colored(self._err), _ascii_only(self._err)
        as_json, width = self._options.json, self._message_width
        write_error(error, self._err, as_json=as_json, color=color, ascii_only=ascii_only, width=width)

    def message(self, kind: str, text: str, **fields: object) -> None:
        """Prints one line on stderr under its kind: `warning`, `note` or `hint`. `fields` go into a log of JSON lines.

        Where stderr cannot be written (a full disk), prints nothing: the command goes on.
        """
        text = self._masker.hide(in_english(text) if self._options.log_format == "json" else text)
        with suppress(OSError):
            if self._options.log_format is not None:
                self._log(kind, text, fields)
            else:
                write_message(kind, text, self._err, color=self._colored(self._err), width=self._message_width)

    @property
    def _message_width(self) -> int:
        """Returns the columns of the terminal on stderr, 0 where messages are not read on one."""
        return terminal_columns(self._err, self._environ) if self._err.isatty() else 0

    def _log(self, kind: str, text: str, fields: Mapping[str, object]) -> None:
        level, moment = {"note": "info"}.get(kind, kind), self._now().astimezone(self._zone())
        as_json, ascii_only = self._options.log_format == "json", _ascii_only(self._err)
        write_log_line(level, text, fields, self._err, moment=moment, as_json=as_json, ascii_only=ascii_only)
        self._err.flush()

    def trace(self, line: str) -> None:
        """Prints one line of `--verbose` on stderr, never broken: it shows what went over the wire."""
        if self._options.log_format is not None:
            self.message("note", line)
            return
        with suppress(OSError):
            write_message("note", self._masker.hide(line), self._err, color=self._colored(self._err))

    @property
    def is_asked(self) -> bool:
        """Returns whether a person could answer, independent of the options."""
        return self._terminal.is_there

    def ask(self, question: str, about: Sequence[str] = ()) -> str:
        """Asks a question that no option answers, and returns the typed line. Raises EOFError at the input's end.

        `about` are lines on stderr that the question refers to: where stderr is not the terminal, they are repeated
        above it.
        """
        lines = [*(() if self._err.isatty() else about), *question.splitlines()]
        return self._terminal.ask("\n".join(disarm(self._masker.hide(line)) for line in lines))

    def agrees(self, question: str, about: Sequence[str] = ()) -> bool:
        """Returns whether the answer is yes, for a question that no option answers."""
        keys, yes = _ANSWERS[language_in_use()]
        return self.ask(f"{question} {keys} ", about).casefold() in yes

    @property
    def asks(self) -> bool:
        """Returns whether a question reaches a person: a terminal, and neither `--yes` nor `--dry-run`."""
        options = self._options
        return not (options.yes or options.dry_run) and self.is_asked

    def confirm(self, question: str, about: Sequence[str] = ()) -> None:
        """Asks before something that cannot be undone; `--yes` and `--dry-run` answer the question.

        Raises UsageError for a no, and where nobody can answer.
        """
        if self._options.yes or self._options.dry_run:
            return
        if not self.is_asked:
            raise nobody_answers("--yes")
        if not self.agrees(question, about):
            raise UsageError(tr("not confirmed: nothing was done"))

    def confirm_on_terminal(self, question: str) -> None:
        """Asks on a terminal; in a script the answer is yes. Raises UsageError for a no."""
        if self.asks and not self.agrees(question):
            raise UsageError(tr("not confirmed: nothing was done"))

    @contextmanager
    def transfer(self, label: str) -> Iterator[Callable[[int, int | None], None]]:
        """Shows a bar for transferred bytes, on a terminal only.

        Yields a function of the bytes so far and the total.
        """
        if self._options.quiet or not self._err.isatty():
            yield lambda done, total: None
            return
        from alovoice_cli.output.progress import show_transfer

        with show_transfer(label, self._err, color=self._colored(self._err)) as moved:
            yield moved

    @contextmanager
    def counting(self, label: str, total: int) -> Iterator[Callable[[], None]]:
        """Shows a bar for finished items, with their rate and the remaining time; on a terminal only."""
        if self._options.quiet or not self._err.isatty() or self._environ.get("TERM") == "dumb":
            yield lambda: None
            return
        from alovoice_cli.output.progress import show_count

        with show_count(label, total, self._err, color=self._colored(self._err)) as step:
            yield step

    @contextmanager
    def live(self, columns: tuple[Column, ...]) -> Iterator[Callable[[Listing], None] | None]:
        """Yields a function that redraws a list; None where no person reads (`line`)."""
        out = self._out
        if self._options.json or not out.isatty():
            yield None
            return
        from alovoice_cli.output.progress import show_live

        chosen, redraws = choose_columns(columns, self._options.columns), self._environ.get("TERM") != "dumb"
        headers, color = not self._options.no_headers, self._colored(out)
        with show_live(chosen, out, headers=headers, color=color, redraws=redraws) as draw:
            yield lambda listing: draw([pair.item for pair in listing.mapped(self._cleaned).pairs()])

    def _colored(self, stream: TextIO) -> bool:
        if self._options.color != "auto":
            return self._options.color == "always"
        return stream.isatty() and not self._environ.get("NO_COLOR") and self._environ.get("TERM") != "dumb"


def nobody_answers(flag: str) -> UsageError:
    """Returns the error for a question that nobody can answer; `flag` is the option that answers it."""
    return UsageError(
        tr("this cannot be undone, and there is no terminal to ask for confirmation: nothing was done"),
        hint=tr("to confirm, add {flag}", flag=flag),
    )


def _ascii_only(stream: TextIO) -> bool:
    """Returns whether the stream's encoding lacks letters; a test's stream without an encoding takes all."""
    encoding = (stream.encoding or "utf-8").lower().replace("-", "").replace("_", "")
    return encoding not in ("utf8", "utf8sig")
