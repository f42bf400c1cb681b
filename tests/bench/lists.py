"""Lists of recipients through the command, beside Python's own csv module on the same file."""

import random
import sys
import tempfile
from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from measuring import PROGRAM, Cost, Row, cost_of, environment, in_turns, peak, processor, ratio, scaled

TITLE = "Lists"
ABOUT = (
    "Processor seconds of whole processes, start-up included, and their peak memory; in turns, the median of three. "
    "Floor: Python's `csv` module reads the same file; of the forecast: the same command without it."
)
_CODES = ("90", "91", "93", "94", "95", "97", "98", "99", "88", "33", "77", "50", "20")
_SOUND = Path(__file__).parent.parent / "campaigns" / "data" / "tone.mp3"
_CSV = """
import csv, sys
with open(sys.argv[1], newline="", encoding="utf-8") as file:
    for row in csv.reader(file, delimiter=sys.argv[2]):
        pass
"""
_ROUNDS = 3


def rows(size: float) -> Iterator[Row]:
    """Yields the rows: a list of a million, smaller ones that are written otherwise, and a forecast."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for count, name, delimiter, lines in _lists(size):
            path = home / "list.csv"
            with path.open("w", encoding="utf-8") as file:
                file.writelines(lines)
            yield from _compared(home, path, f"{count:,} rows, {name}", delimiter)
        yield _forecast(home, scaled(30_000, size))


def _compared(home: Path, path: Path, name: str, delimiter: str) -> Iterator[Row]:
    commands = _commands(path, home / "clean.csv")
    words = {"csv": [sys.executable, "-c", _CSV, str(path), delimiter], **commands}

    def run(line: list[str]) -> Cost:
        (home / "clean.csv").unlink(missing_ok=True)
        return cost_of(line, environment(home), home)

    costs = in_turns(_ROUNDS, {command: partial(run, line) for command, line in words.items()})
    floor = processor(costs["csv"])
    for command in commands:
        seconds = processor(costs[command])
        measured = f"{seconds:.2f} s, {peak(costs[command]):.0f} MB"
        yield Row(name, f"`{command}`", measured, f"{floor:.2f} s", ratio(seconds, floor))


def _commands(path: Path, clean: Path) -> dict[str, list[str]]:
    program = [*PROGRAM, "--profile", "sandbox"]
    return {
        "numbers check": [*program, "numbers", "check", str(path)],
        "numbers check --clean": [*program, "numbers", "check", str(path), "--clean", str(clean)],
        "autorule check": [*program, *_campaign(path, 1, "712037006")],
    }


def _campaign(path: Path, days: int, *lines: str) -> list[str]:
    first = date.today() + timedelta(days=1)
    times = ["--from", f"{first:%Y.%m.%d}", "--to", f"{first + timedelta(days=days - 1):%Y.%m.%d}", "--night-ok"]
    times += ["--fromtime", "10:00", "--totime", "20:59"]
    return ["autorule", "check", "--record", str(_SOUND), "--recipients", str(path), "--trunks", *lines, *times]


def _forecast(home: Path, count: int) -> Row:
    path = home / "forecast.csv"
    path.write_text("phone\n" + "".join(f"99890{number:07}\n" for number in range(count)), "utf-8")
    plain = [*PROGRAM, "--profile", "sandbox", *_campaign(path, 5, "all"), "--maxline", "30", "--json"]
    runs = {name: partial(cost_of, [*plain, *more], environment(home), home) for name, more in _FORECAST.items()}
    costs = in_turns(_ROUNDS, runs)
    seconds, floor = processor(costs["with"]), processor(costs["without"])
    measured = f"{seconds:.2f} s, {peak(costs['with']):.0f} MB"
    command = "`autorule check --forecast --maxline 30`"
    return Row(f"{count:,} rows, five days", command, measured, f"{floor:.2f} s", ratio(seconds, floor))


_FORECAST = {"without": (), "with": ("--forecast",)}


def _lists(size: float) -> Iterator[tuple[int, str, str, Iterator[str]]]:
    """Yields counts, names, delimiters and lines; the lines one by one: a process starts with its parent's memory."""
    chance = random.Random(5)
    many, rows = scaled(1_000_000, size), scaled(200_000, size)
    repeated = (place - place % 10 if place % 10 < 2 else place for place in range(rows))
    yield many, "`name;998…`", ";", (f"Мижоз {place};998{_number(chance)}\n" for place in range(many))
    yield rows, "nine digits alone", ",", (f"{_number(chance)}\n" for _ in range(rows))
    yield rows, "every tenth repeated", ";", (f"Мижоз {place};998901{place:06}\n" for place in repeated)
    yield rows, "`+998 (90) 123-45-67`", ";", (f"Мижоз {place};{_spelled(chance)}\n" for place in range(rows))


def _number(chance: random.Random) -> str:
    return f"{chance.choice(_CODES)}{chance.randrange(10**7):07}"


def _spelled(chance: random.Random) -> str:
    number = _number(chance)
    return f"+998 ({number[:2]}) {number[2:5]}-{number[5:7]}-{number[7:]}"
