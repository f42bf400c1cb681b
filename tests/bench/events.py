"""Questions to a large event store, beside plain sqlite3 that reads the same rows; and the store in PostgreSQL."""

import random
import shlex
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from event_rows import Rows, end_of, event_of
from measuring import PROGRAM, Row, cost_of, environment, in_turns, ratio, scaled
from postgres_server import running_cluster

from alovoice_cli.events.event import Event
from alovoice_cli.stores.event_engine import opened

TITLE = "Event store"
ABOUT = (
    "Seconds by the clock of whole commands, start-up included, in turns, the best of three; thirty days of calls. "
    "Floor: a Python process that reads with `sqlite3` alone the rows which the question cannot do without; of the "
    "store in PostgreSQL: the store in a file."
)
_DAYS = 30
_STATUSES = ("200", "200", "200", "200", "304", "480", "486", "603", "603-S", "404")
_ROUNDS = 3
_SCAN = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
for row in connection.execute(sys.argv[2]):
    pass
"""
_NEWEST = "SELECT * FROM fact JOIN delivery USING (seq) ORDER BY seq DESC LIMIT 50"
_WITH_STATUS = (
    "SELECT * FROM fact JOIN delivery USING (seq) WHERE status = '486' AND duration < 5 ORDER BY seq DESC LIMIT 50"
)
_COUNTED = "SELECT direction, status, COUNT(*), SUM(duration) FROM call GROUP BY direction, status"
_CALLS = "SELECT number, line, peer, direction, started_at, ended_at, status, duration FROM call"
_DAY = f"{_CALLS} WHERE reported_at > (SELECT MAX(reported_at) - 86400000000 FROM call)"
_THREE_DAYS = "(SELECT MAX(received_at) - 259200000000 FROM delivery)"
_EVENTS = f"SELECT * FROM fact JOIN delivery USING (seq) WHERE fact.received_at > {_THREE_DAYS} ORDER BY seq"
_QUESTIONS = (
    ("events list --limit 50", _NEWEST),
    ("events list --limit 50 --where 'status = 486 and duration < 5'", _WITH_STATUS),
    ("events stats --since all", _COUNTED),
    ("events stats --since all --by hour", _CALLS),
    ("events stats --since all --kpi", _CALLS),
    ("events missed", _CALLS),
    ("day yesterday", _DAY),
    ("events export --since 3d", _EVENTS),
)


def rows(size: float) -> Iterator[Row]:
    """Yields each question, to a file and to a server."""
    count = scaled(100_000, size)
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(running_cluster(durable=True)).database()
        file = home / "events.db"
        for store in (f"sqlite:///{file}", server):
            _fill(store, count)
        with opened(server) as connection:
            connection.execute("VACUUM ANALYZE")  # as autovacuum does it by and by
        for question, scan in _QUESTIONS:
            words = [*PROGRAM, *shlex.split(question), "--store"]
            lines = {
                "floor": [sys.executable, "-c", _SCAN, str(file), scan],
                "file": [*words, f"sqlite:///{file}"],
                "server": [*words, server],
            }
            runs = {name: partial(cost_of, line, environment(home), home) for name, line in lines.items()}
            best = {name: min(cost.wall for cost in costs) for name, costs in in_turns(_ROUNDS, runs).items()}
            for name, floor, place in (("file", "floor", ""), ("server", "file", ", in PostgreSQL")):
                figure = f"{count:,} events{place}"
                yield Row(
                    figure,
                    f"`{question}`",
                    f"{best[name]:.2f} s",
                    f"{best[floor]:.2f} s",
                    ratio(best[name], best[floor]),
                )


def _fill(url: str, count: int) -> None:
    """Writes the calls of thirty days."""
    rows, chance, now = Rows(url), random.Random(1), time.time()
    begin, calls, events = now - _DAYS * 86400, count // 2, list[Event]()
    for number in range(calls):
        events += _call(number, begin + _DAYS * 86400 * number / calls, chance)
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
    end = end_of(own, int(at) + duration, duration, chance.choice(_STATUSES))
    return [event_of("callstart", at, start, call_id=own), event_of("callend", at + duration, end)]
