"""What a command costs before it does anything, beside a Python that does nothing."""

import http.server
import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from event_rows import Rows
from measuring import PROGRAM, Row, cost_of, environment, in_turns, processor, ratio, scaled

TITLE = "Start-up"
ABOUT = "Processor milliseconds of whole commands, in turns, the median of fifteen. Floor: `python -c pass`."
_ROUNDS = 15
_RULES = """
fallback = { queue = "6000" }

[hours]
holidays = "UZ"
work = ["Mon-Fri 09:00-18:00"]

[[rule]]
name = "work"
when = { hours = "work" }
then = { peer = "101" }
"""
_COMMANDS = (
    "--version",
    "--help",
    "call out --help",
    "trunks --json",
    "trunks",
    "-p sandbox trunks",
    "-p sandbox events list",
    "-p sandbox route check rules.toml",
    "-p sandbox call out --from 101 --to 998901234567 --night-ok --dry-run",
    "completion bash",
)


def rows(size: float) -> Iterator[Row]:
    """Yields commands that load little and commands that load much."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (home / "rules.toml").write_text(_RULES, "utf-8")
        (home / "state").mkdir()
        events = Rows(home / "state" / "events-sandbox.db")
        for _ in range(20):
            events.call(time.time() - 3600)
        environ = environment(home, ALOVOICE_TOKEN="t", ALOVOICE_BASE_URL=stack.enter_context(_two_lines()))
        lines = {command: [*PROGRAM, *command.split()] for command in _COMMANDS}
        lines["floor"] = [sys.executable, "-c", "pass"]
        runs = {name: partial(cost_of, line, environ, home) for name, line in lines.items()}
        in_turns(1, runs)  # warms the caches
        costs = in_turns(scaled(_ROUNDS, size), runs)
    floor = processor(costs.pop("floor"))
    for command, found in costs.items():
        measured = f"{processor(found) * 1000:.0f} ms"
        times = ratio(processor(found), floor)
        yield Row("the whole command", f"`alovoice {command}`", measured, f"{floor * 1000:.0f} ms", times)


class _Lines(http.server.BaseHTTPRequestHandler):
    """Answers any GET as getMyTrunks does."""

    def do_GET(self) -> None:
        body = json.dumps(["712037006", "712037007"]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def _two_lines() -> Iterator[str]:
    """Serves a PBX of two lines; gives its URL."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Lines) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
