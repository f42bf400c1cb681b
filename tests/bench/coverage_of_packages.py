"""Runs every test with coverage in every process, and tells what share of each package ran, branches included."""

import contextlib
import json
import os
import subprocess
import sys
import sysconfig
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from figures_page import machine, section, table

TITLE = "Coverage"
_ROOT = Path(__file__).parents[2]
_ABOUT = (
    "Statements and branches of each package that ran in the tests, in their own processes and in all that they start. "
    "The files of `tests/soak` are not part of it."
)
_UNFIT = (
    "--ignore=tests/test_startup.py",
    "--deselect=tests/config/test_paths.py::test_finding_the_directories_loads_no_library_for_it",
    "--deselect=tests/test_language_choice.py::test_english_reads_no_configuration_for_it",
)
"""Tests of what a process loads: coverage loads more."""
_HEADER = ("Package", "Statements", "Branches", "Covered")


def measured(tests: Sequence[str] = ()) -> str:
    """Runs these tests, or all, and returns the section; what a failed test ran counts too."""
    at = machine()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)  # some tests run the program as another user
        with _in_every_process(Path(folder) / "data"):
            done = subprocess.run([sys.executable, "-m", "pytest", "-m", "", *_UNFIT, *tests], cwd=_ROOT, check=False)
        if done.returncode not in (0, 1):  # 1: a test failed
            raise SystemExit("the tests did not run to their end: the page stays as it is")
        found = _combined(Path(folder))
    text = table(_HEADER, _rows(found))
    print(text)
    return section(TITLE, at, _ABOUT, text)


@contextlib.contextmanager
def _in_every_process(data: Path) -> Iterator[None]:
    """Has each Python of this environment count, whatever environment variables it is given."""
    start = (
        Path(sysconfig.get_path("purelib")) / "a0_alovoice_coverage.pth"
    )  # read before coverage's own a1_coverage.pth
    named = {"COVERAGE_PROCESS_START": str(_ROOT / "pyproject.toml"), "COVERAGE_FILE": str(data)}
    start.write_text(f"import os; os.environ.update({named!r})\n", "utf-8")
    try:
        yield
    finally:
        start.unlink()


def _combined(folder: Path) -> dict[str, dict[str, float]]:
    """The counts of each file by its path."""
    environ = {**os.environ, "COVERAGE_FILE": str(folder / "data"), "COVERAGE_RCFILE": str(_ROOT / "pyproject.toml")}
    report = folder / "report.json"
    for words in (["combine", "-q", str(folder)], ["json", "-q", "-o", str(report)]):
        subprocess.run([sys.executable, "-m", "coverage", *words], cwd=_ROOT, env=environ, check=True)
    files = json.loads(report.read_text("utf-8"))["files"]
    # Some tests install the program elsewhere: only this checkout counts.
    return {path: file["summary"] for path, file in files.items() if path.startswith("alovoice_cli/")}


def _rows(files: dict[str, dict[str, float]]) -> list[list[str]]:
    """A row for each package; the modules beside the packages are one row."""
    sums: dict[str, list[float]] = defaultdict(lambda: [0, 0, 0, 0])
    for path, counts in files.items():
        parts = path.split("/")
        package = f"`{parts[1]}/`" if len(parts) > 2 else "modules beside them"
        for place, key in enumerate(("num_statements", "covered_lines", "num_branches", "covered_branches")):
            sums[package][place] += counts[key]
    rows = []
    for package, (lines, covered_lines, branches, covered_branches) in sorted(sums.items()):
        share = 100 * (covered_lines + covered_branches) / (lines + branches)
        rows.append([package, f"{covered_lines} of {lines}", f"{covered_branches} of {branches}", f"{share:.1f} %"])
    return rows
