"""docs/figures.md: what was measured, section by section; `tests/bench/run` renews each section by itself.

A section has a heading, a line that names the day and the machine, sentences on what was run, and one table.
"""

import os
import platform
import re
import textwrap
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "figures.md"
MEASURED = re.compile(
    r"^Measured on \d{4}-\d\d-\d\d: .+, \d+ cores?, \d+ GB of memory, Python 3\.\d+\.\d+, load \d+\.\d\.$"
)
"""The line under a heading."""
_INTRO = """# Figures

What the program costs, measured through its commands. Beside each figure stands its floor: the least that such work can
cost, measured in the same run and in turns with it. The ratio of the two says more than seconds do, for a slow or busy
machine makes both of them slower. This page is the output of

    tests/bench/run

in a checkout with the packages for tests and `wrk`. `tests/bench/run NAME …` renews the named sections and leaves the
others; `--quick` tries them in a tenth of the size and leaves the page as it is.
"""


def machine() -> str:
    """Returns the line that says when and where: the day, this machine, and its load of the last minute."""
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    parts = (
        f"{platform.system()} on {platform.machine()}",
        f"{cores} core{'s' * (cores > 1)}",
        f"{memory:.0f} GB of memory",
        f"Python {platform.python_version()}",
        f"load {os.getloadavg()[0]:.1f}",
    )
    return f"Measured on {date.today():%Y-%m-%d}: {', '.join(parts)}."


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Returns a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def section(title: str, machine: str, about: str, table: str) -> str:
    """Returns the text of a section."""
    return f"## {title}\n\n{machine}\n\n{textwrap.fill(about, 120, break_on_hyphens=False)}\n\n{table}"


def sections(text: str) -> dict[str, str]:
    """Returns the sections of a page by their titles."""
    parts = re.split(r"^(?=## )", text, flags=re.MULTILINE)[1:]
    return {part.partition("\n")[0].removeprefix("## "): part.strip() + "\n" for part in parts}


def rows(section: str) -> list[list[str]]:
    """Returns the cells of a section's table, the header first."""
    lines = [line for line in section.splitlines() if line.startswith("|")]
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [found[0], *found[2:]]


def renewed(page: str, title: str, section: str, order: Sequence[str]) -> str:
    """Returns the page with this section new and the others as they were, all of them in this order."""
    found = sections(page) | {title: section}
    return "\n".join([_INTRO, *(found[name] for name in order if name in found)])
