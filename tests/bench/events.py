"""What the questions to a large event store cost: seconds each, and which indexes answer them.

By hand: `python tests/bench/events.py [EVENTS [FILE]]`, 1,000,000 by default; a FILE is kept and used again.
"""

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from event_rows import Rows, end_of, event_of

from alovoice_cli.events.event import Event

EVENTS = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
DAYS = 30
STATUSES = ("200", "200", "200", "200", "304", "480", "486", "603", "603-S", "404")
QUESTIONS = (
    ("events", "list", "--limit", "50"),
    ("events", "list", "--limit", "50", "--since", "2h"),
    ("events", "list", "--limit", "50", "--since", "all", "--until", "yesterday"),
    ("events", "list", "--limit", "50", "--type", "callend"),
    ("events", "list", "--limit", "50", "--number", "901000042"),
    ("events", "list", "--limit", "50", "--where", "status = 486 and duration < 5"),
    ("events", "list", "--limit", "50", "--line", "712037006"),
    ("events", "stats"),
    ("events", "stats", "--since", "all", "--by", "hour"),
    ("events", "stats", "--since", "today", "--by", "line"),
    ("events", "missed", "--since", "today", "--not-returned"),
    ("events", "missed"),
    ("events", "gaps"),
)


def fill(path: Path) -> None:
    rows, chance, now = Rows(path), random.Random(1), time.time()
    begin, calls, events = now - DAYS * 86400, EVENTS // 2, []
    for number in range(calls):
        at = begin + DAYS * 86400 * number / calls
        events += _call(number, at, chance)
        if len(events) >= 20_000:
            rows.store(events)
            events = []
    if events:
        rows.store(events)
    rows.listened((begin, now, False))


def _call(number: int, at: float, chance: random.Random) -> list[Event]:
    own, duration = f"01CALL{number:010}", chance.randrange(300)
    start = {
        "inner_phone": chance.randrange(100, 130),
        "number": f"+99890{chance.randrange(1_000_000, 1_200_000)}",
        "line": chance.choice(("712037006", "712037007", "712037008")),
        "type": chance.choice(("inc", "inc", "out")),
        "start_time": int(at),
    }
    end = end_of(own, int(at) + duration, duration, chance.choice(STATUSES))
    return [event_of("callstart", at, start, call_id=own), event_of("callend", at + duration, end)]


def main() -> None:
    path = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(tempfile.mkdtemp()) / "events.db"
    if not path.exists():
        begun = time.perf_counter()
        fill(path)
        print(f"{EVENTS:,} events written in {time.perf_counter() - begun:.0f} s: {path.stat().st_size / 1e6:.0f} MB")
    for words in QUESTIONS:
        best = min(_seconds(words, path) for _ in range(3))
        print(f"{best:7.2f} s  alovoice {' '.join(words)}")


def _seconds(words: tuple[str, ...], path: Path) -> float:
    begun = time.perf_counter()
    command = [sys.executable, "-m", "alovoice_cli", *words, "--store", str(path)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
