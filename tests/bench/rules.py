"""Routing rules through the program: `route check` of a large file, and what rules and lists cost a caller."""

import contextlib
import http.client
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from queue import Queue
from urllib.parse import urlsplit

from measuring import (
    BARE_SERVER,
    PROGRAM,
    Row,
    cost_of,
    environment,
    in_turns,
    peak,
    private_memory,
    processor,
    ratio,
    scaled,
    started,
)

TITLE = "Rules"
ABOUT = (
    "`route check`: processor seconds and peak memory, in turns, the median of three; floor: Python reads the list "
    "into a sorted array. Answers: 200 questions a second on kept connections, a quarter of a second to the one server "
    "and then to the other, timed from when each was due; floor: uvicorn alone, which answers the same. Lists that are "
    "replaced: the longest answer while the new list is read; floor: a listener without a list, asked in turns with it."
)
_RATE, _SENDERS, _SLICE = 200, 16, 50
_STEP = '{"action_type": "queue", "action_data": "6000"}'
_SORTED = """
import array, sys
numbers = array.array("q", sorted(int(line) for line in open(sys.argv[1])))
"""
_HEAD = 'fallback = { queue = "6000" }\n[lists]\nvip = "vip.csv"\n'
_HOURS = '[hours]\noffice = ["Mon-Fri 09:00-18:00"]\nnight = ["Mon-Sun 22:00-06:00"]\nholidays = "UZ"\n'
_RULE = '[[rule]]\nname = "r{n}"\nwhen = {{ from = "@vip", line = "71{n:07}" }}\nthen = {{ queue = "{n}" }}\n'
_PAST = '[[rule]]\nname = "back"\nwhen = { spoke_within = "7d" }\nthen = { peer = "@last_peer" }\n'
_BLOCKED = '[[rule]]\nname = "blocked"\nwhen = { from = "@vip" }\nthen = { hangup = true }\n'
_KINDS = (
    'from = "@vip", line = "71203{n:04}"',
    'from = ["90{n:03}*", "+7495*"], hours = "office"',
    'line = ["71204{n:04}", "71205{n:04}"], not = {{ hours = "office" }}',
    'from = "90{n:07}"',
    'queue = "{n}", direction = "inc"',
    'hours = "night", line = "71206{n:04}"',
    'date = "2027-01-{day:02}"',
    'spoke_within = "7d", queue = "6{n:03}"',
    'any = [{{ from = "91{n:07}" }}, {{ all = [{{ from = "@vip" }}, {{ queue = "7{n:03}" }}] }}]',
    'calls_within = {{ count = 3, window = "1h" }}, line = "71207{n:04}"',
)


def rows(size: float) -> Iterator[Row]:
    """Yields the check of a large file, the answers of a listener with rules, and a long list that is replaced."""
    for part in (_check, _answers, _replacements):
        with tempfile.TemporaryDirectory() as folder:
            yield from part(Path(folder), size)


def _write_list(home: Path, count: int, seed: int) -> str:
    """Moves a new list into place; returns its first number."""
    numbers = random.Random(seed).sample(range(998_900_000_000, 998_999_999_999), count)
    with (home / "vip.new").open("w") as file:
        file.writelines(f"+{number}\n" for number in numbers)
    (home / "vip.new").replace(home / "vip.csv")
    return f"+{numbers[0]}"


def _check(home: Path, size: float) -> Iterator[Row]:
    count, rules = scaled(1_000_000, size), scaled(1_000, size)
    _write_list(home, count, 1)
    kinds = ((n, _KINDS[n % len(_KINDS)].format(n=n, day=n // 10 % 28 + 1)) for n in range(rules))
    text = "".join(f'[[rule]]\nname = "r{n}"\nwhen = {{ {kind} }}\nthen = {{ queue = "{n}" }}\n' for n, kind in kinds)
    (home / "rules.toml").write_text(_HEAD + _HOURS + text, "utf-8")
    words = {
        "floor": [sys.executable, "-c", _SORTED, "vip.csv"],
        "check": [*PROGRAM, "-p", "sandbox", "route", "check", "rules.toml"],
    }
    costs = in_turns(3, {name: partial(cost_of, line, environment(home), home) for name, line in words.items()})
    seconds, floor = processor(costs["check"]), processor(costs["floor"])
    yield Row(
        f"{rules:,} rules, a list of {count:,} numbers",
        "`route check`",
        f"{seconds:.2f} s, {peak(costs['check']):.0f} MB",
        f"{floor:.2f} s, {peak(costs['floor']):.0f} MB",
        ratio(seconds, floor),
    )


def _answers(home: Path, size: float) -> Iterator[Row]:
    rules, count = 100, scaled(100_000, size)
    (home / "vip.csv").write_text("".join(f"{900000000 + 7 * n}\n" for n in range(count)))
    plain = _HEAD + "".join(_RULE.format(n=n) for n in range(rules))
    name = f"{rules} rules, a list of {count:,} numbers"
    for figure, text in ((name, plain), (f"{name}, and the past of each caller", plain + _PAST)):
        (home / "rules.toml").write_text(text)
        listen = [*PROGRAM, "listen", "--port", "0", "--json", "--rules", "rules.toml"]
        with (
            started([sys.executable, "-c", BARE_SERVER, _STEP], environment(home), home) as (_, url),
            started(listen, environment(home), home) as (_, ready),
        ):
            own, bare = _asked((json.loads(ready)["urls"]["route"], url), scaled(8, size))
        for share in (50, 99):
            took, floor = (times[len(times) * share // 100] for times in (own, bare))
            yield Row(
                figure,
                "`listen --rules`",
                f"{share} of 100 answers within {took:.2f} ms",
                f"{floor:.2f} ms",
                ratio(took, floor),
            )
        middle = bare[len(bare) // 2]
        yield _decisions(home, figure, middle)


def _decisions(home: Path, figure: str, floor: float) -> Row:
    """The time of the rules alone, which the listener stores with each answer."""
    words = [*PROGRAM, "events", "list", "--type", "route", "--limit", "1000", "--json"]
    told = subprocess.run(words, env=environment(home), cwd=home, check=True, capture_output=True).stdout
    times = sorted(event["answer"]["us"] for event in json.loads(told))
    middle, slow = times[len(times) // 2], times[len(times) * 99 // 100]
    measured = f"half of the decisions within {middle} µs, 99 of 100 within {slow} µs"
    return Row(figure, "`events list --type route --json`", measured, f"{floor:.2f} ms", ratio(middle / 1000, floor))


def _asked(urls: tuple[str, str], seconds: int) -> tuple[list[float], list[float]]:
    """The times of the requests to each in ms, sorted; from when one was due: no queue hides its own length."""
    took: tuple[list[float], list[float]] = ([], [])
    due: Queue[tuple[int, float] | None] = Queue()
    senders = [threading.Thread(target=_send, args=(urls, due, took)) for _ in range(_SENDERS)]
    for sender in senders:
        sender.start()
    start = time.perf_counter()
    for number in range(_RATE * seconds * 2):
        at = start + number / _RATE
        time.sleep(max(at - time.perf_counter(), 0))
        due.put((number // _SLICE % 2, at))
    for _ in senders:
        due.put(None)
    for sender in senders:
        sender.join()
    return sorted(took[0][_SLICE:]), sorted(took[1][_SLICE:])  # without those that opened the connections


def _send(urls: tuple[str, str], due: "Queue[tuple[int, float] | None]", took: tuple[list[float], list[float]]) -> None:
    parts = [urlsplit(url) for url in urls]
    connections = [http.client.HTTPConnection(part.hostname or "", part.port) for part in parts]
    while (asked := due.get()) is not None:
        place, at = asked
        _ask(connections[place], parts[place].path, str(900000000 + int(at * 1e6) % 99999999))
        took[place].append((time.perf_counter() - at) * 1000)


def _ask(connection: http.client.HTTPConnection, path: str, number: str) -> str:
    """Returns the step that a caller gets."""
    body = json.dumps({"from_number": number, "line_number": "712037006", "direction": "inc"})
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    return str(json.loads(connection.getresponse().read())["action_type"])


class _Listener:
    """A running listener, and the times of its answers in ms."""

    def __init__(self, pid: int, url: str) -> None:
        self.pid, self.took = pid, list[float]()
        self._url = urlsplit(url)
        self._connection = http.client.HTTPConnection(self._url.netloc, timeout=60)

    def ask(self, number: str) -> str:
        """Returns the step that a caller gets."""
        began = time.perf_counter()
        step = _ask(self._connection, self._url.path, number)
        self.took.append((time.perf_counter() - began) * 1000)
        return step

    def begin(self) -> None:
        """Counts anew, on a new connection: the last one may have been idle for too long."""
        self._connection.close()
        self.took = []

    def children(self) -> float:
        """Returns the memory of its child processes in MB."""
        found = 0.0
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            with contextlib.suppress(OSError):
                found += sum(private_memory(int(pid)) for pid in (task / "children").read_text().split())
        return found


def _replacements(home: Path, size: float) -> Iterator[Row]:
    count = scaled(1_000_000, size)
    _write_list(home, count, 1)
    (home / "rules.toml").write_text(_HEAD + _BLOCKED)
    (home / "none").mkdir()
    listen = [*PROGRAM, "listen", "--port", "0", "--json"]
    with (
        started([*listen, "--rules", "rules.toml"], environment(home), home) as (pid, ready),
        started([*listen, "--fallback", "queue:6000"], environment(home / "none"), home / "none") as (other, told),
    ):
        long = _Listener(pid, json.loads(ready)["urls"]["route"])
        control = _Listener(other, json.loads(told)["urls"]["route"])
        longest, longest_of_control, child = 0.0, 0.0, 0.0
        for place in range(2, 5):
            child = max(child, _replaced(home, _write_list(home, count, place), long, control))
            longest, longest_of_control = max(longest, *long.took), max(longest_of_control, *control.took)
        held, held_by_control = private_memory(pid), private_memory(other)
    name, command = f"a list of {count:,} numbers, replaced three times", "`listen --rules`"
    yield Row(
        name,
        command,
        f"longest answer {longest:.0f} ms",
        f"{longest_of_control:.0f} ms",
        f"{longest - longest_of_control:+.0f} ms",
    )
    more = held - held_by_control
    yield Row(name, command, f"the listener holds {held:.0f} MB", f"{held_by_control:.0f} MB", f"{more:+.0f} MB")
    yield Row(name, command, f"its child holds up to {child:.0f} MB", "no child", "–")


def _replaced(home: Path, number: str, long: _Listener, control: _Listener) -> float:
    """Asks both until the new list, which has this number, is in force; returns the child's memory in MB."""
    child = 0.0
    for listener in (long, control):
        listener.begin()
    while long.ask(number) != "hangup":
        control.ask(number)
        child = max(child, long.children())
        time.sleep(0.01)
    return child
