"""Every way to dial, create or start what costs, with what it needs, and what it says of its requests afterwards."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from event_rows import Rows
from front_door import FrontDoor
from raw_server import RawServer, answers

MP3 = Path(__file__).parents[1] / "alovoice_cli" / "sandbox" / "scenarios" / "announcement.mp3"
GOOD_OBJECT = json.dumps({"id": 1, "name": "n", "answer": {"aicallid": "a"}}).encode()
_SURE = ("--night-ok", "--yes")
_LIST = ("--batch", "rows.csv", "--map", "callto=number", *_SURE)
_OUT_BATCH = ("call", "out", "--batch", "rows.csv", "--from", "2424", "--journal", "BATCH", *_SURE)


def _nothing(home: FrontDoor) -> None:
    """Most ways need nothing but their files."""


def _is_listened_to(home: FrontDoor) -> None:
    """A listener runs, and hears nothing."""
    Rows(home.store_url).listened((time.time() - 99, time.time() + 999, True))


def _has_a_refused_batch(home: FrontDoor) -> None:
    """A batch whose rows the PBX has refused."""
    with_no = RawServer([answers("200 OK", b"false")])
    done = home(*_OUT_BATCH, environ={"ALOVOICE_BASE_URL": with_no.url})
    with_no.stop()
    assert done.code == 1, done.err


class Way(NamedTuple):
    """A command line, the command of the tree that it runs, and the method of the API that it uses.

    `prepare` makes what there has to be before. A batch sends the rows of its list, and keeps them in a journal.
    """

    command: str
    words: tuple[str, ...]
    method: str
    prepare: Callable[[FrontDoor], None] = _nothing
    is_batch: bool = False

    @property
    def good(self) -> bytes:
        """Returns the body of a good answer."""
        return b"true" if self.method == "outcall" else GOOD_OBJECT


WAYS: dict[str, Way] = {
    "out": Way("call out", ("call", "out", "--from", "2424", "--to", "901234567"), "outcall"),
    "out and wait": Way(
        "call out", ("call", "out", "--from", "2424", "--to", "901234567", "--wait=1s"), "outcall", _is_listened_to
    ),
    "ivr": Way("call ivr", ("call", "ivr", "--to", "901234567", "--ivr", "2", "--line", "712037006"), "requestcall"),
    "conference": Way(
        "call conference", ("call", "conference", "--from", "712037006", "--to", "901234567"), "requestcall"
    ),
    "create": Way(
        "autorule create",
        (
            *("autorule", "create", "--record", "a.mp3", "--recipient", "901234567", "--from", "tomorrow"),
            *("--to", "tomorrow", "--fromtime", "10:00", "--totime", "11:00", "--trunks", "712037006", *_SURE),
        ),
        "addAutorule",
    ),
    "send": Way("ai send", ("ai", "send", "8001"), "callsendai"),
    "api": Way(
        "api", ("api", "POST", "/outcall/{token}", "-F", "inner_phone=2424", "-f", "number=901234567"), "outcall"
    ),
    "out batch": Way("call out", _OUT_BATCH, "outcall", is_batch=True),
    "ivr batch": Way(
        "call ivr", ("call", "ivr", *_LIST, "--ivr", "2", "--line", "712037006"), "requestcall", is_batch=True
    ),
    "conference batch": Way(
        "call conference", ("call", "conference", *_LIST, "--from", "712037006"), "requestcall", is_batch=True
    ),
    "send batch": Way("ai send", ("ai", "send", "--batch", "calls.csv", "--yes"), "callsendai", is_batch=True),
    "resume": Way(
        "call batches resume",
        ("call", "batches", "resume", "BATCH", "--retry-refused", *_SURE),
        "outcall",
        _has_a_refused_batch,
        is_batch=True,
    ),
}


def furnish(home: FrontDoor, rows: int = 2) -> None:
    """Writes the files that the command lines name, with so many rows a list (at most 99)."""
    (home.home / "a.mp3").write_bytes(MP3.read_bytes())
    for name, heading, first in (("rows.csv", "number", 901_234_500), ("calls.csv", "call_id", 8000)):
        lines = [heading, *map(str, range(first, first + rows)), ""]
        (home.home / name).write_text("\n".join(lines), "utf-8")


def receipts(home: FrontDoor) -> list[dict[str, Any]]:
    """Returns all receipts, the newest first."""
    listed: list[dict[str, Any]] = json.loads(home("call", "receipts", "list", "--limit", "0", "--json").out)
    return listed


def journal_rows(home: FrontDoor) -> list[dict[str, Any]]:
    """Returns the rows of the only batch, as its journal knows them."""
    (batch,) = json.loads(home("call", "batches", "list", "--json").out)
    rows: list[dict[str, Any]] = json.loads(home("call", "batches", "show", batch["name"], "--json").out)
    return rows
