"""Each damage of each store meets each command that uses it: a clear error, no call too many, nothing overwritten."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from damaged_stores import (
    BEGAN,
    CELL_VALUES,
    COMMANDS,
    DAMAGES,
    FILES,
    READERS,
    TEXT_DAMAGES,
    DeafPbx,
    WorkingHome,
)
from event_rows import Rows
from front_door import FrontDoor
from strength import IS_SOAK, rounds

from alovoice_cli.stores.event_engine import opened, writing

STORES = ("ledger", "journal", "campaigns", "events")
CELLS = [
    *((store, damage, command) for store in STORES for damage in DAMAGES for command in COMMANDS),
    *((store, damage, command) for store in ("config", "tokens") for damage in TEXT_DAMAGES for command in COMMANDS),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkingHome]:
    folder = tmp_path_factory.mktemp("damaged") / "home"
    folder.mkdir()
    environ = {
        "HOME": str(folder),
        "ALOVOICE_CONFIG_DIR": str(folder / "config"),
        "ALOVOICE_STATE_DIR": str(folder / "state"),
        "COLUMNS": "80",
    }
    pbx = DeafPbx()
    yield WorkingHome.begin(FrontDoor(folder, environ), pbx)
    pbx.stop()


def _chosen() -> list[tuple[str, str, str]]:
    """All cells in a soak that is large enough; else so many, the same in each run of the suite."""
    chance = random.Random(None if IS_SOAK else 19)
    return chance.sample(CELLS, min(rounds(40), len(CELLS)))


@pytest.mark.parametrize("part", range(4))
def test_no_damage_leads_to_a_crash_a_second_call_or_a_loss(home: WorkingHome, part: int) -> None:
    for store, damage, command in _chosen()[part::4]:
        home.restore()
        _try(home, store, damage, command)


def _try(home: WorkingHome, store: str, damage: str, command: str) -> None:
    place, what = home.place(store), f"{store}: {damage}: {command}"
    (DAMAGES if store in STORES else TEXT_DAMAGES)[damage](place)
    left = place.read_bytes() if place.is_file() and not place.is_fifo() else None
    readable, is_ours = (home.readable(store), home.is_ours(store)) if store in STORES else (set(), False)
    home.judge(home.alovoice(*home.words(command)), what)
    if store in STORES:
        assert readable <= home.readable(store), f"{what}: what was readable is lost"
        assert is_ours or left in (None, b"") or left in home.contents(), f"{what}: the damaged file is overwritten"
    elif command != "set" and left is not None:
        assert place.read_bytes() == left, what


def test_no_value_in_a_whole_file_leads_to_a_crash_or_a_second_call(home: WorkingHome) -> None:
    home.restore()
    chance = random.Random(None if IS_SOAK else 19)
    cells, commands = home.cells(), sorted(COMMANDS | READERS)
    tried = 0
    while tried < rounds(150):
        (store, table, column), value, command = (
            chance.choice(cells),
            chance.choice(CELL_VALUES),
            chance.choice(commands),
        )
        home.restore()
        if home.put(store, table, column, value):
            home.judge(home.alovoice(*home.words(command)), f"{table}.{column} = {value!r:.30}: {command}")
            tried += 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE delivery SET headers = '{'", ("events", "list")),
        ("UPDATE fact SET answer = '{'", ("events", "export")),
        ("UPDATE delivery SET received_at = 9223372036854775807", ("store", "check")),
    ],
)
def test_a_value_that_nobody_wrote_is_damage_on_either_engine(
    profile_store: str, alovoice: FrontDoor, change: str, words: tuple[str, ...]
) -> None:
    Rows(profile_store).call(BEGAN, number="901234567")
    with opened(profile_store) as connection, writing(connection):
        connection.execute(change)
    found = alovoice(*words)
    assert found.code in (2, 8)
    assert "is damaged" in found.out + found.err


def test_every_file_that_is_damaged_is_there(home: WorkingHome) -> None:
    home.restore()
    for store in FILES:
        assert isinstance(home.place(store), Path)
        assert home.place(store).is_file(), store
    for store in STORES:
        assert home.readable(store), store
