"""Calls a second of a batch with its journal, beside httpx alone with nothing written down."""

import json
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from measuring import PROGRAM, Row, cost_of, environment, in_turns, ratio, scaled, started

TITLE = "Batches"
ABOUT = (
    "Rows a second, start-up taken off, in turns, the best of three. Both talk to one bare server on loopback, on a "
    "fresh connection a call, by as many threads. Floor: a Python process that posts the same calls with httpx alone "
    "and writes nothing down; of the resume: a command that only starts."
)
_ROUNDS, _JOBS = 3, (1, 8, 32)
_TOKEN = "cafe0000-dead-4eef-8bad-f00dfeed0042"
_SERVER = """
import asyncio
ANSWER = b"HTTP/1.1 200 OK\\r\\nContent-Length: 4\\r\\nConnection: close\\r\\n\\r\\ntrue"
async def serve(reader, writer):
    head = await reader.readuntil(b"\\r\\n\\r\\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\\r\\n")[0])
    await reader.readexactly(length)
    writer.write(ANSWER)
    writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024)
    print("http://127.0.0.1:%d" % server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""
_FLOOR = """
import queue, sys, threading, httpx
url, jobs, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
client = httpx.Client(limits=httpx.Limits(max_keepalive_connections=0), trust_env=False)
rows = queue.SimpleQueue()
for row in range(count):
    rows.put(row)
def work():
    while True:
        try:
            row = rows.get_nowait()
        except queue.Empty:
            return
        body = {"call_id": str(row), "inner_phone": 2424, "number": f"90{1_000_000 + row}"}
        assert client.post(f"{url}/outcall/token", json=body).text == "true"
threads = [threading.Thread(target=work) for _ in range(jobs)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def rows(size: float) -> Iterator[Row]:
    """Yields batches with 1, 8 and 32 jobs, then the resume of a batch that has ended."""
    count = scaled(1_000, size)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with started([sys.executable, "-c", _SERVER], environment(home), home) as (_, url):
            for jobs in _JOBS:
                yield _compared(home, url, jobs, count)
            yield _resumed(home, url, scaled(5_000, size))


def _compared(home: Path, url: str, jobs: int, count: int) -> Row:
    def bare(rows: int) -> float:
        line = [sys.executable, "-c", _FLOOR, url, str(jobs), str(rows)]
        return cost_of(line, environment(home), home).wall

    runs = {
        "bare": partial(bare, count),
        "bare start": partial(bare, 1),
        "batch": partial(_batch, home, url, jobs, count),
        "batch start": partial(_batch, home, url, jobs, 1),
    }
    best = {name: min(seconds) for name, seconds in in_turns(_ROUNDS, runs).items()}
    own, floor = (count / (best[name] - best[f"{name} start"]) for name in ("batch", "bare"))
    command = f"`call out --batch rows.jsonl --jobs {jobs}`"
    return Row(f"{count:,} calls", command, f"{own:,.0f} a second", f"{floor:,.0f} a second", ratio(own, floor))


def _environ(home: Path, url: str, state: str) -> dict[str, str]:
    own = {"ALOVOICE_BASE_URL": url, "ALOVOICE_TOKEN": _TOKEN, "ALOVOICE_STATE_DIR": str(home / state)}
    return environment(home, **own)


def _batch(home: Path, url: str, jobs: int, count: int, state: str = "") -> float:
    """Seconds of a batch of so many rows; in a state directory of its own unless one is named."""
    with (home / "rows.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps({"number": f"90{1_000_000 + row}"}) + "\n" for row in range(count))
    words = ["call", "out", "--batch", "rows.jsonl", "--inner-phone", "2424", "--night-ok", "--confirm", str(count)]
    if not state:
        with tempfile.TemporaryDirectory(dir=home) as own:
            return cost_of([*PROGRAM, *words, "--jobs", str(jobs)], _environ(home, url, own), home).wall
    return cost_of([*PROGRAM, *words, "--jobs", str(jobs)], _environ(home, url, state), home).wall


def _resumed(home: Path, url: str, count: int) -> Row:
    _batch(home, url, 32, count, "state")

    def start() -> float:
        words = [*PROGRAM, "call", "receipts", "list", "--limit", "1"]
        return cost_of(words, _environ(home, url, "state"), home).wall

    def resume() -> float:
        return _batch(home, url, 32, count, "state")

    runs = {"resume": resume, "start": start}
    best = {name: min(seconds) for name, seconds in in_turns(_ROUNDS, runs).items()}
    return Row(
        f"{count:,} calls, all made before",
        "`call out --batch rows.jsonl`",
        f"{best['resume']:.2f} s",
        f"{best['start']:.2f} s",
        ratio(best["resume"], best["start"]),
    )
