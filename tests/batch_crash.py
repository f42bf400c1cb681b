"""Runs the program in a process that ends itself abruptly at one step of a row.

`python tests/batch_crash.py STEP ROW WORDS…`: os._exit(9) when STEP is reached for the ROW-th time.
"""

import os
import sys
from itertools import count
from typing import Any

from alovoice_cli.__main__ import main
from alovoice_cli.api.send_guard import SendGuard
from alovoice_cli.stores.journal import Journal
from alovoice_cli.stores.ledger import Ledger

STEPS = {
    "before the intent": (Journal, "intend", "before"),
    "after the intent": (Journal, "intend", "after"),
    "after the ledger's intent": (Ledger, "intend", "after"),
    "as it leaves": (SendGuard, "mark_left", "after"),
    "after the answer": (Ledger, "settle", "before"),
    "after the ledger's end": (Ledger, "settle", "after"),
    "after the end": (Journal, "settle", "after"),
}


def arm(step: str, row: int) -> None:
    """Makes the process end at this step."""
    owner, name, side = STEPS[step]
    whole, reached = getattr(owner, name), count(1)

    def struck(*arguments: Any, **named: Any) -> Any:
        due = next(reached) == row
        if due and side == "before":
            os._exit(9)
        result = whole(*arguments, **named)
        if due:
            os._exit(9)
        return result

    setattr(owner, name, struck)


if __name__ == "__main__":
    arm(sys.argv[1], int(sys.argv[2]))
    sys.argv = ["alovoice", *sys.argv[3:]]
    main()
