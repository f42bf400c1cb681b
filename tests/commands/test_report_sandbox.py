"""A campaign of the sandbox, told to a real listener over a socket: its report against the sandbox's own account."""

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from day import calling, listening, phone
from front_door import FrontDoor
from waiting import wait_until

from alovoice_cli.campaigns.report import CATEGORIES
from alovoice_cli.stores.pbx_traffic import UNANSWERED, CallAccount, Traffic

MP3 = Path(__file__).parents[2] / "alovoice_cli" / "sandbox" / "scenarios" / "announcement.mp3"
GOODTIME = 5
CREATE = (
    *("autorule", "create", "--record", "a.mp3", "--recipients", "people.csv", "--name", "Куз", "--no-check"),
    *("--trunks", "712037006,712037007", "--goodtime", str(GOODTIME), "--clean", "--json"),
    *("--night-ok", "--yes"),
)
CLASSES = {"BUSY": "busy", "NOANSWER": "no_answer", "CHANUNAVAIL": "failed"}


def write_list(home: Path, rows: int) -> None:
    """A list of so many rows: every 20th repeats an earlier number, every 25th holds none."""
    lines = ["ism;telefon;shahar"]
    for number in range(rows):
        cell = f"90{1_000_000 + number}"
        cell = f"+998 90 {1_000_000 + number - 3}" if number % 20 == 19 else cell
        lines.append(f"Мижоз {number};{'йўқ' if number % 25 == 24 else cell};Тошкент, {number}")
    (home / "people.csv").write_text("\n".join(lines) + "\n", "utf-8")
    (home / "a.mp3").write_bytes(MP3.read_bytes())


def dialstatus(account: CallAccount) -> str:
    """What the call's result says."""
    (body,) = {one.body for one in account.deliveries if one.type == "result"}
    value = json.loads(body)
    fields = {name.removeprefix("[]"): told for name, told in (value[0] if isinstance(value, list) else value).items()}
    return str(fields["dialstatus"])


def by_account(accounts: list[CallAccount]) -> dict[str, tuple[str, int, int]]:
    """The category, the attempts and the talk of each number, by what the sandbox did."""
    made = defaultdict[str, list[CallAccount]](list)
    for account in sorted(accounts, key=lambda account: account.course.started_at):
        made[phone(account.course.number) or ""].append(account)
    found = {}
    for number, calls in made.items():
        ends = [(call.course.answered_at, call.course.ended_at or 0) for call in calls]
        talks = [ended - answered for answered, ended in ends if answered is not None]
        category = "short" if talks else CLASSES.get(dialstatus(calls[-1]), "")
        found[number] = "reached" if max(talks, default=0) >= GOODTIME else category, len(calls), sum(talks)
    return found


def posts(home: FrontDoor) -> tuple[int, int, int]:
    """How many messages the sandbox has sent, how many of them in vain, and how many have no answer yet."""
    with closing(sqlite3.connect(home.home / "pbx.db", timeout=30)) as connection:
        counted = "count(*), coalesce(sum(status IS NULL AND error <> ?), 0), coalesce(sum(error = ?), 0)"
        row = connection.execute(f"SELECT {counted} FROM delivery", (UNANSWERED, UNANSWERED)).fetchone()
    return int(row[0]), int(row[1]), int(row[2])


def all_accounts(home: FrontDoor, people: int) -> list[CallAccount]:
    """The sandbox's account once there is nobody to call again: all are reached, or were called twice."""
    accounts: list[CallAccount] = []
    looked_at = 0

    def is_over() -> bool:
        nonlocal accounts, looked_at
        sent, _, running = posts(home)
        is_moving, looked_at = sent != looked_at, sent
        if running or is_moving or sent < people:
            return False
        with Traffic(home.home / "pbx.db") as traffic:
            accounts = traffic.accounts()
        if any(account.imbalance for account in accounts):
            return False
        found = by_account(accounts).values()
        return len(found) == people and all(category == "reached" or tries == 2 for category, tries, _ in found)

    wait_until(is_over, "the end of the campaign", seconds=120, pause=0.1)
    return accounts


@contextmanager
def pbx(home: FrontDoor, base: str, speed: str) -> Iterator[None]:
    """A sandbox process that calls back to the listener; this home's PBX is that one."""
    with calling(home, base, "--token", "t0k", "--speed", speed, "--seed", "7") as process:
        assert process.stdout is not None
        home.environ |= {"ALOVOICE_TOKEN": "t0k", "ALOVOICE_BASE_URL": json.loads(process.stdout.readline())["url"]}
        yield


def create(home: FrontDoor, people: int, *days: str) -> None:
    """Creates campaign 124 on the list of so many people."""
    created = home(*CREATE, "--confirm", str(people), *days)
    assert created.code == 0, created.err
    assert json.loads(created.out)["id"] == 124


def report_of(home: FrontDoor) -> dict[str, Any]:
    """The report of campaign 124."""
    result = home("autorule", "report", "124", "--json")
    assert result.code == 0, result.err
    report: dict[str, Any] = json.loads(result.out)
    assert sum(report[category] for category in CATEGORIES) == report["rows"] == len(report["list"])
    return report


def test_with_all_events_every_row_is_what_the_sandbox_says_of_it(alovoice: FrontDoor) -> None:
    write_list(alovoice.home, 1000)
    # Results alone: a third of the messages. The campaign below has the others too.
    with listening(alovoice) as heard, pbx(alovoice, f"result={heard.base}/result", "1000000"):
        create(
            alovoice,
            920,
            "--from",
            "tomorrow",
            "--to",
            "tomorrow",
            "--fromtime",
            "10:00",
            "--totime",
            "19:59",
            "--maxline",
            "30",
        )
        accounts = all_accounts(alovoice, 920)
        report = report_of(alovoice)
    expected, judged = by_account(accounts), {row["line"]: row for row in report["list"]}
    for number in range(1000):
        row = judged[number + 2]
        assert row["cells"][0] == f"Мижоз {number}"
        if number % 25 == 24 or number % 20 == 19:
            assert row["category"] == ("invalid" if number % 25 == 24 else "duplicate")
        else:
            found = row["category"], row["attempts"], row["talk_seconds"]
            assert found == expected[f"99890{1_000_000 + number}"], row
    assert report["coverage"]["is_complete"] is True


def test_rows_whose_events_were_lost_are_unknown_and_never_not_tried(alovoice: FrontDoor) -> None:
    write_list(alovoice.home, 150)
    with ExitStack() as opened:
        with listening(alovoice) as heard:
            port = str(urlsplit(heard.base).port)
            opened.enter_context(pbx(alovoice, heard.base, "100"))
            hours = ("--from", "today", "--to", "tomorrow", "--fromtime", "00:00", "--totime", "23:59")
            create(alovoice, 138, *hours, "--maxline", "8")
            wait_until(lambda: posts(alovoice)[0] > 180, "180 posts", seconds=120, pause=0.1)
        wait_until(lambda: posts(alovoice)[1] > 130, "130 posts in vain", seconds=120, pause=0.1)
        with listening(alovoice, "--port", port):
            accounts = all_accounts(alovoice, 138)
            report = report_of(alovoice)
            again = alovoice("autorule", "report", "124", "--unreached", "again.csv")
    expected, heard_of = by_account(accounts), Counter[str]()
    for account in accounts:
        told = [one for one in account.deliveries if one.type != "callend"]
        heard_of[phone(account.course.number) or ""] += any(one.status == 200 for one in told)
    silent = {number for number in expected if not heard_of[number]}
    assert len(silent) > 9
    assert report["not_tried"] == 0
    for row in report["list"]:
        if row["number"] in silent and row["category"] != "duplicate":
            assert (row["category"], row["attempts"]) == ("unknown", 0)
    assert report["coverage"]["is_complete"] is False
    assert again.code == 0
    written = (alovoice.home / "again.csv").read_text("utf-8")
    assert not any(number[3:] in written for number in silent)
