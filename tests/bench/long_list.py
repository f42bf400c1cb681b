"""A list of a million numbers is replaced again and again: the longest answer, beside a listener without a list.

By hand: `python tests/bench/long_list.py [REPLACEMENTS [NUMBERS]]`. Questions go to both listeners in turn, so what the
neighbours of a busy machine do to the times, they do to both. Prints times and memory; asserts nothing.
"""

import contextlib
import http.client
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

REPLACEMENTS = int(sys.argv[1]) if len(sys.argv) > 1 else 3
NUMBERS = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
PAUSE_SECONDS = 0.01
RULES = """fallback = { queue = "6000" }
[lists]
blocked = "blocked.csv"
[[rule]]
name = "blocked"
when = { from = "@blocked" }
then = { hangup = true }
"""


class Listener:
    """One listener process with a state directory of its own, and the times of its answers in ms."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.errors = folder / f"{'-'.join(words).strip('-')}.err"
        environ = {**os.environ, "ALOVOICE_STATE_DIR": str(self.errors.with_suffix(".state"))}
        environ["ALOVOICE_CONFIG_DIR"] = environ["ALOVOICE_STATE_DIR"]
        command = [sys.executable, "-m", "alovoice_cli", "listen", "--port", "0", "--json", *words]
        with self.errors.open("w") as errors:
            self.process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=errors, cwd=folder)
        assert self.process.stdout is not None
        url = urlsplit(json.loads(self.process.stdout.readline())["urls"]["route"])
        threading.Thread(target=self.process.stdout.read, daemon=True).start()
        self._path, self._connection = url.path, http.client.HTTPConnection(url.netloc, timeout=60)
        self.took: list[float] = []

    def ask(self, number: str) -> str:
        """The step that a caller gets."""
        body = json.dumps({"from_number": number, "line_number": "712037006", "direction": "inc"})
        start = time.perf_counter()
        self._connection.request("POST", self._path, body, {"Content-Type": "application/json"})
        answer = self._connection.getresponse().read()
        self.took.append((time.perf_counter() - start) * 1000)
        return str(json.loads(answer)["action_type"])

    def begin(self) -> None:
        """Counts answers anew, on a new connection: the last one may have been idle for too long."""
        self._connection.close()
        self.took = []

    def resident(self) -> float:
        """The process's memory in MB, without what it shares with others."""
        found = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        return sum(int(line.split()[1]) for line in found.splitlines() if line.startswith("Private")) / 1024

    def children(self) -> float:
        """The memory of its child processes in MB."""
        found = 0.0
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            for pid in (task / "children").read_text().split():
                with contextlib.suppress(OSError):
                    found += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
        return found


@contextlib.contextmanager
def _ended(listener: Listener) -> Iterator[Listener]:
    try:
        yield listener
    finally:
        listener.process.terminate()
        listener.process.wait(60)


def _write(folder: Path, first: int) -> str:
    """Moves a new list into place; returns its first number."""
    numbers = random.Random(first).sample(range(998_900_000_000, 998_999_999_999), NUMBERS)
    beside = folder / "blocked.new"
    beside.write_text("".join(f"+{number}\n" for number in numbers))
    beside.replace(folder / "blocked.csv")
    return f"+{numbers[0]}"


def _replace(folder: Path, place: int, long: Listener, control: Listener) -> None:
    number = _write(folder, place)
    start, most = time.perf_counter(), 0.0
    for listener in (long, control):
        listener.begin()
    while long.ask(number) != "hangup":
        control.ask(number)
        most = max(most, long.children())
        time.sleep(PAUSE_SECONDS)
    took = time.perf_counter() - start
    print(
        f"in force after {took:.1f} s; longest of {len(long.took)} answers {max(long.took):.0f} ms,"
        f" of the control {max(control.took):.0f} ms; the listener holds {long.resident():.0f} MB,"
        f" its child held up to {most:.0f} MB",
        flush=True,
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "rules.toml").write_text(RULES)
        _write(folder, 0)
        start = time.perf_counter()
        with _ended(Listener(folder, "--rules", "rules.toml")) as long:
            print(f"ready after {time.perf_counter() - start:.1f} s with {NUMBERS:,} numbers: {long.resident():.0f} MB")
            with _ended(Listener(folder, "--fallback", "queue:6000")) as control:
                print(f"the control, without a list: {control.resident():.0f} MB")
                for place in range(1, REPLACEMENTS + 1):
                    _replace(folder, place, long, control)


if __name__ == "__main__":
    main()
