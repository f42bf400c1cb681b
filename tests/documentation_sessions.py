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
    <!-- before: day -->            what is in the home before the block: a name of BEFORE
"""

import difflib
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from event_rows import Rows
from front_door import FrontDoor

from alovoice_cli.language import use_language

ROOT = Path(__file__).parent.parent
MORNING = datetime(2026, 11, 25, 5, 0, tzinfo=UTC)
PAGES = sorted([*ROOT.glob("README*.md"), *(ROOT / "docs").glob("*.md")] , key=str)
TESTED_ELSEWHERE = ("postgres.md",)
"""Pages whose commands another test runs, against servers that this one does not have."""

CHANCE = {
    "receipt": r"R-[0-9A-HJKMNP-TV-Z]{4,}",
    "call id": r"\b1[0-9]{14}\b",
    "analysis": r"\b[0-9a-f]{24}\b",
    "event id": r"\b01[0-9A-HJKMNP-TV-Z]{24}\b",
    "secret of the URLs": r"/h/[0-9a-f]{32}/",
    "batch": r"\b(?:out|conference|ivr|send|result)-[\w-]+-[0-9a-f]{8}\b",
}
"""What chance decides in an output, by the name that the pages use; each pattern finds one such part."""

_BLOCK = re.compile(r"((?:^<!--[^\n]*-->\n+)*)((?:^ {4}[^\n]*\n(?:\n(?= {4}))?)+)", re.MULTILINE)
_NOTE = re.compile(r"<!-- ([a-z ]+): (.*?) -->")


class Clock:
    """A clock that goes a millisecond on whenever it is read, and as far as somebody sleeps.

    So no output shows how fast the machine is.
    """

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._sleep = time.sleep

    def now(self) -> datetime:
        """The moment, in UTC."""
        self._now += timedelta(milliseconds=1)
        return self._now

    def sleep(self, seconds: float) -> None:
        """Stands for `time.sleep`: what takes minutes for a reader is over at once."""
        self._now += timedelta(seconds=seconds)
        self._sleep(min(seconds, 0.01))


def morning_of_calls(alovoice: FrontDoor) -> None:
    """Two days of calls in the event store, and a listener that was up all the time."""
    rows = Rows(Path(alovoice.environ["ALOVOICE_STATE_DIR"]) / "events-sandbox.db")
    first = MORNING.timestamp() - 86_400 - 3600
    rows.listened((first, MORNING.timestamp(), False))
    statuses = ["200", "200", "304", "200", "486", "200", "603-S", "200", "480", "200"]
    for number in range(40):
        at = first + (86_400 if number % 2 else 0) + number * 85
        status = statuses[number % 10]
        who = f"90000{1000 + number * 7 % 13:04}"
        line = "712037006" if number % 3 else "712345678"
        rows.call(at, who, status=status, duration=40 + number % 7 * 25 if status == "200" else 12, line=line)


BEFORE: dict[str, Callable[[FrontDoor], None]] = {"calls": morning_of_calls}
"""What a page finds in its home, where a reader would have it from a real PBX."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code of a page: what the comments before it say, and its lines without the indentation."""

    notes: dict[str, str]
    lines: list[str]

    @property
    def is_session(self) -> bool:
        """Whether it shows commands and their outputs."""
        return any(line.startswith("$ ") for line in self.lines)

    @property
    def is_pasted(self) -> bool:
        """Whether it has commands alone."""
        return not self.is_session and all(
            command.startswith(("alovoice ", "export ")) for command in self.commands_of(self.lines)
        )

    @staticmethod
    def commands_of(lines: list[str]) -> list[str]:
        """The lines, with those joined that a backslash continues."""
        return [one for one in "\n".join(lines).replace("\\\n", "\\\0").split("\n") if one.strip()]

    @property
    def commands(self) -> list[str]:
        """The commands of the block, each as it stands in the page, without `$ `."""
        joined = self.commands_of(self.lines)
        found = joined if self.is_pasted else [one[2:] for one in joined if one.startswith("$ ")]
        return [one.replace("\\\0", "\\\n") for one in found]

    def masked(self, text: str) -> str:
        """The text, with the parts that chance decides replaced by their names."""
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
        result = self.alovoice(
            *shlex.split(head)[1:], terminal=not (pipe or into), one_screen=not (pipe or into), environ=self.screen
        )
        if result.code != wanted:
            raise AssertionError(f"{command}\nends with {result.code}, not {wanted}:\n{result.out}{result.err}")
        if into:
            (self.alovoice.home / target.strip()).write_text(result.out, "utf-8")
            return result.err
        return result.err + self._shell(rest, result.out) if pipe else result.out

    def _shell(self, command: str, text: str) -> str:
        environ = {**self.alovoice.environ, "LC_ALL": "C.UTF-8"}
        done = subprocess.run(
            ["/bin/sh", "-c", command], input=text, capture_output=True, text=True, env=environ, cwd=self.alovoice.home
        )
        if done.returncode:
            raise AssertionError(f"{command}\nends with {done.returncode}:\n{done.stderr}")
        return done.stdout

    def run(self, block: Block) -> list[str]:
        """Runs a block; returns its lines as they should be. What chance alone has changed stays as it was."""
        if "before" in block.notes:
            BEFORE[block.notes["before"]](self.alovoice)
        lines: list[str] = []
        for number, command in enumerate(block.commands, 1):
            wanted = int(block.notes.get("exit", 0)) if number == len(block.commands) else 0
            output = self.output_of(command, wanted).replace(str(self.alovoice.home), "~")
            shown = [line.rstrip() for line in output.splitlines()]
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
    """The blocks of code of a page that show commands."""
    for found in _BLOCK.finditer(text):
        lines = [line[4:] for line in found[2].rstrip("\n").split("\n")]
        block = Block(dict(_NOTE.findall(found[1])), lines)
        if block.is_session or block.is_pasted:
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
    """What differs between a page and this text, as a diff."""
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
