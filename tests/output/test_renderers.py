"""Whatever the server says, no renderer lets it drive the terminal, a spreadsheet or a parser."""

import contextlib
import csv
import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.errors import ServerError, UsageError
from alovoice_cli.masking import Masker, is_secret_key
from alovoice_cli.output.data_formats import safe_cell
from alovoice_cli.output.display import Display
from alovoice_cli.output.listing import Column, Listing, Record, Tone, cell_text, tone_by
from alovoice_cli.output.options import GlobalOptions

ARMED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
OWN_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
ENCODINGS = ["utf-8", "cp866", "cp1251", "ascii"]
COLUMNS = (Column("a", "First"), Column("b", "Second", numeric=True), Column("hidden", "Hidden", shown=False))

HOSTILE = st.text("\x00\x07\x08\x0c\r\n\t\x1b\x7f\x9b\x9d\u2028\u202e\u2066\u2069\ud800\udfff[]31m;=+-@a'\",|қ😀")
TEXTS = HOSTILE | st.text(st.characters(codec=None), max_size=30)
KEYS = TEXTS.filter(lambda text: not is_secret_key(text))  # what stands under a secret's name is masked, and not itself
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=5,
)


class _Stream(io.TextIOWrapper):
    def __init__(self, *, terminal: bool, encoding: str = "utf-8") -> None:
        self._terminal = terminal
        super().__init__(io.BytesIO(), encoding=encoding, errors="backslashreplace", newline="", write_through=True)

    def isatty(self) -> bool:
        return self._terminal

    def content(self) -> str:
        self.flush()
        data: bytes = self.buffer.getvalue()  # type: ignore[attr-defined] # a BytesIO
        return data.decode(self.encoding)


class _Screen:
    """A display on two streams, which says what came out."""

    def __init__(self, *, terminal: bool = False, encoding: str = "utf-8", width: int = 80, **options: object) -> None:
        self._out, self._err = (_Stream(terminal=terminal, encoding=encoding) for _ in range(2))
        stdin = _Stream(terminal=terminal)
        chosen = GlobalOptions(**options)  # type: ignore[arg-type] # any of the options
        environ = {"TERM": "xterm-256color", "COLUMNS": str(width)}
        self.display = Display(stdin, self._out, self._err, environ, chosen, Masker())

    @property
    def out(self) -> str:
        return self._out.content()

    @property
    def err(self) -> str:
        return self._err.content()


def _listing(value: Any, other: Any) -> Listing:
    items = [{"a": value, "b": other, "hidden": 1, str(other): value}, {"a": other}]
    return Listing(items, COLUMNS)


def _well_formed(value: Any) -> Any:
    """The value as a reader of JSON knows it, with U+FFFD for each half of a surrogate pair that stands alone."""
    read = json.loads(json.dumps(value))
    return json.loads(re.sub("[\ud800-\udfff]", "\ufffd", json.dumps(read, ensure_ascii=False)))


def _tame(text: str, *, coloured: bool = False) -> None:
    found = ARMED.search(OWN_COLOUR.sub("", text) if coloured else text)
    assert not found, repr(text)


# --- nothing drives the terminal -------------------------------------------------------------------------------------


@pytest.mark.floors
@examples(60)
@given(value=VALUES, other=TEXTS)
@example(value="\x1b]0;title\x07", other="\x9b31m")
@example(value="[red]x[/red] :smile:", other="\u202egnp.exe")
@example(value=None, other="11111111" + "\x1b" * 9 + "\x9b\x9b" + "\u2028" * 5)
def test_no_value_drives_a_table_or_a_panel(value: Any, other: str) -> None:
    for color in ("always", "never"):
        for thing in (_listing(value, other), Record({"a": value, other: value}, title=other)):
            screen = _Screen(terminal=True, color=color)
            screen.display.show(thing)
            _tame(screen.out, coloured=color == "always")
            _tame(screen.err, coloured=color == "always")
            assert not screen.err or "--columns" in screen.err  # a number as wide as the screen leaves no room for more


@examples(200)
@given(value=VALUES, other=TEXTS)
def test_no_value_breaks_a_line_of_tsv(value: Any, other: str) -> None:
    screen = _Screen()
    screen.display.show(_listing(value, other))
    lines = screen.out.split("\n")
    assert lines[0] == "a\tb"
    assert [line.count("\t") for line in lines] == [1, 1, 1, 0]
    _tame(screen.out)
    record = _Screen()
    record.display.show(Record({"a": value, "b": other}))
    assert [line.count("\t") for line in record.out.split("\n")] == [1, 1, 1, 0]
    _tame(record.out)


@examples(200)
@given(value=VALUES, other=TEXTS)
def test_no_value_breaks_csv(value: Any, other: str) -> None:
    screen = _Screen(csv=True)
    screen.display.show(_listing(value, other))
    _tame(screen.out)
    rows = list(csv.reader(io.StringIO(screen.out, newline="")))
    assert [len(row) for row in rows] == [2, 2, 2]
    for row in rows[1:]:
        assert not any(cell[:1] in "=+-@\t\n＝＋－＠" for cell in row if cell and not re.fullmatch(r"[+-]?\d+", cell))


@examples(80)
@given(
    value=VALUES, other=TEXTS, encoding=st.sampled_from(["utf-8", "cp866", "cp1251", "ascii"]), terminal=st.booleans()
)
def test_json_is_the_value_itself_on_any_stream(value: Any, other: str, encoding: str, terminal: bool) -> None:
    screen = _Screen(json=True, encoding=encoding, terminal=terminal)
    items = [{"a": value, "b": other}]
    screen.display.show(Listing(items, COLUMNS))
    # Two halves of a character, side by side, are one character to every reader of JSON.
    assert json.loads(screen.out) == _well_formed(items)
    screen.out.encode(encoding)
    _tame(screen.out)
    if not terminal:
        assert screen.out.count("\n") == 1


@examples(150)
@given(text=TEXTS, as_json=st.booleans(), color=st.sampled_from(["always", "never"]))
def test_no_text_drives_an_error_or_a_trace(text: str, as_json: bool, color: str) -> None:
    screen = _Screen(terminal=True, json=as_json, color=color, verbose=True)
    screen.display.error(ServerError(text, hint=text, detail=text))
    if as_json:
        assert json.loads(screen.err)["error"]["message"] == _well_formed(text)
    _tame(screen.err, coloured=color == "always")
    other = _Screen(terminal=True, color=color)
    other.display.trace(text)
    other.display.message("warning", text)
    assert other.err.count("\n") == 2
    _tame(other.err, coloured=color == "always")
    assert screen.out == other.out == ""


@examples(150)
@given(body=st.binary(max_size=40) | TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass")), header=TEXTS)
def test_no_answer_of_api_drives_a_terminal(body: bytes, header: str) -> None:
    screen = _Screen(terminal=True)
    with contextlib.suppress(UsageError):  # for bytes that are no text
        screen.display.answer(200, header, [("X", header), (header, "x")], body, with_headers=True)
    _tame(screen.out)


@examples(100)
@given(body=st.binary(max_size=60))
def test_bytes_that_are_no_text_pass_a_pipe_unchanged(body: bytes) -> None:
    body += b"\xff"
    screen = _Screen()
    screen.display.answer(200, "OK", [], body, with_headers=False)
    assert screen._out.buffer.getvalue() == body  # type: ignore[attr-defined] # a BytesIO


@examples(100)
@given(text=TEXTS)
def test_no_text_of_a_rehearsal_leaves_its_comment(text: str) -> None:
    shown = {"method": "POST", "url": text, "headers": {"X": text}, "body": {"a": text}, "curl": "curl <<EOF\nx\nEOF"}
    screen = _Screen()
    screen.display.rehearsal(shown)
    before, _, after = screen.out.partition("\n\n")
    assert all(line.startswith("#") for line in before.split("\n"))
    assert after == "curl <<EOF\nx\nEOF\n"
    _tame(before)


def test_markup_is_printed_as_it_stands() -> None:
    for text in ("[red]x[/red]", "[link=http://x]y[/link]", ":smile:", "[/]", "[bold]", "\\[a]"):
        screen = _Screen(terminal=True, color="never")
        screen.display.show(Listing([{"a": text}], COLUMNS))
        screen.display.show(Record({text: text}, title=text))
        assert screen.out.count(text) == 4


# --- spreadsheets ----------------------------------------------------------------------------------------------------

PAYLOADS = [
    *("=1+1", "=cmd|' /C calc'!A0", '=HYPERLINK("http://x","y")', "=IMPORTXML(A1)", "=2+5+cmd|'/C calc'!A0"),
    *("+1+1", "+cmd|' /C calc'!A0", "+SUM(A1)", "+998 90", "-1-1", "-2+3+cmd|' /C calc'!A0", "-cmd", "--1"),
    *("@SUM(1+1)", "@A1", "@cmd|x", "\t=1+1", "\t@SUM", "\r=1+1", "\n=1+1", "\r\n=1", "\0=1+1"),
    *("＝1+1", "＋1+1", "－1-1", "＠SUM", "\ufeff=1+1", "=", "+", "-", "@", "=\u202e1", "+1e5", "-1,5", "+-1"),
]


def test_there_are_enough_payloads() -> None:
    assert len(set(PAYLOADS)) >= 30


@pytest.mark.parametrize("payload", PAYLOADS, ids=ascii)
def test_no_formula_starts_a_cell(payload: str) -> None:
    for headers in (False, True):
        screen = _Screen(csv=True, no_headers=headers)
        screen.display.show(Listing([{"a": payload, "b": [payload]}], COLUMNS))
        for cell in list(csv.reader(io.StringIO(screen.out, newline="")))[-1]:
            assert cell.startswith("'"), cell
    assert safe_cell(payload).startswith("'")


@examples(25)
@given(numbers=st.lists(st.from_regex(r"\A[+-]?[0-9]{1,15}\Z"), min_size=10, max_size=20))
def test_phone_numbers_survive_an_export(numbers: list[str]) -> None:
    screen = _Screen(csv=True)
    screen.display.show(Listing([{"a": number, "b": 1} for number in numbers], COLUMNS))
    assert [row["a"] for row in csv.DictReader(io.StringIO(screen.out, newline=""))] == numbers


def test_a_thousand_phones_survive_byte_for_byte() -> None:
    numbers = [f"+9989{place:08}" for place in range(1000)]
    screen = _Screen(csv=True, no_headers=True)
    screen.display.show(Listing([{"a": number, "b": number} for number in numbers], COLUMNS))
    assert screen.out == "".join(f"{number},{number}\n" for number in numbers)


@pytest.mark.parametrize(("width", "drawn"), [(12, 0), (30, 3), (40, 4), (56, 5), (80, 5)])
def test_a_narrow_table_drops_columns_from_the_right_and_says_which_and_cuts_no_number(
    width: int, drawn: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    numbers = tuple(Column(f"n{place}", f"Number {place}", numeric=True) for place in range(5))
    item = {"name": "Wednesday", "bar": [3, 2], **{f"n{place}": 100_240 + place for place in range(5)}}
    screen = _Screen(terminal=True, width=width, color="never")
    screen.display.show(Listing([item], (Column("name", "Weekday"), *numbers, Column("bar", "", bar=True))))
    assert max(map(len, screen.out.splitlines())) <= width
    row = screen.out.splitlines()[-1].split()
    assert row[: drawn + 1] == ["Wednesday", *(str(100_240 + place) for place in range(drawn))]
    missing = [*(f"Number {place}" for place in range(drawn, 5)), *([] if "█" in row[-1] else ["bar"])]
    told = f"note: no room for the columns: {', '.join(missing)}; a wider terminal shows them, and --columns chooses"
    assert " ".join(screen.err.split()) == (told if missing else "")


def test_text_wraps_at_words_so_that_numbers_in_it_stay_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    phones = "+998901234567, +998907654321 and 2026-11-23T09:00:00Z of out-clients-3f9a2b1c-and-a-long-tail"
    item = {"id": 12345678, "said": phones, "more": "words that say much and may stand in many lines"}
    screen = _Screen(terminal=True, width=40, color="never")
    columns = (Column("id", "Id", numeric=True), Column("said", "Said"), Column("more", "More"))
    screen.display.show(Listing([item], columns))
    for number in ("12345678", "+998901234567,", "+998907654321", "2026-11-23T09:00:00Z"):
        assert number in screen.out, screen.out
    assert max(map(len, screen.out.splitlines())) <= 40


def test_a_colour_is_what_a_value_means_and_never_a_true(monkeypatch: pytest.MonkeyPatch) -> None:
    tones: dict[str, Tone] = {"200": "good", "486": "bad"}
    status = Column(
        "status", "Status", words=lambda code: {"200": "answered"}[str(code)], tone=tone_by("status", tones)
    )
    screen = _Screen(terminal=True, color="always")
    items: list[dict[str, object]] = [{"status": 200, "ok": True}, {"status": None, "ok": "done"}]
    screen.display.show(Listing(items, (Column("ok", "Ok"), status)))
    screen.display.show(Record({"reachable": True, "outcome": "done"}))
    assert "\x1b[32manswered" in screen.out
    assert screen.out.count("\x1b[32m") == 1
    piped = _Screen()
    piped.display.show(Listing(items, (Column("ok", "Ok"), status)))
    assert piped.out == "ok\tstatus\ntrue\t200\ndone\t\n"


# --- the form --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (0, "0"),
        (1.5, "1.5"),
        ([], ""),
        (["a", "b"], "a,b"),
        ({"a": "қ"}, '{"a": "қ"}'),
        ([{"a": 1}], '[{"a": 1}]'),
    ],
)
def test_a_cell_says_what_the_value_is(value: object, text: str) -> None:
    assert cell_text(value) == text


LISTING = Listing([{"a": "oʻzbek", "b": 2, "hidden": "h", "more": None}], COLUMNS)


@pytest.mark.floors
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "a\tb\noʻzbek\t2\n"),
        ({"no_headers": True}, "oʻzbek\t2\n"),
        ({"columns": "hidden,a"}, "hidden\ta\nh\toʻzbek\n"),
        ({"csv": True}, "a,b\noʻzbek,2\n"),
        ({"csv": True, "columns": "hidden", "no_headers": True}, "h\n"),
        ({"json": True}, '[{"a": "oʻzbek", "b": 2, "hidden": "h", "more": null}]\n'),
        ({"json": True, "columns": "hidden"}, '[{"hidden": "h"}]\n'),
    ],
)
def test_the_same_list_in_every_form(options: dict[str, object], expected: str) -> None:
    screen = _Screen(**options)  # type: ignore[arg-type] # any of the options
    screen.display.show(LISTING)
    assert (screen.out, screen.err) == (expected, "")


def test_a_terminals_json_is_indented_by_two() -> None:
    screen = _Screen(terminal=True, json=True)
    screen.display.show(Record({"a": [1]}))
    assert screen.out == '{\n  "a": [\n    1\n  ]\n}\n'


@pytest.mark.parametrize("show", [lambda s: s.show(LISTING), lambda s: s.show(Record({"a": 1}, title="T"))])
def test_colour_is_the_terminals_and_the_operators_choice(show: Callable[[Display], None]) -> None:
    always, never, pipe = _Screen(terminal=True, color="always"), _Screen(terminal=True, color="never"), _Screen()
    for screen in (always, never, pipe):
        show(screen.display)
    assert "\x1b[" in always.out
    assert "\x1b" not in never.out + pipe.out


def test_nothing_to_show_is_said_on_stderr() -> None:
    screen = _Screen(terminal=True, color="never")
    screen.display.show(Listing([], COLUMNS, nothing="no lines here"))
    assert (screen.out, screen.err) == ("", "note: no lines here\n")
    for options, expected in (({"json": True}, "[]\n"), ({"csv": True}, "a,b\n"), ({}, "a\tb\n")):
        piped = _Screen(**options)  # type: ignore[arg-type] # any of the options
        piped.display.show(Listing([], COLUMNS))
        assert (piped.out, piped.err) == (expected, "")
