"""What the questions to a large event store cost: seconds each, in a file and on a PostgreSQL server, and their ratio.

By hand: `python tests/bench/events.py [EVENTS [FILE [URL]]]`, 2,000,000 events (a million calls) by default. A FILE,
and the database of a URL, are kept and used again; without a URL a cluster of its own is started.
"""

import random
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from event_rows import Rows, end_of, event_of
from postgres_server import running_cluster

from alovoice_cli.events.event import Event
from alovoice_cli.stores.event_engine import opened, store_exists

EVENTS = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000
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
    ("events", "stats", "--since", "all"),
    ("events", "stats", "--since", "all", "--by", "hour"),
    ("events", "stats", "--since", "all", "--kpi"),
    ("events", "stats", "--since", "all", "--kpi", "--by", "line"),
    ("events", "stats", "--since", "today", "--by", "line"),
    ("events", "missed", "--since", "today", "--not-returned"),
    ("events", "missed"),
    ("events", "gaps"),
    ("day", "yesterday"),
    ("events", "export", "--since", "all"),
)


def fill(url: str) -> None:
    """Writes the calls of thirty days."""
    rows, chance, now = Rows(url), random.Random(1), time.time()
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
    return [
        event_of("callstart", at, start, call_id=own),
        event_of("callend", at + duration, end),
    ]


def main() -> None:
    path = Path(sys.argv[2]).absolute() if len(sys.argv) > 2 else Path(tempfile.mkdtemp()) / "events.db"
    with ExitStack() as stack:
        url = sys.argv[3] if len(sys.argv) > 3 else stack.enter_context(running_cluster(durable=True)).database()
        stores = (f"sqlite:///{path}", url)
        for store in stores:
            if not store_exists(store):
                begun = time.perf_counter()
                fill(store)
                print(f"{EVENTS:,} events written in {time.perf_counter() - begun:.0f} s: {store.partition(':')[0]}")
        with opened(url) as connection:
            connection.execute("VACUUM ANALYZE")  # as autovacuum does it by and by
        for words in QUESTIONS:
            own, server = (min(_seconds(words, store) for _ in range(3)) for store in stores)
            print(f"{own:7.2f} s {server:7.2f} s {server / own:6.2f}  alovoice {' '.join(words)}", flush=True)


def _seconds(words: tuple[str, ...], store: str) -> float:
    begun = time.perf_counter()
    command = [sys.executable, "-m", "alovoice_cli", *words, "--store", store]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
