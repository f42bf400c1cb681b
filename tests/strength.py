"""The strength of the tests: moderate in every run, and any size in the soak.

One variable sizes everything: `ALOVOICE_SOAK=40` in the environment makes 40 times as many examples, and others each
time. `tests/soak/run` sets it from its `--minutes`. Without it a property tries a third of its examples, the same ones
in each run.
"""

import os

from hypothesis import settings

IS_SOAK = "ALOVOICE_SOAK" in os.environ
SIZE = float(os.environ.get("ALOVOICE_SOAK", "1"))
_FEWEST = 20


def rounds(count: int) -> int:
    """Returns how many rounds to run where a run of size 1 has so many; at least one."""
    return max(1, round(count * SIZE))


def examples(count: int) -> settings:
    """Returns hypothesis's settings for this many examples, times the size; without a size a third, at least 20."""
    tried = rounds(count) if IS_SOAK else max(min(count, _FEWEST), count // 3)
    return settings(deadline=None, max_examples=tried)
