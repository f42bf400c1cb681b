"""What the benches share: what a process took, servers, taking turns, and the rows of docs/figures.md.

A bench is a module with a `TITLE`, an `ABOUT` (what was run, what the floor is, what the ratio is of) and a function
`rows(size)`. At size 1 it takes two minutes at the most; 0.1 is for trying the bench, 10 for a large store or list.
"""

import contextlib
import os
import random
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

PROGRAM = (sys.executable, "-m", "alovoice_cli")
_T = TypeVar("_T")
_MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0}

_RUN = """
import os, sys, time
output = os.open(sys.argv[1], os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
streams = [(os.POSIX_SPAWN_DUP2, output, 1), (os.POSIX_SPAWN_DUP2, output, 2)]
began = time.perf_counter()
process = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ, file_actions=streams)
_, status, used = os.wait4(process, 0)
seconds = time.perf_counter() - began
print(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, os.waitstatus_to_exitcode(status))
"""
"""Runs a process and prints what it took. A small program, for a process begins with the peak memory of its parent."""

BARE_SERVER = """
import sys, uvicorn
ANSWER = sys.argv[1].encode()
HEAD = [(b"content-length", str(len(ANSWER)).encode()), (b"content-type", b"application/json")]

async def app(scope, receive, send):
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": HEAD})
    await send({"type": "http.response.body", "body": ANSWER})

class Told(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        print("http://%s:%d/" % self.servers[0].sockets[0].getsockname(), flush=True)

Told(uvicorn.Config(app, port=0, lifespan="off", ws="none", log_level="critical", access_log=False)).run()
"""
"""The floor of a server: uvicorn alone, on the same loop, which answers everything with its first argument."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a bench's table, as it is shown. `ratio` is of what was measured to the floor."""

    figure: str
    command: str
    measured: str
    floor: str
    ratio: str


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took: seconds by the clock, seconds of the processor, and its peak memory in MB."""

    wall: float
    processor: float
    memory: float


def scaled(count: int, size: float) -> int:
    """Returns a count of size 1 at another size; at least 1."""
    return max(1, round(count * size))


def environment(home: Path, **more: str) -> dict[str, str]:
    """Returns the environment of an account that has nothing but this folder."""
    own = {"HOME": str(home), "PATH": os.environ["PATH"]}
    return own | {"ALOVOICE_CONFIG_DIR": str(home / "config"), "ALOVOICE_STATE_DIR": str(home / "state")} | more


def cost_of(words: Sequence[str], environ: Mapping[str, str], folder: Path) -> Cost:
    """Runs a process to its end, with its output in a file; raises SystemExit with that output if it fails."""
    output = folder / "output"
    line = [sys.executable, "-S", "-c", _RUN, str(output), *words]
    told = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, env=environ, cwd=folder, check=True)
    wall, seconds, memory, code = told.stdout.split()
    if int(code):
        raise SystemExit(f"exit {int(code)}: {' '.join(words)}\n{output.read_text('utf-8', 'replace')[-2000:]}")
    return Cost(float(wall), float(seconds), float(memory))


def in_turns(rounds: int, runs: Mapping[str, Callable[[], _T]]) -> dict[str, list[_T]]:
    """Calls each of the runs once a round: what a busy machine does to one, it does to all."""
    results: dict[str, list[_T]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            results[name].append(run())
    return results


def processor(costs: Sequence[Cost]) -> float:
    """Returns the median of the processor seconds."""
    return statistics.median(cost.processor for cost in costs)


def peak(costs: Sequence[Cost]) -> float:
    """Returns the highest peak memory in MB."""
    return max(cost.memory for cost in costs)


def ratio(own: float, floor: float) -> str:
    """Returns how many times the floor it is, to two digits."""
    times = own / floor
    return f"{times:.0f}" if times >= 10 else f"{times:.2g}"


@contextlib.contextmanager
def started(words: Sequence[str], environ: Mapping[str, str], folder: Path) -> Iterator[tuple[int, str]]:
    """Starts a server with its output in a file; gives its process id and its first line, and ends it."""
    output, errors = (folder / f"server-{random.randrange(10**9)}.{suffix}" for suffix in ("out", "err"))
    with output.open("wb") as out, errors.open("wb") as err:
        process = subprocess.Popen(words, env=environ, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=folder)
    try:
        while "\n" not in (text := output.read_text("utf-8")):
            if process.poll() is not None:
                raise SystemExit(f"exit {process.returncode}: {' '.join(words)}\n{errors.read_text('utf-8')[-2000:]}")
            time.sleep(0.02)
        yield process.pid, text.partition("\n")[0]
    finally:
        process.terminate()
        process.wait(60)


def private_memory(pid: int) -> float:
    """Returns the memory in MB that this process shares with no other."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private")) / 1024


def flood(url: str, senders: int, seconds: float, script: Path) -> tuple[float, float]:
    """Returns the answers a second that wrk counts, and the milliseconds under which 99 of 100 stay."""
    words = ["wrk", "-t1", f"-c{senders}", f"-d{max(seconds, 1):.0f}s", "--latency", "-s", str(script), url]
    told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", told)
    slow = re.search(r"99%\s+([\d.]+)(us|ms|s)\b", told)
    if rate is None or slow is None or "Non-2xx" in told or "Socket errors" in told:
        raise SystemExit(f"wrk: {told}")
    return float(rate[1]), float(slow[1]) * _MILLISECONDS[slow[2]]
