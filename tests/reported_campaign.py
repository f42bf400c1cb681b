"""A campaign of seven people on the sandbox: its creation, the results that the PBX tells, and its report."""

import json
from datetime import datetime, timedelta
from typing import Any

from campaign_server import MP3
from event_rows import Rows
from front_door import FrontDoor, Result

from alovoice_cli.campaigns.report import CATEGORIES

PEOPLE = """ism;telefon;izoh
Али;901110001;=1+1
"Вали; катта";+49 30 1234567;@home
Ҳасан;+998 90 111-00-03;"икки
қатор"
Такрор;998901110001;-
Йўқ;12;
Қўнғироқ қилманг;901110005;x
Зуҳра;901110006;+1
"""
DAY = ("--from", "tomorrow", "--to", "tomorrow", "--fromtime", "10:00", "--totime", "19:59")
CREATE = (
    *("autorule", "create", "--record", "a.mp3", "--name", "Куз", "--trunks", "712037006", *DAY),
    *("--night-ok", "--no-check", "--yes"),
)


def furnish_home(home: FrontDoor) -> FrontDoor:
    """Writes the recording, the list and a do-not-call file, and makes an event store; returns the home."""
    (home.home / "a.mp3").write_bytes(MP3)
    (home.home / "people.csv").write_bytes(PEOPLE.encode())
    (home.home / "dnc.csv").write_text("901110005\n", "utf-8")
    campaign_rows(home)
    return home


def campaign_rows(home: FrontDoor) -> Rows:
    """Returns the event store of the sandbox, to write to."""
    return Rows(home.server_store or home.home / "state" / "events-sandbox.db")


def create_campaign(home: FrontDoor, *words: str) -> Result:
    """Creates the campaign with these words more."""
    created = home(*CREATE, *words)
    assert created.code == 0, created.err
    return created


def report_json(home: FrontDoor, *words: str, campaign: str = "124") -> dict[str, Any]:
    """Returns a campaign's report."""
    result = home("autorule", "report", campaign, "--json", *words)
    assert result.code == 0, result.err
    report: dict[str, Any] = json.loads(result.out)
    assert sum(report[category] for category in CATEGORIES) == report["rows"] == len(report["list"])
    return report


def opening_of(home: FrontDoor) -> datetime:
    """Returns when the campaign's window opens."""
    (created,) = json.loads(home("autorule", "list", "--json").out)
    return datetime.strptime(f"{created['fields']['from']} 10:00 +0500", "%Y.%m.%d %H:%M %z")


def tell_result(home: FrontDoor, number: str, minute: int, dialstatus: str, talk: int = 0, **more: object) -> None:
    """Stores what the PBX tells of a call of the campaign, some minutes after the window's opening."""
    begin = opening_of(home) + timedelta(minutes=minute)
    at = int(begin.timestamp())
    body = {"id": f"{number}-{minute}", "to_number": number, "trunk_number": 712037006, "begin_time": at}
    body |= {"answer_time": at + 9 if talk else 0, "end_time": at + 9 + talk, "duration": talk}
    campaign_rows(home).deliver("result", begin + timedelta(minutes=1), {**body, "dialstatus": dialstatus, **more})


def pass_day(home: FrontDoor, *, listened: bool = True) -> None:
    """Lets the campaign's day pass, with a listener or without."""
    if listened:
        opens = opening_of(home).timestamp()
        campaign_rows(home).listened((opens - 99, opens + 11 * 3600, True))
    home.later(days=3)


def call_people(home: FrontDoor) -> None:
    """Creates the campaign of PEOPLE: one is reached, one busy, the German does not answer, one is not tried."""
    create_campaign(home, "--recipients", "people.csv", "--exclude", "dnc.csv", "--clean")
    tell_result(home, "901110001", 1, "ANSWER", 30)
    tell_result(home, "49301234567", 2, "NOANSWER")
    tell_result(home, "+998901110003", 3, "BUSY")
