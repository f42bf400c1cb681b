"""How hard hypothesis tries: enough for every run, and as hard as anyone wishes by hand."""

import os

from hypothesis import settings


def examples(count: int) -> settings:
    """So many examples; `ALOVOICE_SOAK=40` in the environment makes it 40 times as many."""
    return settings(deadline=None, max_examples=count * int(os.environ.get("ALOVOICE_SOAK", "1")))
