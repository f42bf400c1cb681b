"""`store copy` of a profile: its receipts, campaigns and batches are on the server as they were here, once."""

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from event_rows import Rows
from front_door import FrontDoor
from postgres_server import Cluster

from alovoice_cli.stores.database import database_at
from alovoice_cli.stores.journal_files import JournalFolder
from alovoice_cli.stores.ledger import MIGRATIONS
from alovoice_cli.stores.postgres import connect

MP3 = Path(__file__).parents[2] / "alovoice_cli" / "sandbox" / "scenarios" / "announcement.mp3"
BATCH = ("call", "out", "--batch", "rows.csv", "--from", "2424", "--night-ok", "--yes")
CREATE = (
    *("autorule", "create", "--record", "a.mp3", "--recipients", "rows.csv", "--name", "Кузги акция"),
    *("--from", "tomorrow", "--to", "tomorrow", "--fromtime", "10:00", "--totime", "11:00", "--trunks", "all"),
    *("--night-ok", "--yes", "--allow-duplicate"),
)
READ = (
    ("call", "receipts", "list", "--json"),
    ("autorule", "list", "--json"),
    ("autorule", "export", "124"),
    ("call", "batches", "list", "--json"),
)


@pytest.fixture
def home(alovoice: FrontDoor) -> FrontDoor:
    """A profile that has made calls, a batch and a campaign, and has an event store."""
    alovoice.environ["ALOVOICE_PROFILE"] = "sandbox"
    (alovoice.home / "a.mp3").write_bytes(MP3.read_bytes())
    (alovoice.home / "rows.csv").write_text("number\n901234567\n901234568\n901234569\n", "utf-8")
    Rows(alovoice.home / "state" / "events-sandbox.db").call(time.time() - 500)
    for words in (BATCH, CREATE, ("call", "out", "--from", "2424", "--to", "901111111")):
        result = alovoice(*words)
        assert result.code == 0, result.err
    return alovoice


def _copy(home: FrontDoor, target: str) -> dict[str, list[int]]:
    result = home("store", "copy", "state/events-sandbox.db", target, "--json")
    assert result.code == 0, result.err
    answer: dict[str, Any] = json.loads(result.out)
    numbers = {name: list(answer[name].values()) for name in ("receipts", "campaigns", "batches", "journals")}
    return {name: counted for name, counted in numbers.items() if any(counted)}


def _read(home: FrontDoor) -> list[str]:
    """What the commands print, without when a campaign was last asked for, and where a journal lies."""
    changing = r'T\d\d:\d\d:\d\d\+00:00|"(seen_at|path)": "[^"]*"'
    return [re.sub(changing, '"": 0', home(*words).out) for words in READ]


def test_the_server_knows_what_the_machine_knew(home: FrontDoor, postgres: Cluster) -> None:
    target = postgres.database()
    before = _read(home)
    name = json.loads(before[3])[0]["name"]
    shown = home("call", "batches", "show", name, "--csv").out
    assert _copy(home, target) == {
        "receipts": [5, 0, 0, 0],
        "campaigns": [1, 0, 0, 0],
        "batches": [1, 0, 0, 0],
        "journals": [1, 0, 0, 0],
    }
    assert home("config", "set", "store", target).code == 0
    for one, other in zip(_read(home), before, strict=True):
        assert one == other
    assert home("call", "batches", "show", name, "--csv").out == shown
    assert _copy(home, target) == {"receipts": [0, 0, 5, 0], "campaigns": [0, 0, 1, 0], "batches": [0, 0, 1, 0]}
    again = home(*BATCH)
    assert (again.code, "3 done" in again.err) == (0, True), "every row is done: none is called again"
    assert len(json.loads(home("call", "receipts", "list", "--json").out)) == 5
    report = home("autorule", "report", "124", "--json")
    assert report.code == 0, report.err


def test_a_journal_is_moved_and_kept(home: FrontDoor, postgres: Cluster) -> None:
    _copy(home, postgres.database())
    assert json.loads(home("call", "batches", "list", "--json").out) == []
    assert len(list((home.home / "state" / "batches" / "earlier").glob("*.db"))) == 1


def test_a_batch_that_runs_stays(home: FrontDoor, postgres: Cluster) -> None:
    target = postgres.database()
    (place,) = JournalFolder(home.home / "state", lambda: None).places()  # type: ignore[arg-type,return-value] # no clock
    with place.locked():
        result = home("store", "copy", "state/events-sandbox.db", target)
        assert f"the batch {place.name} runs already" in result.err
        assert "its journal stays in" in result.err
        assert place.exists
    assert _copy(home, target)["journals"] == [1, 0, 0, 0]


def test_what_was_sent_after_an_interruption_is_sent_on_the_server_too(home: FrontDoor, postgres: Cluster) -> None:
    target = postgres.database()
    folder = JournalFolder(home.home / "state", lambda: None)  # type: ignore[arg-type,return-value] # no clock
    (place,) = folder.places()
    content = Path(place.label).read_bytes()
    _copy(home, target)
    # As a copy that was killed before it moved the file, while the server's rows are as they were before the batch.
    Path(place.label).write_bytes(content)
    connection = connect(target)
    told = {"state": "pending", "attempts": 0, "risks": 0, "exit_code": 0, "sent": "no", "status": None}
    told |= {"answer": None, "problem": "", "receipt": "", "began_at": "", "ended_at": ""}
    connection.execute(
        "UPDATE journal_row SET state = 'pending', course = ? WHERE line = 2 RETURNING 1", (json.dumps(told),)
    )
    connection.close()
    assert _copy(home, target)["journals"] == [0, 1, 0, 0]
    home("config", "set", "store", target)
    (batch,) = json.loads(home("call", "batches", "list", "--json").out)
    assert (batch["done"], batch["pending"]) == (3, 0)


def test_another_batch_of_the_same_name_is_not_overwritten(home: FrontDoor, postgres: Cluster) -> None:
    target = postgres.database()
    (place,) = JournalFolder(home.home / "state", lambda: None).places()  # type: ignore[arg-type,return-value] # no clock
    content = Path(place.label).read_bytes()
    _copy(home, target)
    Path(place.label).write_bytes(content)
    connection = connect(target)
    connection.execute("UPDATE journal SET batch = '{}', seal = '' RETURNING 1")
    connection.close()
    result = home("store", "copy", "state/events-sandbox.db", target)
    assert f"the server has another batch {place.name}" in result.err
    assert place.exists


def test_a_code_that_another_machine_has_given_becomes_longer(home: FrontDoor, postgres: Cluster) -> None:
    target = postgres.database()
    codes = [row["receipt"] for row in json.loads(home("call", "receipts", "list", "--json").out)]
    name = json.loads(home("call", "batches", "list", "--json").out)[0]["name"]
    with database_at(target, "ledger", MIGRATIONS).writing() as there:
        for code in codes:
            there.execute(
                "INSERT INTO receipt (code, profile, command, method, path, numbers, our_id, request, begun_at, pid)"
                " VALUES (?, 'other', 'call out', 'GET', '/', '[]', '', '{}', '2026-01-01T00:00:00.000000Z', 1)",
                (code.removeprefix("R-"),),
            )
    assert _copy(home, target)["receipts"] == [5, 0, 0, 0]
    assert _copy(home, target)["receipts"] == [0, 0, 5, 0]
    home("config", "set", "store", target)
    shown = home("call", "batches", "show", name, "--json").out
    rows = [json.loads(line) for line in shown.splitlines()]
    assert all(code in json.dumps(rows) for code in (f"{code}0" for code in codes[-3:]))
    (campaign,) = json.loads(home("autorule", "list", "--json").out)
    assert campaign["receipt"] in {f"{code}0" for code in codes}


def test_an_outcome_that_came_later_is_copied_later(home: FrontDoor, postgres: Cluster) -> None:
    target = postgres.database()
    source = database_at(home.home / "state" / "ledger.db", "ledger", MIGRATIONS)
    forget = "UPDATE receipt SET state = NULL, settled_at = NULL WHERE number = 1"
    recall = "UPDATE receipt SET state = 'done', settled_at = '2026-01-01T00:00:00.000000Z' WHERE number = 1"
    with source.writing() as here:
        here.execute(forget)
    _copy(home, target)
    with source.writing() as here:
        here.execute(recall)
    assert _copy(home, target)["receipts"] == [0, 1, 4, 0]


def test_ids_of_calls_are_made_once_by_all_machines(home: FrontDoor, postgres: Cluster) -> None:
    target = postgres.database()
    _copy(home, target)
    with database_at(home.home / "state" / "ledger.db", "ledger", MIGRATIONS).opened() as here:
        (last,) = here.execute("SELECT last FROM made_id").fetchone()
    with database_at(target, "ledger", MIGRATIONS).opened() as there:
        assert tuple(there.execute("SELECT last FROM made_id").fetchone()) == (last,)


def test_another_store_takes_nothing_of_the_profile_along(home: FrontDoor, postgres: Cluster) -> None:
    Rows(home.home / "other.db").call(time.time() - 500)
    result = home("store", "copy", "other.db", postgres.database(), "--json")
    assert "receipts" not in json.loads(result.out)
    assert "not the profile's own store" in result.err
