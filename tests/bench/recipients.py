"""How long a list of a million rows takes, beside Python's own csv module on the same file, and in how much memory.

    python tests/bench/recipients.py [ROWS]

CPU time, the best of three, each in a process of its own. The promise: at most 4 times csv, under 200 MB.
"""

import random
import subprocess
import sys
import tempfile
from pathlib import Path

_CODES = ("90", "91", "93", "94", "95", "97", "98", "99", "88", "33", "77", "50", "20")

_CSV = """
import csv
with open(path, newline="", encoding="utf-8") as file:
    for row in csv.reader(file, delimiter=delimiter):
        pass
"""
_OURS = """
from alovoice_cli.campaigns.list_findings import list_findings
from alovoice_cli.campaigns.recipients import read_recipients
with open(path, "rb") as file:
    found = read_recipients(file, path)
    findings = list(list_findings(found))
assert sum(list(found.counts().values())[1:]) == found.rows
"""
_TIMED = """
import sys, time
path, delimiter = sys.argv[1:]
import csv, gc, io
gc.set_threshold(200_000, 20, 100)  # as the program itself does
{imports}
begun = time.process_time()
{work}
seconds = time.process_time() - begun
peak = open("/proc/self/status").read().partition("VmHWM:")[2].split()[0]
print(seconds, int(peak) / 1024)
"""


def _measure(work: str, path: Path, delimiter: str) -> tuple[float, float]:
    imports = "\n".join(line for line in work.splitlines() if line.startswith(("import", "from")))
    code = _TIMED.format(imports=imports, work=work)
    runs = []
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", code, str(path), delimiter], capture_output=True, text=True, check=True
        )
        seconds, peak = done.stdout.split()
        runs.append((float(seconds), float(peak)))
    return min(seconds for seconds, _ in runs), max(peak for _, peak in runs)


def _number(chance: random.Random) -> str:
    return f"{chance.choice(_CODES)}{chance.randrange(10**7):07}"


def _spelled(chance: random.Random) -> str:
    number = _number(chance)
    return f"+998 ({number[:2]}) {number[2:5]}-{number[5:7]}-{number[7:]}"


def _lists(rows: int) -> dict[str, tuple[str, list[str]]]:
    chance = random.Random(5)
    return {
        "name;phone, 998…": (";", [f"Мижоз {place};998{_number(chance)}\n" for place in range(rows)]),
        "phone alone, 9 digits": (",", [f"{_number(chance)}\n" for _ in range(rows)]),
        "every tenth a duplicate": (
            ";",
            [f"Мижоз {place};998901{place - place % 10 if place % 10 < 2 else place:06}\n" for place in range(rows)],
        ),
        "+998 (90) 123-45-67": (";", [f"Мижоз {place};{_spelled(chance)}\n" for place in range(rows)]),
    }


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    print(f"{rows} rows: seconds of csv alone, seconds here, ratio, peak memory here")
    with tempfile.TemporaryDirectory() as folder:
        for name, (delimiter, lines) in _lists(rows).items():
            path = Path(folder) / "list.csv"
            path.write_text("".join(lines), "utf-8")
            floor, _ = _measure(_CSV, path, delimiter)
            ours, peak = _measure(_OURS, path, delimiter)
            print(f"{name:26} {floor:6.2f} s {ours:6.2f} s {ours / floor:5.1f} x {peak:6.0f} MB")


if __name__ == "__main__":
    main()
