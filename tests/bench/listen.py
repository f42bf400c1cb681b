"""Durable events a second, in a file and on a PostgreSQL server, and as a ratio to the same server without a store.

By hand: `python tests/bench/listen.py [SECONDS [DIRECTORY]]`. Needs wrk. Each event is a callend of its own; the
listener runs as its user runs it, with its output in a file. There are two floors: the same receiver with nothing
behind it that stores, and below that the same hardened server with an app that answers `true` to whatever comes.
Both stores sync each commit to the same disk; file and server are measured in turns, and the ratio is of medians.
"""

import contextlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from postgres_server import Cluster, running_cluster

SECONDS = int(sys.argv[1]) if len(sys.argv) > 1 else 5
SENDERS = (1, 8, 64)
TURNS = 3

_FLOOR = """
from alovoice_cli.listening.listener import LIMITS
from alovoice_cli.serving.server import SocketServer

async def answer(scope, receive, send):
    more = True
    while more:
        message = await receive()
        more = message.get("more_body", False)
    head = [(b"content-length", b"4"), (b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": b"true"})

SocketServer(answer, limits=LIMITS).run(lambda url: print(url, flush=True))
"""
_STORELESS = """
import asyncio
from datetime import UTC, datetime
from alovoice_cli.events.answers import StartAnswer
from alovoice_cli.events.event_assembly import FirstDelivery, Stored
from alovoice_cli.events.receiver import Door, Receiver
from alovoice_cli.listening.listener import LIMITS
from alovoice_cli.serving.server import SocketServer

class Nothing:
    asked = None

    def store(self, new):
        stored = asyncio.get_running_loop().create_future()
        stored.set_result(Stored(1, FirstDelivery("1", StartAnswer("1"))))
        return stored

app = Receiver(Door(None), Nothing(), lambda: datetime.now(UTC))
SocketServer(app, limits=LIMITS).run(lambda url: print(url + "/callend", flush=True))
"""
_LUA = """
local count = 0
local thread_id = 0
function setup(thread) thread:set("id", thread_id); thread_id = thread_id + 1 end
function request()
  count = count + 1
  local body = string.format('{"call_id": "%d-%d", "finish_time": 1716209468, "duration": 42, "status_code": 200, '
    .. '"record": "https://cld.alovoice.uz/r/1"}', id, count)
  return wrk.format("POST", nil, nil, body)
end
function done(summary, latency, requests)
  io.write(string.format("RESULT %d %d %.0f %.0f %d\\n", summary.requests, summary.duration, latency:percentile(50),
    latency:percentile(99), summary.errors.status + summary.errors.read + summary.errors.timeout))
end
"""


@contextlib.contextmanager
def _started(words: list[str], environ: dict[str, str], out: Path) -> Iterator[str]:
    """A server process and the first line that it printed."""
    with out.open("w") as file:
        process = subprocess.Popen(words, env=environ, stdout=file, stderr=subprocess.DEVNULL)
    try:
        while not (line := out.read_text().partition("\n")[0]):
            if process.poll() is not None:
                raise SystemExit(f"it ended with {process.returncode}: {' '.join(words)}")
            time.sleep(0.05)
        yield line
    finally:
        process.terminate()
        process.wait(60)


def _measure(url: str, senders: int, script: Path) -> tuple[float, float, float]:
    """Requests a second, and the 50th and 99th percentile in milliseconds."""
    words = ["wrk", "-t1", f"-c{senders}", f"-d{SECONDS}s", "-s", str(script), url]
    told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    match = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+)", told)
    assert match, told
    requests, duration, p50, p99, failed = map(int, match.groups())
    assert failed == 0, told
    return requests / (duration / 1e6), p50 / 1000, p99 / 1000


def main() -> None:
    if not shutil.which("wrk"):
        sys.exit("wrk is not installed")
    home = Path(tempfile.mkdtemp(dir=sys.argv[2] if len(sys.argv) > 2 else None))
    script = home / "events.lua"
    script.write_text(_LUA)
    environ = {**os.environ, "ALOVOICE_CONFIG_DIR": str(home / "c"), "ALOVOICE_STATE_DIR": str(home / "s")}
    with running_cluster(durable=True) as cluster:
        for senders in SENDERS:
            floors = []
            for program in (_STORELESS, _FLOOR):
                with _started([sys.executable, "-c", program], environ, home / "floor") as url:
                    floors.append(_measure(url, senders, script))
            print(_told(senders, floors, *_stores(senders, script, environ, home, cluster)), flush=True)
    shutil.rmtree(home)


def _stores(
    senders: int, script: Path, environ: dict[str, str], home: Path, cluster: Cluster
) -> tuple[list[tuple[float, float, float]], list[tuple[float, float, float]]]:
    """The figures of each turn, in a file and on the server; each turn has a store of its own."""
    words = [sys.executable, "-m", "alovoice_cli", "listen", "--port", "0", "--json", "--store"]
    figures: tuple[list[tuple[float, float, float]], ...] = ([], [])
    for turn in range(TURNS):
        for found, store in zip(figures, (f"sqlite:///{home}/{senders}-{turn}.db", cluster.database()), strict=True):
            with _started([*words, store], environ, home / "events") as ready:
                found.append(_measure(json.loads(ready)["urls"]["callend"], senders, script))
    return figures[0], figures[1]


def _told(
    senders: int,
    floors: list[tuple[float, float, float]],
    file: list[tuple[float, float, float]],
    server: list[tuple[float, float, float]],
) -> str:
    (rate, p50, p99), (there, there_p50, there_p99) = (
        tuple(statistics.median(figure[place] for figure in figures) for place in range(3))
        for figures in (file, server)
    )
    below = "; ".join(
        f"{name} {floor:6.0f}/s p99 {slow:5.2f} ms, ratio {rate / floor:.2f}"
        for name, (floor, _, slow) in zip(("nothing stored", "bare answer"), floors, strict=True)
    )
    return (
        f"{senders:3} senders: file {rate:6.0f}/s p50 {p50:5.2f} p99 {p99:5.2f} ms; server {there:6.0f}/s"
        f" p50 {there_p50:5.2f} p99 {there_p99:5.2f} ms, ratio {there / rate:.2f}; {below}"
    )


if __name__ == "__main__":
    main()
