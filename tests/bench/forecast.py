"""What `autorule check --forecast` costs: the whole command on a long list, beside the same check without a forecast.

By hand: `python tests/bench/forecast.py [RECIPIENTS]`. Processor seconds of the whole process, the median of three.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from alovoice_cli.sandbox.scenario import data

COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
LINES = 30


def _seconds(folder: Path, *more: str) -> float:
    """Processor seconds of one `autorule check` of the list in this folder."""
    words = (
        f"autorule check --record {folder}/announcement.mp3 --recipients {folder}/list.csv --from +1d --to +5d "
        f"--fromtime 10:00 --totime 20:59 --trunks all --maxline {LINES} --night-ok --json"
    )
    environ = os.environ | {
        "ALOVOICE_PROFILE": "sandbox",
        "ALOVOICE_STATE_DIR": f"{folder}/state",
        "ALOVOICE_CONFIG_DIR": f"{folder}/config",
    }
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", "alovoice_cli", *words.split(), *more], check=True, capture_output=True, env=environ
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "announcement.mp3").write_bytes(data("announcement.mp3").read_bytes())
        (folder / "list.csv").write_text("phone\n" + "".join(f"99890{number:07}\n" for number in range(COUNT)))
        pairs = [(_seconds(folder), _seconds(folder, "--forecast")) for _ in range(3)]
    floor, whole = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"{COUNT} recipients, {LINES} lines: {whole:.1f} s with --forecast, {floor:.1f} s without")
    print(f"{resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MB at the most")


if __name__ == "__main__":
    main()
