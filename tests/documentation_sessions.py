"""The console sessions of README and docs: runs them on the sandbox, and writes down what came out.

    python tests/documentation_sessions.py [PAGE...]

rewrites the shown outputs of these pages (default: all); test_documentation.py fails where a page differs. Each page is
one session from its top to its end: a fresh home, the clock at Wednesday, 25 November 2026, 10:00 in Tashkent. A block
of code that has lines with `$ ` is a session; one whose lines all begin with `alovoice` is pasted whole, and shows no
output. An HTML comment before a block says what is special about it:

    <!-- chance: receipt -->        parts that are different in each run; a name of CHANCE, or several with commas
    <!-- not run: why -->           the block is shown only
    <!-- exit: 8 -->                how the last command of the block ends (default: 0)
    <!-- lines: 5 -->               no more lines than these are shown of an output, then `…`
    <!-- file: lines.py -->         the block is a file of this name
    <!-- before: calls -->          what is in the home before the block: a name of BEFORE
"""

import difflib
import os
import pty
import re
import select
import shlex
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from unittest.mock import patch

from event_rows import Rows
from front_door import FrontDoor, Result

from alovoice_cli.language import use_language

ROOT = Path(__file__).parent.parent
_DAY = 86_400
MORNING = datetime(2026, 11, 25, 5, 0, tzinfo=UTC)
PAGES = sorted([*ROOT.glob("README*.md"), *(ROOT / "docs").glob("*.md")], key=str)
TESTED_ELSEWHERE = ("postgres.md",)
"""Pages whose commands another test runs, against servers that this one does not have."""

CHANCE = {
    "receipt": r"R-[0-9A-HJKMNP-TV-Z]{4,}",
    "call id": r"\b1[0-9]{14}\b",
    "analysis": r"\b[0-9a-f]{24}\b",
    "event id": r"\b01[0-9A-HJKMNP-TV-Z]{24}\b",
    "audio": r"/play/[0-9a-f]{32}",
    "milliseconds": r"\b\d+ ms\b",
    "token": r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}\b",
    "secret of the URLs": r"/h/[0-9a-f]{32}/",
    "batch": r"\b(?:out|conference|ivr|send|result)-[\w-]+-[0-9a-f]{8}\b",
}
"""Patterns for the random parts of an output, by the names that the pages use; each pattern matches one part."""

_BLOCK = re.compile(r"((?:^<!--[^\n]*-->\n+)*)((?:^ {4}[^\n]*\n(?:\n(?= {4}))?)+)", re.MULTILINE)
_READY = re.compile(r"/route\r?\n|ready at http[^\n]*\n")
"""The last line of a server that is ready."""
_NOTE = re.compile(r"<!-- ([a-z ]+): (.*?) -->")


class Clock:
    """A clock that advances by a millisecond with each reading, and by the length of each sleep.

    So no output depends on the speed of the machine. Other threads of the process, such as one that an earlier test
    left, sleep normally.
    """

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._sleep = time.sleep
        self._thread = threading.get_ident()

    def now(self) -> datetime:
        """Returns the present moment in UTC."""
        self._now += timedelta(milliseconds=1)
        return self._now

    def sleep(self, seconds: float) -> None:
        """Stands for `time.sleep`: what takes minutes for a reader is over at once."""
        if threading.get_ident() != self._thread:
            self._sleep(seconds)
            return
        self._now += timedelta(seconds=seconds)
        self._sleep(min(seconds, 0.01))


def two_days_of_calls(alovoice: FrontDoor) -> None:
    """Monday's and Tuesday's calls in the event store, and a listener that was up all the time."""
    chance = Random(11)  # the same calls in each run
    for profile in ("", "-sandbox"):
        rows = Rows(Path(alovoice.environ["ALOVOICE_STATE_DIR"]) / f"events{profile}.db")
        begin = MORNING.timestamp() - 2 * _DAY - 2 * 3600
        rows.listened((begin, MORNING.timestamp() + _DAY, False))
        for number in range(80):
            at = begin + number // 40 * _DAY + 3600 + number % 40 * 700 + chance.randrange(600)
            status = chance.choices(["200", "304", "480", "486", "603", "603-S"], [65, 12, 4, 6, 3, 10])[0]
            who = f"90000{chance.randrange(1000, 1030)}"
            line = chance.choice(["712037006", "712037006", "712345678"])
            duration = chance.randrange(20, 300) if status == "200" else chance.randrange(5, 40)
            direction = chance.choices(["inc", "out"], [3, 1])[0]
            peer = chance.choice([2000, 2001, 2003])
            rows.call(at, who, status=status, duration=duration, line=line, direction=direction, peer=peer)


def sample_files(alovoice: FrontDoor) -> None:
    """Writes the files of `alovoice sandbox sample play`."""
    _done(alovoice("sandbox", "sample", "play"))


def files_at_hand(alovoice: FrontDoor) -> None:
    """Copies the files of the sample into the home."""
    sample_files(alovoice)
    for file in (alovoice.home / "play").iterdir():
        file.rename(alovoice.home / file.name)


def kept_analysis(alovoice: FrontDoor) -> None:
    """Stores the analysis of call 903 of the sandbox."""
    _done(alovoice("config", "use", "sandbox"))
    _done(alovoice("ai", "send", "903", "--yes"))
    _done(alovoice("ai", "result", "903", "--wait", "--peer", "2000"))


def campaign_over(alovoice: FrontDoor) -> None:
    """Moves four days on: campaign 124 has called the numbers of clean.csv, and a listener was running."""
    rows = Rows(Path(alovoice.environ["ALOVOICE_STATE_DIR"]) / "events-sandbox.db")
    first = MORNING.timestamp() + _DAY
    rows.listened((first - 3600, first + 3 * _DAY, False))
    numbers = re.findall(r"\b(?:998)?9\d{8}\b", (alovoice.home / "clean.csv").read_text("utf-8"))
    for place, number in enumerate(numbers):
        status = ("200", "200", "486", "200", "304")[place % 5]
        duration = 41 if status == "200" else 9
        rows.call(first + 60 + place * 97, number, status=status, duration=duration, direction="out", peer=0)
    alovoice.later(days=4)


def _done(result: Result) -> None:
    assert result.code == 0, result.err


BEFORE: dict[str, Callable[[FrontDoor], None]] = {
    "analysis": kept_analysis,
    "calls": two_days_of_calls,
    "campaign over": campaign_over,
    "files": files_at_hand,
    "sandbox": lambda alovoice: _done(alovoice("config", "use", "sandbox")),
}
"""The contents of a page's home that a reader would have from a real PBX."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code in a page: the comments before it, and its lines without indentation."""

    notes: dict[str, str]
    lines: list[str]

    @property
    def is_session(self) -> bool:
        """Returns whether it shows commands and their outputs."""
        return any(line.startswith("$ ") for line in self.lines)

    @property
    def is_pasted(self) -> bool:
        """Returns whether it has only commands."""
        return (
            not self.is_session
            and "file" not in self.notes
            and all(command.startswith(("alovoice ", "export ")) for command in self.commands_of(self.lines))
        )

    @staticmethod
    def commands_of(lines: list[str]) -> list[str]:
        """Returns the lines, joined where a backslash continues one."""
        return [one for one in "\n".join(lines).replace("\\\n", "\\\0").split("\n") if one.strip()]

    @property
    def commands(self) -> list[str]:
        """Returns the commands of the block as written in the page, without `$ `."""
        joined = self.commands_of(self.lines)
        found = joined if self.is_pasted else [one[2:] for one in joined if one.startswith("$ ")]
        return [one.replace("\\\0", "\\\n") for one in found]

    def masked(self, text: str) -> str:
        """Returns the text with its random parts replaced by their names."""
        for name in filter(None, self.notes.get("chance", "").split(", ")):
            text = re.sub(CHANCE[name], lambda found, name=name: f"<{name}>".ljust(len(found[0])), text)  # type: ignore[misc] # mypy reads no default of a lambda
        return text


@dataclass(slots=True)
class Reader:
    """A reader who runs the commands of one page."""

    alovoice: FrontDoor
    screen: dict[str, str] = field(default_factory=lambda: {"NO_COLOR": "1", "TERM": "dumb"})

    def output_of(self, command: str, wanted: int) -> str:
        """Runs one command and returns what a terminal of 80 columns shows; fails where it ends otherwise."""
        plain = command.replace("\\\n", " ")
        if plain.startswith("export "):
            name, _, value = plain.removeprefix("export ").partition("=")
            self.screen[name] = value
            return ""
        head, pipe, rest = plain.partition(" | ")
        head, into, target = head.partition(" > ")
        if not head.startswith("alovoice "):
            return self._shell(plain, "")
        if re.match(r"alovoice (listen|sandbox serve)(?! check| .*--print)", head):
            return self._served(shlex.split(head)[1:])
        result = self.alovoice(
            *shlex.split(head)[1:], terminal=not (pipe or into), one_screen=not (pipe or into), environ=self.screen
        )
        if result.code != wanted:
            raise AssertionError(f"{command}\nends with {result.code}, not {wanted}:\n{result.out}{result.err}")
        if into:
            (self.alovoice.home / target.strip()).write_text(result.out, "utf-8")
            return result.err
        return result.err + self._shell(rest, result.out) if pipe else result.out

    def _served(self, words: list[str]) -> str:
        """Returns the output of a server until it is ready, started on a free port; then ends it."""
        port = words[words.index("--port") + 1] if "--port" in words else "8787"
        plain = [word for number, word in enumerate(words) if word != "--port" and words[number - 1] != "--port"]
        environ = {**self.alovoice.environ, **self.screen, "COLUMNS": "120"}
        command = [sys.executable, "-m", "alovoice_cli", *plain, "--port", "0"]
        terminal, its_end = pty.openpty()
        process = subprocess.Popen(command, stdout=its_end, stderr=its_end, env=environ, cwd=self.alovoice.home)
        os.close(its_end)
        text = ""
        while not _READY.search(text) and select.select([terminal], [], [], 120)[0]:
            text += os.read(terminal, 4096).decode()
        process.terminate()
        process.wait()
        os.close(terminal)
        ready = _READY.search(text)
        assert ready is not None, text
        shown = text[: ready.end()].replace("\r", "")
        return re.sub(r"127\.0\.0\.1:\d+", f"127.0.0.1:{port}", shown)

    def _shell(self, command: str, text: str) -> str:
        path = os.pathsep.join([str(Path(sys.executable).parent), self.alovoice.environ["PATH"]])
        environ = {**self.alovoice.environ, "PATH": path, "LC_ALL": "C.UTF-8"}
        done = subprocess.run(
            ["/bin/sh", "-c", command], input=text, capture_output=True, text=True, env=environ, cwd=self.alovoice.home
        )
        if done.returncode:
            raise AssertionError(f"{command}\nends with {done.returncode}:\n{done.stderr}")
        return done.stdout

    def run(self, block: Block) -> list[str]:
        """Runs a block; returns its lines as they should be. What chance alone has changed stays as it was."""
        for name in filter(None, block.notes.get("before", "").split(", ")):
            BEFORE[name](self.alovoice)
        if "file" in block.notes:
            (self.alovoice.home / block.notes["file"]).write_text("\n".join(block.lines) + "\n", "utf-8")
            return block.lines
        lines: list[str] = []
        for number, command in enumerate(block.commands, 1):
            wanted = int(block.notes.get("exit", 0)) if number == len(block.commands) else 0
            output = self.output_of(command, wanted).replace(str(self.alovoice.home), "~")
            shown = [line.rstrip() for line in output.strip("\n").splitlines()]
            limit = int(block.notes.get("lines", 0))
            if limit and len(shown) > limit:
                shown = [*shown[:limit], "…"]
            lines += [*f"$ {command}".split("\n"), *shown]
            while lines and not lines[-1]:
                lines.pop()
            lines.append("")
        if block.is_pasted:
            return block.lines
        lines.pop()
        same = block.masked("\n".join(lines)) == block.masked("\n".join(block.lines))
        return block.lines if same else lines


def blocks(text: str) -> Iterator[tuple[re.Match[str], Block]]:
    """Yields the blocks of code in a page that show commands."""
    for found in _BLOCK.finditer(text):
        lines = [line[4:] for line in found[2].rstrip("\n").split("\n")]
        block = Block(dict(_NOTE.findall(found[1])), lines)
        if block.is_session or block.is_pasted or "file" in block.notes:
            yield found, block


def rewritten(text: str, alovoice: FrontDoor) -> str:
    """Returns the page with the outputs that its commands have now, in this home."""
    clock = Clock(MORNING)
    alovoice.clock = clock.now
    reader, parts, end = Reader(alovoice), [], 0
    for found, block in blocks(text):
        if "not run" in block.notes:
            continue
        with patch("time.sleep", clock.sleep):
            lines = reader.run(block)
        parts += [text[end : found.start(2)], "".join(f"    {line}".rstrip() + "\n" for line in lines)]
        end = found.start(2) + len(found[2].rstrip("\n")) + 1
    return "".join([*parts, text[end:]])


def difference(page: Path, text: str) -> str:
    """Returns the difference between a page and this text, as a diff."""
    old = page.read_text("utf-8").splitlines()
    return "\n".join(difflib.unified_diff(old, text.splitlines(), page.name, "as it is now", lineterm="", n=1))


def _fresh_home(folder: Path) -> FrontDoor:
    places = {"ALOVOICE_CONFIG_DIR": str(folder / "config"), "ALOVOICE_STATE_DIR": str(folder / "state")}
    own = {"HOME": str(folder), "PATH": os.environ["PATH"], "COLUMNS": "80", "TERM": "dumb"}
    return FrontDoor(folder, own | places)


def main(words: list[str]) -> int:
    """Rewrites the pages; returns how many of them could not be run."""
    failed = 0
    for page in [Path(word).resolve() for word in words] or PAGES:
        if page.name in TESTED_ELSEWHERE:
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                text = rewritten(page.read_text("utf-8"), _fresh_home(Path(folder)))
            except AssertionError as error:
                failed += 1
                sys.stderr.write(f"{page.name}: {error}\n")
                continue
            finally:
                use_language("en")
        changed = difference(page, text)
        page.write_text(text, "utf-8")
        sys.stdout.write(f"{page.name}: {'rewritten' if changed else 'as it was'}\n")
    return failed


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1:]), 1))
