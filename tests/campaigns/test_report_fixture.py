"""The campaign of the definitions' fixture: every row has the category that was worked out by hand."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from event_rows import Rows
from front_door import FrontDoor

from alovoice_cli.campaigns.campaign_record import CampaignRecord, SubmittedFile
from alovoice_cli.campaigns.kept_list import keep_recipients
from alovoice_cli.campaigns.recipients import Exclusion, read_recipients
from alovoice_cli.events.event import Event
from alovoice_cli.phones import number_of
from alovoice_cli.receipts import Intent
from alovoice_cli.stores.campaigns import STORE_NAME, CampaignStore
from alovoice_cli.stores.ledger import Ledger

DATA = Path(__file__).parents[1] / "events" / "data" / "kpi"
SETUP: dict[str, Any] = json.loads((DATA / "campaign_report.setup.json").read_text("utf-8"))
EXPECTED: dict[str, Any] = json.loads((DATA / "campaign_report.expected.json").read_text("utf-8"))
NOW = datetime.fromisoformat(SETUP["now"])
CREATED = datetime(2026, 11, 24, 12, tzinfo=UTC)


def add_campaign(store: CampaignStore, campaign: dict[str, Any], excluded: list[int]) -> None:
    """Writes the campaign as `autorule create` does."""
    path = DATA / campaign["list"]
    with path.open("rb") as file:
        whom = read_recipients(file, str(path), exclusions=[Exclusion("on dnc.csv", excluded)])
        kept = keep_recipients(whom)
    fields = {name: str(campaign[name]) for name in ("name", "fromtime", "totime", "goodtime", "tryes")}
    fields |= {name: campaign[name].replace("-", ".") for name in ("from", "to")}
    fields |= {"trunks": ",".join(campaign["trunks"]), "timezone": "utc +5"}
    numbers = tuple(map(str, whom.dialled(cleaned=True)))
    files = SubmittedFile("a.mp3", "", ""), SubmittedFile(campaign["list"], "", "")
    receipt = f"R-{campaign['id']}"
    store.intend(receipt, "sandbox", CampaignRecord(fields, receipt, *files, numbers, kept=kept))
    store.settle(receipt, "done", 0, json.dumps({"id": int(campaign["id"])}))


def fill_store(path: Path) -> Rows:
    """Writes the fixture's events as a listener stores them."""
    rows, before = Rows(path), dict[str, Event]()
    for line in (DATA / "campaign_report.jsonl").read_text("utf-8").splitlines():
        told = json.loads(line)
        at = datetime.fromisoformat(told["received_at"])
        twin = before.get(json.dumps(told["body"]))
        before[json.dumps(told["body"])] = rows.deliver(
            told["type"], at, told["body"], call_id=told.get("answer_id"), repeats=twin
        )
    return rows


@pytest.fixture
def home(alovoice: FrontDoor) -> FrontDoor:
    """A home with both campaigns and all events, at the fixture's moment."""
    state = alovoice.home / "state"
    alovoice.environ["ALOVOICE_PROFILE"] = "sandbox"
    alovoice.ahead = NOW - datetime.now(UTC)
    fill_store(state / "events-sandbox.db")
    store = CampaignStore(state / STORE_NAME, lambda: CREATED)
    for campaign in SETUP["campaigns"]:
        add_campaign(store, campaign, [number_of(text) for text in SETUP["exclude"]] if "124" in campaign["id"] else [])
    ledger = Ledger(state / "ledger.db", lambda: CREATED)
    for our_id in SETUP["ledger_external_ids"]:
        ledger.intend(Intent("sandbox", "call ivr", "POST", "/x", (), our_id, {}))
    return alovoice


def listen(home: FrontDoor, gaps: list[list[str]]) -> None:
    """Notes a listener that was up all the time but for the gaps."""
    ends = [CREATED.timestamp(), *(datetime.fromisoformat(text).timestamp() for gap in gaps for text in gap)]
    ends.append(NOW.timestamp())
    stretches = [(begin, end, True) for begin, end in zip(ends[::2], ends[1::2], strict=True)]
    Rows(home.home / "state" / "events-sandbox.db").listened(*stretches)


@pytest.mark.parametrize("coverage", SETUP["coverage"])
def test_the_counts_are_those_of_the_definitions_for_each_coverage(home: FrontDoor, coverage: str) -> None:
    listen(home, SETUP["coverage"][coverage])
    result = home("autorule", "report", "124", "--json")
    assert result.code == 0, result.err
    report = json.loads(result.out)
    totals = EXPECTED[coverage]["totals"]
    assert {name: report[name] for name in totals} == totals
    assert report["rows"] == sum(totals.values()) == 40


def test_every_row_has_the_category_and_the_attempts_that_were_worked_out(home: FrontDoor) -> None:
    listen(home, [])
    report = json.loads(home("autorule", "report", "124", "--json").out)
    names = ("line", "cell", "category", "attempts")
    found = [{name: row[name] for name in names} for row in report["list"]]
    assert found == [{name: row[name] for name in names} for row in EXPECTED["complete"]["rows"]]
