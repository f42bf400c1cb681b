"""What the guards cost: answers a second of our server and of bare uvicorn, on both loops, with keep-alive.

By hand: `python tests/bench/serving.py [SECONDS [ROUNDS]]`; wants wrk. The ratios are to bare uvicorn on the same
loop in the same round; the best round of each counts, for other programs can only make one slower.
"""

import contextlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 3
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 2
SENDERS = (1, 8, 64)

APP = """
async def app(scope, receive, send):
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
    await send({"type": "http.response.body", "body": b"true"})
"""
WITHOUT_UVLOOP = """
import sys
sys.modules["uvloop"] = None
"""
OURS = """
from alovoice_cli.serving.server import SocketServer
SocketServer(app).run(lambda url: print(url, flush=True))
"""
BARE = """
import uvicorn
class Told(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        print("http://%s:%d" % self.servers[0].sockets[0].getsockname(), flush=True)
Told(uvicorn.Config(app, port=0, http="{http}", loop="{loop}", lifespan="off", ws="none", log_level="critical",
                    access_log=False)).run()
"""
PROGRAMS = {
    ("ours", "asyncio"): WITHOUT_UVLOOP + OURS,
    ("bare", "asyncio"): BARE.format(http="httptools", loop="asyncio"),
    ("ours", "uvloop"): OURS,
    ("bare", "uvloop"): BARE.format(http="httptools", loop="uvloop"),
}
POST = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"inner_phone": 100, "number": "+998901234567", "line": "712037006", "type": "inc", "start_time": 1764}'
"""
UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@contextlib.contextmanager
def served(program: str) -> Iterator[str]:
    process = subprocess.Popen([sys.executable, "-c", APP + program], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(10)


def measure(url: str, senders: int, script: Path) -> tuple[float, float, float]:
    """Answers a second, and the milliseconds under which 50 and 99 of 100 stay."""
    words = ["wrk", "-t1", f"-c{senders}", f"-d{SECONDS:g}s", "--latency", "-s", str(script), url]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in said, said
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    times = dict(re.findall(r"(50|99)%\s+([\d.]+(?:us|ms|s))", said))
    assert rate is not None
    return float(rate[1]), _milliseconds(times["50"]), _milliseconds(times["99"])


def _milliseconds(text: str) -> float:
    unit = re.sub(r"[\d.]", "", text)
    return float(text.removesuffix(unit)) * UNITS[unit]


def main() -> None:
    best: dict[tuple[str, str, int], tuple[float, float, float]] = {}
    with tempfile.TemporaryDirectory() as room:
        script = Path(room, "post.lua")
        script.write_text(POST)
        for _ in range(ROUNDS):
            for (who, loop), program in PROGRAMS.items():
                with served(program) as url:
                    for senders in SENDERS:
                        found = measure(url, senders, script)
                        best[who, loop, senders] = max(best.get((who, loop, senders), found), found)
    print(f"{'loop':<8} {'senders':>7} {'ours/s':>8} {'bare/s':>8} {'ratio':>6} {'p50 ms':>7} {'p99 ms':>7}")
    for loop in ("asyncio", "uvloop"):
        for senders in SENDERS:
            ours, bare = best["ours", loop, senders], best["bare", loop, senders]
            print(
                f"{loop:<8} {senders:>7} {ours[0]:>8.0f} {bare[0]:>8.0f} {ours[0] / bare[0]:>6.2f}"
                f" {ours[1]:>7.2f} {ours[2]:>7.2f}"
            )
    fast, slow = (best["ours", loop, 64][0] for loop in ("uvloop", "asyncio"))
    print(f"uvloop against asyncio, 64 senders: {fast / slow:.2f}")


if __name__ == "__main__":
    main()
