"""The ledger of campaigns: what was asked for, what came of it, and what later ones must know."""

import json
import sqlite3
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from alovoice_cli.campaigns.campaign_record import CampaignRecord, SubmittedFile
from alovoice_cli.errors import UsageError
from alovoice_cli.masking import Masker
from alovoice_cli.stores.campaigns import STORE_NAME, CampaignStore

NOON = datetime(2026, 11, 24, 7, tzinfo=UTC)
TASHKENT = timezone(timedelta(hours=5))
FIELDS = {
    "name": "Куз oʻ",
    "from": "2026.11.24",
    "to": "2026.11.26",
    "fromtime": "10:00",
    "totime": "19:59",
    "trunks": "712037006,712037007",
    "timezone": "utc +5",
}
ANSWER = json.dumps({"id": 124, "name": "Куз oʻ", "status": "new", "unknown": {"a": [1.5]}})


class _Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def store(store_place: Callable[[str], Path | str], clock: _Clock) -> CampaignStore:
    return CampaignStore(store_place(STORE_NAME), clock)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / STORE_NAME


def _papers(*numbers: str, digest: str = "d", **fields: str) -> CampaignRecord:
    record = SubmittedFile("promo.mp3", "/sounds/promo.mp3", "ab")
    return CampaignRecord({**FIELDS, **fields}, digest, record, SubmittedFile("list.csv", "", "cd"), numbers)


def test_a_campaign_is_whole_before_its_answer_and_after(store: CampaignStore) -> None:
    store.intend("R-AAAA", "tashkent", _papers("998901234567", "998912345678"))
    (begun,) = store.campaigns("tashkent")
    assert (begun.outcome, begun.status, begun.id, begun.answer, begun.label) == ("unknown",) * 2 + (
        None,
        None,
        "R-AAAA",
    )
    assert begun.count == 2
    assert begun.fields == FIELDS
    assert begun.record == SubmittedFile("promo.mp3", "/sounds/promo.mp3", "ab")
    assert store.numbers("R-AAAA") == ("998901234567", "998912345678")
    store.settle("R-AAAA", "done", 0, ANSWER)
    (settled,) = store.campaigns("tashkent")
    assert (settled.outcome, settled.status, settled.id, settled.label) == ("done", "new", "124", "124")
    assert settled.answer == json.loads(ANSWER)
    assert store.campaign("tashkent", "124") == store.campaign("tashkent", "r-aaaa") == settled
    assert store.campaign("samarkand", "124") is None
    assert json.loads(json.dumps(settled.as_dict()))["fields"] == FIELDS


@pytest.mark.parametrize("answer", ["", "true", "[1]", '{"name": "x"}', '{"id": 1', '{"id": null}', "[" * 100_000])
def test_an_answer_that_is_no_campaign_leaves_no_id(store: CampaignStore, answer: str) -> None:
    store.intend("R-AAAA", "p", _papers())
    store.settle("R-AAAA", "unknown", 6, answer)
    (found,) = store.campaigns("p")
    assert (found.outcome, found.id, found.answer) == ("unknown", None, None)


def test_what_may_have_been_created_counts_and_what_was_refused_does_not(store: CampaignStore) -> None:
    for number, state in enumerate(("done", "unknown", "refused", "unsent", None)):
        receipt = f"R-{number}"
        store.intend(receipt, "p", _papers(f"99890123456{number}", digest=f"{number:064}"))
        if state is not None:
            store.settle(receipt, state, 0, json.dumps({"id": 124 + number}))
    before = NOON - timedelta(seconds=1)
    assert set(store.called_numbers("p", before)) == {"998901234560", "998901234561", "998901234564"}
    assert store.created_count("p", before) == 3
    twins = [store.find_twin("p", before, _papers("", digest=f"{number:064}")) for number in range(5)]
    assert [twin and twin.label for twin in twins] == ["124", "125", None, None, "R-4"]
    assert store.created_count("q", before) == 0
    assert store.find_twin("q", before, _papers("", digest=f"{0:064}")) is None


def test_what_lies_before_the_moment_is_left_out(store: CampaignStore, clock: _Clock) -> None:
    store.intend("R-1", "p", _papers("998901234567"))
    clock.now += timedelta(days=8)
    store.intend("R-2", "p", _papers("998912345678"))
    week = clock.now - timedelta(days=7)
    assert list(store.called_numbers("p", week)) == ["998912345678"]
    assert store.created_count("p", week) == 1
    twin = store.find_twin("p", week, _papers("998912345678"))
    assert twin is not None
    assert twin.label == "R-2"
    assert [found.receipt for found in store.campaigns("p", week)] == ["R-2"]
    assert [found.receipt for found in store.campaigns("p")] == ["R-2", "R-1"]
    # The same moment in another zone is the same moment.
    assert store.created_count("p", NOON.astimezone(TASHKENT)) == 2


def _at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=TASHKENT)


@pytest.mark.parametrize(
    ("opens", "closes", "busy"),
    [
        (_at(24, 10), _at(26, 19, 59), True),
        (_at(26, 19, 59), _at(30, 21), True),
        (_at(26, 20), _at(30, 21), False),
        (_at(20, 8), _at(30, 9, 59), False),
        (_at(20, 8), _at(30, 10), True),
        (_at(27, 10), _at(28, 19), False),
        (_at(24, 10).astimezone(UTC), _at(26, 11).astimezone(UTC), True),
        (_at(24, 4).astimezone(UTC), _at(26, 9).astimezone(UTC), False),
    ],
)
def test_a_line_is_busy_where_days_and_hours_meet(
    store: CampaignStore, opens: datetime, closes: datetime, busy: bool
) -> None:
    store.intend("R-1", "p", _papers())
    store.settle("R-1", "done", 0, ANSWER)
    found = store.busy_lines("p", ["551234567", "712037007"], opens, closes)
    assert found == ([("712037007", "124")] if busy else [])


def test_a_refused_campaign_and_a_form_that_cannot_be_read_keep_no_line_busy(store: CampaignStore) -> None:
    store.intend("R-1", "p", _papers())
    store.settle("R-1", "refused", 1, "")
    store.intend("R-2", "p", CampaignRecord({"from": "soon", "trunks": "712037006"}))
    assert store.busy_lines("p", ["712037006"], _at(24, 10), _at(26, 19)) == []
    assert store.campaigns("p")[0].plan is None


def test_a_campaign_that_was_seen_over_gives_its_lines_back(store: CampaignStore) -> None:
    store.intend("R-1", "p", _papers())
    store.settle("R-1", "done", 0, ANSWER)
    asked = ("p", ["712037006"], _at(24, 10), _at(26, 19))
    assert store.busy_lines(*asked) == [("712037006", "124")]
    store.note("p", "124", {"id": 124, "status": "done"}, Masker())
    assert store.busy_lines(*asked) == []


def test_what_was_last_seen_is_kept(store: CampaignStore, clock: _Clock) -> None:
    store.intend("R-1", "p", _papers())
    store.settle("R-1", "done", 0, ANSWER)
    clock.now += timedelta(hours=1)
    store.note("p", "124", {"id": 124, "status": "running"}, Masker())
    store.note("p", "999", {"id": 999, "status": "running"}, Masker())
    (found,) = store.campaigns("p")
    assert (found.status, found.seen_at) == ("running", "2026-11-24T08:00:00.000000Z")


def test_a_hundred_thousand_numbers_come_back_as_they_went(store: CampaignStore, path: Path) -> None:
    numbers = tuple(f"9989{number:08}" for number in range(100_000))
    store.intend("R-1", "p", _papers(*numbers))
    assert tuple(store.called_numbers("p", NOON)) == numbers
    if path.exists():
        assert path.stat().st_size < 1_500_000


def test_the_file_is_private_and_durable(path: Path, clock: _Clock) -> None:
    CampaignStore(path, clock).intend("R-1", "p", _papers())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_lone_surrogates_are_stored_as_they_can_be(store: CampaignStore) -> None:
    store.intend("R-1", "p\udc80", _papers(name="x\udc80"))
    (found,) = store.campaigns("p\udc80")
    assert found.fields["name"] == "x\udc80"
    assert store.campaign("p\udc80", "\udc80") is None


def test_a_damaged_row_is_named_and_nothing_is_made_up(path: Path, clock: _Clock) -> None:
    store = CampaignStore(path, clock)
    store.intend("R-1", "p", _papers("998901234567"))
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE campaign SET fields = '{'")
        connection.execute("UPDATE called SET numbers = x'00'")
    connection.close()
    with pytest.raises(UsageError, match="R-1 cannot be read"):
        store.campaigns("p")
    with pytest.raises(UsageError, match="damaged"):
        list(store.called_numbers("p", NOON - timedelta(days=1)))
    path.write_bytes(b"no database" * 100)
    with pytest.raises(UsageError, match="damaged"):
        store.created_count("p", NOON)
