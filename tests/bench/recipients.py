"""What a list costs through the command, beside Python's own csv module on the same file, and in how much memory.

    python tests/bench/recipients.py [ROWS [ROUNDS]]

CPU seconds of whole processes, start-up included, taken in turns; the median of the rounds. The promise for a million
rows: `numbers check` and `autorule check` at most 8 times csv, with `--clean` at most 11 times, under 200 MB.
"""

import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

_CODES = ("90", "91", "93", "94", "95", "97", "98", "99", "88", "33", "77", "50", "20")
_SOUND = Path(__file__).parent.parent / "campaigns" / "data" / "tone.mp3"
_CSV = """
import csv, sys
with open(sys.argv[1], newline="", encoding="utf-8") as file:
    for row in csv.reader(file, delimiter=sys.argv[2]):
        pass
"""


def _measure(words: list[str], home: Path) -> tuple[float, float]:
    """CPU seconds and peak memory (MB) of one process."""
    environ = {"PATH": os.environ["PATH"], "ALOVOICE_CONFIG_DIR": str(home), "ALOVOICE_STATE_DIR": str(home)}
    with (home / "said").open("wb") as said:
        process = subprocess.Popen(words, stdout=said, stderr=said, env=environ)
        _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(words)}: {(home / 'said').read_text()}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def _commands(path: Path, clean: Path) -> dict[str, list[str]]:
    day = f"{date.today() + timedelta(days=1):%Y.%m.%d}"
    program = [sys.executable, "-m", "alovoice_cli", "--profile", "sandbox"]
    times = ["--from", day, "--to", day, "--fromtime", "10:00", "--totime", "11:00", "--night-ok"]
    campaign = ["--record", str(_SOUND), "--recipients", str(path), "--trunks", "712037006", *times]
    return {
        "numbers check": [*program, "numbers", "check", str(path)],
        "numbers check --clean": [*program, "numbers", "check", str(path), "--clean", str(clean)],
        "autorule check": [*program, "autorule", "check", *campaign],
    }


def _number(chance: random.Random) -> str:
    return f"{chance.choice(_CODES)}{chance.randrange(10**7):07}"


def _spelled(chance: random.Random) -> str:
    number = _number(chance)
    return f"+998 ({number[:2]}) {number[2:5]}-{number[5:7]}-{number[7:]}"


def _lists(rows: int) -> dict[str, tuple[str, Iterator[str]]]:
    """The lists, a line at a time: a process starts with the peak memory of its parent."""
    chance = random.Random(5)
    repeated = (place - place % 10 if place % 10 < 2 else place for place in range(rows))
    return {
        "name;phone, 998…": (";", (f"Мижоз {place};998{_number(chance)}\n" for place in range(rows))),
        "phone alone, 9 digits": (",", (f"{_number(chance)}\n" for _ in range(rows))),
        "phone alone, repeated": (",", (f"90{chance.randrange(rows // 2 or 1):07}\n" for _ in range(rows))),
        "every tenth a duplicate": (";", (f"Мижоз {place};998901{place:06}\n" for place in repeated)),
        "+998 (90) 123-45-67": (";", (f"Мижоз {place};{_spelled(chance)}\n" for place in range(rows))),
    }


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    print(f"{rows} rows, {rounds} rounds: CPU seconds, how many times csv, peak memory")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        path, clean = home / "list.csv", home / "clean.csv"
        for name, (delimiter, lines) in _lists(rows).items():
            with path.open("w", encoding="utf-8") as file:
                file.writelines(lines)
            words = {"csv": [sys.executable, "-c", _CSV, str(path), delimiter], **_commands(path, clean)}
            runs: dict[str, list[tuple[float, float]]] = {}
            for _ in range(rounds):
                for command, line in words.items():
                    clean.unlink(missing_ok=True)
                    runs.setdefault(command, []).append(_measure(line, home))
            floor = statistics.median(seconds for seconds, _ in runs["csv"])
            for command, measured in runs.items():
                seconds = statistics.median(seconds for seconds, _ in measured)
                peak = max(megabytes for _, megabytes in measured)
                print(f"{name:24} {command:22} {seconds:6.2f} s {seconds / floor:5.1f} x {peak:5.0f} MB", flush=True)


if __name__ == "__main__":
    main()
