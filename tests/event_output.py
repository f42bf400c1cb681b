"""What `alovoice events` prints, read."""

import csv
import io
import json
from typing import Any

from front_door import FrontDoor


def events_json(alovoice: FrontDoor, *words: str) -> Any:
    """Returns what a command of `events` prints as JSON."""
    result = alovoice("events", *words, "--json")
    assert result.code == 0, result.err
    return json.loads(result.out)


def tsv_rows(text: str) -> list[dict[str, str]]:
    """Returns the rows of a table with tabs, by heading."""
    return list(csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE))
