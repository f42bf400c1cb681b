"""Questions to a large store of speech analyses, beside plain sqlite3 and json that read the same answers."""

import random
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from measuring import PROGRAM, Row, cost_of, environment, in_turns, peak, processor, ratio, scaled
from speech_cases import sandbox_answer

from alovoice_cli.stores.analyses import STORE_NAME, Analyses

TITLE = "Speech analyses"
ABOUT = (
    "Processor seconds of whole commands, start-up included, and their peak memory; in turns, the median of three. "
    "Floor: a Python process that reads every answer of the store with `sqlite3` and `json` alone."
)
_DAYS, _ROUNDS = 60, 3
_SCAN = """
import json, sqlite3, sys
for (answer,) in sqlite3.connect(sys.argv[1]).execute("SELECT answer FROM analysis"):
    json.loads(answer)
"""
_RULES = """
bar = 75
[[check]]
name = "Приветствие"
weight = 3
say = ["assalomu alaykum", "здравствуйте", "добрый день"]
speaker = "operator"
within = 10
[[check]]
name = "Без отказа"
weight = 2
without_tag = "Отказ"
[[check]]
measure = "talk_ratio"
at_most = 0.62
[[check]]
measure = "dead_air"
at_most = 5
"""
_QUESTIONS = (
    "ai list --limit 50",
    "ai list --limit 0 --json",
    "ai grep qo'ng'iroq",
    "ai grep nosuchword",
    "ai report",
    "ai report --rules qa.toml --html report.html --force",
    "ai score --rules qa.toml --by operator --fail-under 0",
)


def rows(size: float) -> Iterator[Row]:
    """Yields each question."""
    count = scaled(5_000, size)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "qa.toml").write_text(_RULES, "utf-8")
        (home / "state").mkdir()
        _fill(home / "state" / STORE_NAME, count)
        lines = {question: [*PROGRAM, "-p", "sandbox", *question.split()] for question in _QUESTIONS}
        lines["floor"] = [sys.executable, "-c", _SCAN, f"state/{STORE_NAME}"]
        costs = in_turns(
            _ROUNDS, {name: partial(cost_of, line, environment(home), home) for name, line in lines.items()}
        )
    floor = processor(costs.pop("floor"))
    for question, found in costs.items():
        seconds = processor(found)
        measured = f"{seconds:.2f} s, {peak(found):.0f} MB"
        yield Row(f"{count:,} analyses", f"`{question}`", measured, f"{floor:.2f} s", ratio(seconds, floor))


def _fill(path: Path, count: int) -> None:
    store = Analyses(path, "sandbox", lambda: datetime.now(UTC))
    chance, now = random.Random(1), int(time.time())
    for number in range(count):
        sample = sandbox_answer(str(number))
        talk = sample["answer"]
        talk["begin_time"] = now - _DAYS * 86400 + number * _DAYS * 86400 // count
        shift = 0
        for phrase in talk["stalk"]:
            shift += int(chance.expovariate(1 / 700))
            phrase["begin"], phrase["end"] = phrase["begin"] + shift, phrase["end"] + shift + chance.randrange(1500)
        if chance.random() < 0.3:
            talk["stalk"] = talk["stalk"][chance.randrange(3) :]
        store.keep(f"{number}", sample, peer=str(chance.choice((100, 2000, 2001, 2003, 2424))))
