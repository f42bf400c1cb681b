r"""The terminal: its questions, which always go to it, and the characters that its encoding can show.

A stream after `make_readable` writes the nearest characters of cp866, cp1251 or ASCII, and never fails: quotes and
dashes become those of ASCII, Uzbek `oʻ` becomes `o'`, Cyrillic becomes Latin; all others are written as `\u...`.
"""

import codecs
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TextIO

OpenTerminal = Callable[[], tuple[TextIO, TextIO]]
"""Opens the terminal of the process: one stream for answers, one for questions. Raises OSError without a terminal."""

_ANSWERS, _QUESTIONS = map(Path, ("CONIN$", "CONOUT$") if os.name == "nt" else ("/dev/tty", "/dev/tty"))


def open_controlling_terminal() -> tuple[TextIO, TextIO]:
    """Opens the terminal of this process. Raises OSError for a process without one: cron, `setsid`, a service."""
    # A console of Windows takes UTF-8 alone; another terminal has the encoding of the process.
    encoding = "utf-8" if os.name == "nt" else getattr(sys.stdin, "encoding", None) or "utf-8"
    # Two streams: Python opens a file that cannot seek for reading or for writing only.
    answers = _ANSWERS.open(encoding=encoding, errors="replace")
    try:
        questions = _QUESTIONS.open("w", encoding=encoding)
    except OSError:
        answers.close()
        raise
    make_readable(questions)
    return answers, questions


def terminal_columns(stream: TextIO, environ: Mapping[str, str]) -> int:
    """Returns the width of the terminal behind a stream: `COLUMNS`, or what the terminal says; 0 where neither does."""
    told = environ.get("COLUMNS", "")
    if told.isascii() and told.isdigit() and int(told):
        return int(told)
    with suppress(OSError, ValueError):
        return os.get_terminal_size(stream.fileno()).columns
    return 0


class QuestionTerminal:
    """Asks a person at standard input's terminal.

    Without `open_terminal` the given streams are the terminal: the caller has no process of its own.
    """

    def __init__(self, stdin: TextIO, stderr: TextIO, open_terminal: OpenTerminal | None) -> None:
        self._in, self._err = stdin, stderr
        self._open_terminal = open_terminal

    @property
    def is_there(self) -> bool:
        """Returns whether a person could answer: stdin is a terminal, and this process may write to a terminal."""
        if not self._in.isatty():
            return False
        try:
            with self._streams():
                return self._open_terminal is not None or self._err.isatty()
        except OSError:
            return False

    def ask(self, question: str) -> str:
        """Writes the question and returns the line that was typed. Raises EOFError where the input ends."""
        try:
            with self._streams() as (answers, questions):
                questions.write(question)
                questions.flush()
                answer = answers.readline()
        except OSError as error:  # the terminal was closed meanwhile
            raise EOFError from error
        if not answer:
            raise EOFError
        return answer.strip()

    @contextmanager
    def _streams(self) -> Iterator[tuple[TextIO, TextIO]]:
        if self._open_terminal is None:
            yield self._in, self._err
            return
        answers, questions = self._open_terminal()
        with closing(answers), closing(questions):
            yield answers, questions


_ERROR_HANDLER = "alovoice.fallback"
_MARKS = str.maketrans(
    {
        **dict.fromkeys("ʻʼʹ’‘‚`´", "'"),
        **dict.fromkeys("«»“”„", '"'),
        **dict.fromkeys("–—‒―−", "-"),
        "…": "...",
        "•": "*",
        "·": "-",
        "×": "x",
        "≥": ">=",
        "≤": "<=",
        "≈": "~",
        "→": "->",
        "←": "<-",
        "↻": "~",
        "✓": "+",
        "✗": "x",
        "☎": "*",
        "№": "No.",
        "\u00a0": " ",
        "\u202f": " ",
        "\u2009": " ",
    }
)
_CYRILLIC = "абвгдежзийклмнопрстуфхцчшщъыьэюяёўқғҳ"
_LATIN = (
    *("a", "b", "v", "g", "d", "e", "zh", "z", "i", "y", "k", "l", "m", "n", "o", "p", "r", "s", "t", "u", "f", "kh"),
    *("ts", "ch", "sh", "shch", "", "y", "", "e", "yu", "ya", "e", "o'", "q", "g'", "h"),
)
_LETTERS = dict(zip(_CYRILLIC, _LATIN, strict=True))


def make_readable(stream: TextIO) -> None:
    """Makes the stream write the nearest letters that its encoding has."""
    reconfigure = getattr(stream, "reconfigure", None)  # a test's own stream may have none
    if reconfigure is not None:
        codecs.register_error(_ERROR_HANDLER, _replace)
        reconfigure(errors=_ERROR_HANDLER)


def _replace(problem: UnicodeError) -> tuple[str | bytes, int]:
    assert isinstance(problem, UnicodeEncodeError)
    lacking = problem.object[problem.start : problem.end]
    return "".join(_nearest(letter, problem.encoding) for letter in lacking), problem.end


def _nearest(letter: str, encoding: str) -> str:
    text = letter.translate(_MARKS)
    if text == letter and letter.lower() in _LETTERS:
        text = _LETTERS[letter.lower()]
        text = text if letter.islower() else text.capitalize()
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return letter.encode("ascii", "backslashreplace").decode("ascii")
    return text
