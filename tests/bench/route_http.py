"""What rules cost a caller: a route question over loopback beside the same server's bare answer.

By hand: `python tests/bench/route_http.py [SECONDS [DIRECTORY]]`. 200 requests a second, evenly spaced, on connections
that are kept, a quarter of a second to the one server and then to the other: what the neighbours of a busy machine do
to the times, they do to both. Prints times; asserts nothing.
"""

import contextlib
import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from urllib.parse import urlsplit

SECONDS = int(sys.argv[1]) if len(sys.argv) > 1 else 10
RATE, SENDERS, SLICE = 200, 16, 50

_BARE = """
from alovoice_cli.listening.listener import LIMITS
from alovoice_cli.serving.server import SocketServer

STEP = b'{"action_type": "queue", "action_data": "6000"}'

async def answer(scope, receive, send):
    more = True
    while more:
        more = (await receive()).get("more_body", False)
    head = [(b"content-length", str(len(STEP)).encode()), (b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": STEP})

SocketServer(answer, limits=LIMITS).run(lambda url: print(url, flush=True))
"""
_HEAD = 'fallback = { queue = "6000" }\n[lists]\nvip = "vip.csv"\n[hours]\noffice = ["Mon-Fri 09:00-18:00"]\n'
_RULE = '[[rule]]\nname = "r{n}"\nwhen = {{ from = "@vip", line = "71{n:07}" }}\nthen = {{ queue = "{n}" }}\n'
_PAST = '[[rule]]\nname = "back"\nwhen = { spoke_within = "7d" }\nthen = { peer = "@last_peer" }\n'


@contextlib.contextmanager
def _started(words: list[str], environ: dict[str, str], out: Path) -> Iterator[str]:
    """A server process and the first line that it printed."""
    with out.open("w") as file:
        process = subprocess.Popen(words, env=environ, stdout=file, stderr=subprocess.DEVNULL)
    try:
        while not (line := out.read_text().partition("\n")[0]):
            time.sleep(0.05)
        yield line
    finally:
        process.terminate()
        process.wait(60)


def _measure(urls: tuple[str, str]) -> tuple[list[float], list[float]]:
    """The times of the requests to each in ms, sorted; from when one was due: no queue hides its own length."""
    took: tuple[list[float], list[float]] = ([], [])
    due: Queue[tuple[int, float] | None] = Queue()

    def send() -> None:
        parts = [urlsplit(url) for url in urls]
        connections = [http.client.HTTPConnection(part.hostname or "", part.port) for part in parts]
        while (asked := due.get()) is not None:
            place, at = asked
            number = 900000000 + int(at * 1e6) % 99999999
            body = json.dumps({"from_number": str(number), "line_number": "712037006", "direction": "inc"})
            connections[place].request("POST", parts[place].path, body, {"Content-Type": "application/json"})
            answer = connections[place].getresponse()
            assert answer.status == 200
            assert json.loads(answer.read())["action_type"]
            took[place].append((time.perf_counter() - at) * 1000)

    threads = [threading.Thread(target=send) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    start = time.perf_counter()
    for number in range(RATE * SECONDS * 2):
        at = start + number / RATE
        time.sleep(max(at - time.perf_counter(), 0))
        due.put((number // SLICE % 2, at))
    for _ in threads:
        due.put(None)
    for thread in threads:
        thread.join()
    return sorted(took[0][SLICE:]), sorted(took[1][SLICE:])  # without those that opened the connections


def _percentiles(took: list[float]) -> tuple[float, float]:
    return took[len(took) // 2], took[len(took) * 99 // 100]


def main() -> None:
    home = Path(tempfile.mkdtemp(dir=sys.argv[2] if len(sys.argv) > 2 else None))
    (home / "vip.csv").write_text("".join(f"{900000000 + 7 * n}\n" for n in range(100_000)))
    plain = _HEAD + "".join(_RULE.format(n=n) for n in range(100))
    files = {"100 rules, a list of 100,000": plain, "the same, and the past of each caller": plain + _PAST}
    environ = {**os.environ, "ALOVOICE_CONFIG_DIR": str(home / "c"), "ALOVOICE_STATE_DIR": str(home / "s")}
    listen = [sys.executable, "-m", "alovoice_cli", "listen", "--port", "0", "--json"]
    for name, text in files.items():
        (home / "rules.toml").write_text(text)
        words = [*listen, "--rules", str(home / "rules.toml")]
        with (
            _started([sys.executable, "-c", _BARE], environ, home / "bare") as url,
            _started(words, environ, home / "events") as ready,
        ):
            bare, own = map(_percentiles, _measure((url, json.loads(ready)["urls"]["route"])))
        print(f"{name}: p50 {own[0]:.2f} p99 {own[1]:.2f} ms; bare p50 {bare[0]:.2f} p99 {bare[1]:.2f} ms;", end=" ")
        print(f"more by {own[0] - bare[0]:.2f} ms at p50, {own[1] - bare[1]:.2f} ms at p99")
    shutil.rmtree(home)


if __name__ == "__main__":
    main()
