"""A campaign with nothing wrong: its clock and list, the words of its check and creation, and what a check finds."""

import json
from datetime import UTC, datetime

from front_door import FrontDoor

# A Wednesday with no holiday near: 10:00 in Tashkent.
NOW = datetime(2026, 11, 25, 5, 0, tzinfo=UTC)


def set_clock(home: FrontDoor, moment: datetime) -> None:
    """Makes the home's clock show this moment."""
    home.ahead = moment - datetime.now(UTC)


def write_clients(home: FrontDoor, *cells: str) -> None:
    """Writes the campaign's list: a row for each cell."""
    (home.home / "clients.csv").write_text("тел;имя\n" + "".join(f"{cell};Али\n" for cell in cells), "utf-8")


def campaign_words(verb: str, *more: str, **changes: str | None) -> list[str]:
    """Returns a good command line with some options changed; None leaves one out."""
    options: dict[str, str | None] = {
        "record": "promo.mp3",
        "recipients": "clients.csv",
        "name": "Autumn",
        "from": "today",
        "to": "+1d",
        "fromtime": "10:00",
        "totime": "19:59",
        "trunks": "712037006",
        **changes,
    }
    words = [word for name, value in options.items() if value is not None for word in (f"--{name}", value)]
    return ["autorule", verb, *words, *(("--yes",) if verb == "create" else ()), *more]


def findings(home: FrontDoor, *more: str, code: int = 0, **changes: str | None) -> dict[str, str]:
    """Returns the severity of each finding of a check, by the finding's code; the check ends with `code`."""
    result = home(*campaign_words("check", *more, **changes), "--json")
    assert result.code == code, result.out + result.err
    told = json.loads(result.out)
    assert told["ok"] == (code == 0)
    return {finding["code"]: finding["severity"] for finding in told["findings"]}
