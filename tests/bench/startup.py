"""What a command costs before it does anything: processor time, as ratios of interleaved medians to `python -c pass`.

By hand: `python tests/bench/startup.py [ROUNDS]`. Rivals are measured where they are installed.
"""

import http.server
import json
import os
import resource
import shutil
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from event_rows import Rows

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 21
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


def _processor_seconds() -> float:
    """What all ended children took, in the program and in the system for it."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _serve(certificate: Path | None = None) -> int:
    """Starts a server, over TLS where it gets a certificate, and returns its port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Lines)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return int(server.server_address[1])


def _certificate(folder: str) -> Path:
    """A certificate of its own authority, which no client trusts, with its key in one file."""
    file = Path(folder, "server.pem")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-subj", "/CN=localhost", "-keyout", f"{file}.key", "-out", f"{file}.cert"]
    subprocess.run(command, check=True, capture_output=True)
    file.write_text(Path(f"{file}.key").read_text() + Path(f"{file}.cert").read_text())
    return file


def main() -> None:
    home = tempfile.mkdtemp()
    url = f"http://127.0.0.1:{_serve()}"
    https_url = f"https://localhost:{_serve(_certificate(home))}"
    rules = Path(home, "rules.toml")
    rules.write_text(_RULES, "utf-8")
    events = Rows(Path(home, "events-sandbox.db"))
    for _ in range(20):
        events.call(time.time() - 3600)
    environ = {
        "HOME": home,
        "PATH": os.environ["PATH"],
        "ALOVOICE_CONFIG_DIR": home,
        "ALOVOICE_STATE_DIR": home,
        "ALOVOICE_TOKEN": "t",
        "ALOVOICE_BASE_URL": url,
    }
    alovoice = str(Path(sys.executable).with_name("alovoice"))
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "alovoice --version": [alovoice, "--version"],
        "alovoice --help | cat": [alovoice, "--help"],
        "alovoice call out --help | cat": [alovoice, "call", "out", "--help"],
        "alovoice trunks --json (http)": [alovoice, "trunks", "--json"],
        "alovoice trunks (http)": [alovoice, "trunks"],
        # The system's authorities are asked about the server, and know it not.
        "alovoice trunks (https, refused)": [alovoice, "--base-url", https_url, "trunks"],
        "alovoice -p sandbox trunks": [alovoice, "-p", "sandbox", "trunks"],
        "alovoice -p sandbox events list": [alovoice, "-p", "sandbox", "events", "list"],
        "alovoice -p sandbox route check": [alovoice, "-p", "sandbox", "route", "check", str(rules)],
        "alovoice -p sandbox call out --dry-run": [
            *(alovoice, "-p", "sandbox", "call", "out", "--dry-run", "--night-ok"),
            *("--from", "101", "--to", "998901234567"),
        ],
        "alovoice completion bash": [alovoice, "completion", "bash"],
        "import typer": [sys.executable, "-c", "import typer"],
        "import httpx": [sys.executable, "-c", "import httpx"],
    }
    for name, words in (
        ("curl", ["curl", "-s", url]),
        ("http", ["http", "--ignore-stdin", url]),
        ("gh", ["gh", "--version"]),
    ):
        if shutil.which(name):
            commands[" ".join(words[:1]) + " (one GET)" if name != "gh" else "gh --version"] = words
    times: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(ROUNDS + 1):
        for name, words in commands.items():
            began = _processor_seconds()
            subprocess.run(words, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
            if number:  # the first round warms caches
                times[name].append(_processor_seconds() - began)
    floor = statistics.median(times["python -c pass"])
    for name, taken in times.items():
        median = statistics.median(taken)
        print(f"{median * 1000:8.1f} ms  {median / floor:5.1f}  {name}")


if __name__ == "__main__":
    main()
