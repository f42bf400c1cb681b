"""What a decision costs: 1,000 rules and a list of 1,000,000 numbers. Prints times and memory; asserts nothing.

By hand: `python tests/bench/route.py [DECISIONS [FILE]]`. Worst case and mixed case, each beside an empty function
called as often in the same run. FILE: rules of your own instead, with callers such as the file knows and strangers; the
past is not asked, so a rule with `spoke_within` costs what the event store costs on top.
"""

import gc
import json
import os
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from route_questions import sample_questions

from alovoice_cli.routing.call import Question
from alovoice_cli.routing.engine import answer, decide
from alovoice_cli.routing.lint import judge
from alovoice_cli.routing.reading import load
from alovoice_cli.routing.rules import Rules

DECISIONS = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
OWN_FILE = Path(sys.argv[2]) if len(sys.argv) > 2 else None
NUMBERS, RULES, ROUNDS = 1_000_000, 1_000, 5
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def _write(folder: Path) -> Path:
    """Rules of ten kinds, a hundred of each; all name a list of a million, which no rule's line lets through alone."""
    picked = random.Random(1).sample(range(998_900_000_000, 998_999_999_999), NUMBERS)
    with (folder / "vip.csv").open("w") as file:
        file.writelines(f"+{number}\n" for number in picked)
    kinds = (
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
    rules = [
        f'[[rule]]\nname = "r{n}"\nwhen = {{ {kind.format(n=n, day=n // 10 % 28 + 1)} }}\nthen = {{ queue = "{n}" }}\n'
        for n in range(RULES)
        for kind in (kinds[n % len(kinds)],)
    ]
    path = folder / "rules.toml"
    path.write_text(
        'fallback = { queue = "6000" }\n[lists]\nvip = "vip.csv"\n[hours]\noffice = ["Mon-Fri 09:00-18:00"]\n'
        'night = ["Mon-Sun 22:00-06:00"]\nholidays = "UZ"\n' + "\n".join(rules),
        "utf-8",
    )
    return path


def _line(name: str, what: Callable[[Question, datetime], object], asked: list[tuple[Question, datetime]]) -> None:
    """Times each call by itself; of five rounds the middle one counts. Of a busy machine the wall's p99 tells more
    about the neighbours than about us: beside it stands that of the processor's time."""
    rounds = [_timed(what, asked) for _ in range(ROUNDS)]
    p50, p99 = (statistics.median(wall[len(wall) * part // 100] for wall, _ in rounds) / 1000 for part in (50, 99))
    used = statistics.median(used[len(used) * 99 // 100] for _, used in rounds) / 1000
    rate = statistics.median(1e9 / statistics.mean(wall) for wall, _ in rounds)
    print(f"{name:36} p50 {p50:7.1f} us  p99 {p99:7.1f} us (processor {used:7.1f})  {rate:10,.0f} a second")


def _timed(
    what: Callable[[Question, datetime], object], asked: list[tuple[Question, datetime]]
) -> tuple[list[int], list[int]]:
    wall, used = [], []
    for question, now in asked:
        busy, start = time.thread_time_ns(), time.perf_counter_ns()
        what(question, now)
        wall.append(time.perf_counter_ns() - start)
        used.append(time.thread_time_ns() - busy)
    return sorted(wall), sorted(used)


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = OWN_FILE or _write(Path(folder))
        gc.collect()
        before = _resident()
        start = time.perf_counter()
        loaded = load(path)
        read = time.perf_counter() - start
        rules = loaded.rules
        assert rules is not None, loaded.findings
        gc.collect()
        numbers = sum(len(listed) for listed in rules.lists.values())
        counted = f"{len(rules.rules):,} rules and {numbers:,} listed numbers"
        print(f"read {counted} in {read:.2f} s, {_resident() - before:.0f} MB more held")
        start = time.perf_counter()
        checked = judge(loaded, NOW)
        print(f"checked in {time.perf_counter() - start:.2f} s: {len(checked.findings)} findings")
        _measure(rules)
        again = load(path)
        assert again.rules is not None
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        print(f"read again beside the old ones: the process holds {_resident():.0f} MB, at most it held {peak:.0f} MB")


def _measure(rules: Rules) -> None:
    mixed = list(sample_questions(rules, NOW, DECISIONS))
    nobody = [(Question(f"+99893{n:07}", "000", "", "inc"), NOW + timedelta(minutes=n)) for n in range(DECISIONS)]
    bodies = {question: json.dumps(question.as_wire()).encode() for question, _ in mixed}

    def decided(question: Question, now: datetime) -> object:
        return decide(rules, question, now)

    def answered(question: Question, now: datetime) -> object:
        return answer(rules, bodies[question], now).step.to_bytes()

    _line("an empty function", lambda question, now: None, mixed)
    _line("mixed callers", decided, mixed)
    _line("callers whom no list knows", decided, nobody)
    _line("mixed, from body to answer in bytes", answered, mixed)


if __name__ == "__main__":
    main()
