"""How hard the tests try: enough for every run, and as hard as anyone wishes in the soak.

One variable sizes everything: `ALOVOICE_SOAK=40` in the environment makes it 40 times as much, and tries other
examples each time. `tests/soak/run` sets it from its `--minutes`.
"""

import os

from hypothesis import settings

IS_SOAK = "ALOVOICE_SOAK" in os.environ
SIZE = float(os.environ.get("ALOVOICE_SOAK", "1"))


def rounds(count: int) -> int:
    """Returns how many rounds to run where a run of size 1 has so many; at least one."""
    return max(1, round(count * SIZE))


def examples(count: int) -> settings:
    """So many examples for hypothesis, times the size."""
    return settings(deadline=None, max_examples=rounds(count))
