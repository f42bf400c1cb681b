"""How hard the tests try: enough for every run, and as hard as anyone wishes in the soak.

One variable sizes everything: `ALOVOICE_SOAK=40` in the environment makes it 40 times as much, and tries other
examples each time. `tests/soak/run` sets it from its `--minutes`. Without it a property tries a third of its examples,
the same ones in each run.
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
    """So many examples for hypothesis, times the size. Without a size: a third of them, or 20 if that is more."""
    tried = rounds(count) if IS_SOAK else max(min(count, _FEWEST), count // 3)
    return settings(deadline=None, max_examples=tried)
