"""What a large store of analyses costs: seconds and peak memory of each question.

By hand: `python tests/bench/speech.py [ANALYSES [DIR]]`, 10,000 by default; a DIR is kept and used again.
"""

import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from speech_cases import sandbox_answer

from alovoice_cli.stores.analyses import STORE_NAME, Analyses

ANALYSES = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
DAYS = 60
RULES = """
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
QUESTIONS = (
    ("ai", "list", "--limit", "50"),
    ("ai", "list", "--limit", "0", "--json"),
    ("ai", "list", "--tag", "Отказ", "--limit", "0"),
    ("ai", "grep", "qo'ng'iroq"),
    ("ai", "grep", "счет", "--json"),
    ("ai", "grep", "nosuchword"),
    ("ai", "grep", "sh", "--limit", "5"),
    ("ai", "report"),
    ("ai", "report", "--by", "tag", "--since", "7d"),
    ("ai", "report", "--rules", "qa.toml", "--html", "report.html", "--force"),
    ("ai", "score", "--rules", "qa.toml", "--by", "operator", "--fail-under", "0"),
)


def fill(state: Path) -> None:
    store = Analyses(state / STORE_NAME, "sandbox", lambda: datetime.now(UTC))
    chance, now = random.Random(1), int(time.time())
    for number in range(ANALYSES):
        sample = sandbox_answer(str(number))
        talk = sample["answer"]
        talk["begin_time"] = now - DAYS * 86400 + number * DAYS * 86400 // ANALYSES
        shift = 0
        for phrase in talk["stalk"]:
            shift += int(chance.expovariate(1 / 700))
            phrase["begin"], phrase["end"] = phrase["begin"] + shift, phrase["end"] + shift + chance.randrange(1500)
        if chance.random() < 0.3:
            talk["stalk"] = talk["stalk"][chance.randrange(3) :]
        store.keep(f"{number}", sample, peer=str(chance.choice((100, 2000, 2001, 2003, 2424))))


def ask(state: Path, words: tuple[str, ...]) -> str:
    environ = {**os.environ, "ALOVOICE_STATE_DIR": str(state), "ALOVOICE_PROFILE": "sandbox"}
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "alovoice_cli", *words],
        env=environ,
        cwd=state,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    size = 0
    assert process.stdout is not None
    while chunk := process.stdout.read(65536):
        size += len(chunk)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    return f"{seconds:6.2f} s {used.ru_maxrss / 1024:6.0f} MB {size / 1e6:7.2f} MB out, exit {process.returncode}"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        state = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(folder)
        state.mkdir(parents=True, exist_ok=True)
        (state / "qa.toml").write_text(RULES, "utf-8")
        if not (state / STORE_NAME).exists():
            began = time.perf_counter()
            fill(state)
            print(f"{ANALYSES} analyses kept in {time.perf_counter() - began:.1f} s")
        print(f"{(state / STORE_NAME).stat().st_size / 1e6:.0f} MB on disk; this process {_peak():.0f} MB")
        for words in QUESTIONS:
            print(f"{ask(state, words)}  {' '.join(words)}")


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
