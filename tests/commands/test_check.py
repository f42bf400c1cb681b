"""`autorule check`, and what `create` takes from it: a campaign that cannot go wrong."""

import json
import os
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta

import pytest
from campaign_check import campaign_words, findings, set_clock, write_clients
from campaign_server import MP3, part_of, serve_campaigns
from front_door import TOKEN, FrontDoor
from raw_server import Connection, RawServer

from alovoice_cli.campaigns.schedule import Window, parse_minute
from alovoice_cli.moments import parse_zone


@pytest.fixture
def home(check_home: FrontDoor) -> FrontDoor:
    return check_home


@pytest.fixture
def pbx(check_pbx: RawServer) -> RawServer:
    return check_pbx


def _unanswered(words: list[str]) -> list[str]:
    return [word for word in words if word != "--yes"]


# --- the check -------------------------------------------------------------------------------------------------------


def test_a_good_campaign_is_found_good_and_nothing_is_sent(home: FrontDoor, pbx: RawServer) -> None:
    result = home(*campaign_words("check"), "--json")
    assert result.code == 0, result.err
    told = json.loads(result.out)
    assert (told["ok"], told["findings"]) == (True, [])
    assert (
        told["summary"]
        == "Autumn: Wed 25 – Thu 26 Nov, 10:00–19:59 Tashkent, 2 days × 10 h, 2 numbers, 1 line, PBX default"
    )
    counts = told["recipients"]
    assert (
        counts["good"] + sum(counts[kind] for kind in ("invalid", "empty", "duplicate", "excluded")) == counts["rows"]
    )
    assert (counts["column"], counts["header"]) == (1, "тел")
    assert told["audio"] == {
        "duration_seconds": 3.94,
        "bitrate": 32000,
        "sample_rate": 22050,
        "channels": 1,
        "size": 15778,
    }
    assert [seen.target for seen in pbx.requests] == ["/mapi/getMyTrunks"]
    assert home("call", "receipts", "list", "--json").out == "[]\n"


WRONG: dict[str, tuple[dict[str, str], str]] = {
    "days upside down": ({"from": "+2d", "to": "today"}, "days_reversed"),
    "over midnight": ({"fromtime": "20:00", "totime": "02:00"}, "hours_reversed"),
    "the past": ({"from": "2026.11.20", "to": "2026.11.21"}, "past"),
    "a summer clock": ({"timezone": "America/New_York", "from": "2027.03.12", "to": "2027.03.16"}, "clock_change"),
    "a line that is not there": ({"trunks": "712037009"}, "unknown_line"),
    "a WAV": ({"record": "wav.mp3"}, "audio"),
    "a web page": ({"record": "page.mp3"}, "audio"),
    "a cut recording": ({"record": "cut.mp3"}, "audio_truncated"),
    "a workbook": ({"recipients": "book.csv"}, "list"),
    "no phones": ({"recipients": "names.csv"}, "list"),
    "rounded numbers": ({"recipients": "rounded.csv"}, "excel_rounded"),
    "nobody left": ({"recipients": "short.csv"}, "nobody_to_call"),
}


@pytest.mark.parametrize("what", WRONG)
def test_an_error_ends_the_check_with_eight_and_the_creation_before_it_begins(
    home: FrontDoor, pbx: RawServer, what: str
) -> None:
    for name, content in {
        "wav.mp3": b"RIFF\x24\x10\0\0WAVEfmt " + bytes(4000),
        "page.mp3": b"<!DOCTYPE html><html>no such file</html>" * 50,
        "cut.mp3": MP3[:-50],
        "book.csv": b"PK\x03\x04" + bytes(100),
        "names.csv": b"name\nAli\n",
        "rounded.csv": b"phone\n998901234567\n9.98901E+11\n",
        "short.csv": b"phone\n2037006\n2037007\n",
    }.items():
        (home.home / name).write_bytes(content)
    changes, code = WRONG[what]
    if what == "a workbook":  # a file that cannot be opened is no finding
        assert home(*campaign_words("check", **changes)).code == 2
    else:
        assert findings(home, code=8, **changes)[code] == "error"
    created = home(*campaign_words("create", "--night-ok", **changes), "--json")
    assert created.code in (2, 8)
    assert json.loads(created.err.splitlines()[-1])["error"]["sent"] == "no"
    assert pbx.effects == []
    assert home("call", "receipts", "list", "--json").out == "[]\n"


def test_all_that_is_wrong_is_told_at_once(home: FrontDoor, pbx: RawServer) -> None:
    (home.home / "cut.mp3").write_bytes(MP3[:-50])
    write_clients(home, "998901234567", "9,98901E+11", "901234567")
    found = findings(home, code=8, record="cut.mp3", to="2026.11.24", trunks="1", maxline="9", totime="22:00")
    assert {"days_reversed", "audio_truncated", "excel_rounded", "duplicate", "unknown_line", "maxline"} <= set(found)
    assert (found["maxline"], found["duplicate"]) == ("warning", "warning")


def test_findings_are_a_table_with_their_place_and_what_to_do(home: FrontDoor, pbx: RawServer) -> None:
    write_clients(home, "998901234567", "901234567/8")
    piped = home(*campaign_words("check"))
    assert piped.out.splitlines()[1].startswith("warning\tclients.csv:3:1\trow 3: 901234567/8: the cell holds")
    shown = home(*campaign_words("check"), terminal=True, environ={"NO_COLOR": "1"})
    assert "901234567/8" in shown.out
    assert max(map(len, shown.out.splitlines())) <= 80
    assert "rows: 2 (good 1, invalid 1, empty 0, duplicate 0, excluded 0)" in " ".join(piped.err.split())


def test_a_pbx_that_cannot_be_asked_is_a_warning_to_check_and_stops_creation(home: FrontDoor) -> None:
    home.environ |= {"ALOVOICE_BASE_URL": "http://127.0.0.1:1", "ALOVOICE_TOKEN": TOKEN}
    assert findings(home, "--timeout", "1") == {"lines_unchecked": "warning"}
    assert home(*campaign_words("create"), "--timeout", "1").code == 5


def test_a_clock_that_differs_from_the_servers_is_told(home: FrontDoor) -> None:
    def answers(connection: Connection) -> None:
        while connection.read() is not None:
            connection.answer("200 OK", b'["712037006"]', "Date: Wed, 25 Nov 2026 05:10:00 GMT")

    server = RawServer([answers])
    home.environ |= {"ALOVOICE_BASE_URL": server.url, "ALOVOICE_TOKEN": TOKEN}
    found = findings(home)
    server.stop()
    assert found == {"clock": "warning"}


def test_a_rehearsal_looks_at_the_files_and_opens_no_connection(home: FrontDoor, pbx: RawServer) -> None:
    result = home(*campaign_words("create", totime="22:00"), "--dry-run")
    assert (result.code, pbx.connections) == (0, 0), result.err
    assert "quiet hours" in result.err
    assert home(*campaign_words("create", to="2026.11.24"), "--dry-run").code == 8


def test_the_question_comes_after_the_findings_and_the_summary(home: FrontDoor, pbx: RawServer) -> None:
    write_clients(home, *(f"99890{place:07}" for place in range(4812)), "998901234567", "901234567")
    words = _unanswered(campaign_words("create", trunks="all", to="+2d", totime="20:59"))
    result = home(*words, stdin="n\n", terminal=True)
    told = " ".join(result.err.split())
    assert result.code == 2
    summary = "Wed 25 – Fri 27 Nov, 10:00–20:59 Tashkent, 3 days × 11 h, 4 813 numbers, 2 lines, PBX default"
    assert told.index("in more than one row") < told.index(summary) < told.index("Type the number to go on")
    assert pbx.effects == []


def test_help_loads_no_library_of_the_checks() -> None:
    table = "from alovoice_cli.commands.command_tree import full_tree"
    code = f"{table}; full_tree().commands['autorule'].build('check')\n"
    code += "import sys, json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"phonenumbers", "holidays"} & set(json.loads(done.stdout))


def test_days_are_said_in_words() -> None:
    def said(first: date, last: date, zone: str = "utc +5") -> str:
        return Window(first, last, parse_minute("09:30"), parse_minute("18:00"), parse_zone(zone)).describe()

    assert said(date(2026, 11, 24), date(2026, 11, 24)) == "Tue 24 Nov, 09:30–18:00 Tashkent, 8.5 h"
    assert said(date(2026, 11, 30), date(2026, 12, 1), "Asia/Dubai").startswith(
        "Mon 30 Nov – Tue 1 Dec, 09:30–18:00 Dubai"
    )
    assert said(date(2026, 12, 31), date(2027, 1, 1), "utc +4").startswith(
        "Thu 31 Dec 2026 – Fri 1 Jan 2027, 09:30–18:00 utc +4"
    )


# --- nights, Sundays, holidays ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"totime": "21:00"}, "quiet_hours"),
        ({"fromtime": "07:59"}, "quiet_hours"),
        ({"to": "2026.11.29"}, "sunday"),
        ({"from": "2026.12.08", "to": "2026.12.08"}, "holiday"),
    ],
)
def test_a_time_of_rest_needs_a_word_from_a_script_and_a_yes_from_a_person(
    home: FrontDoor, pbx: RawServer, changes: dict[str, str], code: str
) -> None:
    assert findings(home, code=0, **changes) == {code: "warning"}
    words = campaign_words("create", **changes)
    for words_of_a_script, terminal in ((_unanswered(words), False), (words, True)):
        refused = home(*words_of_a_script, terminal=terminal)
        assert refused.code == 8, refused.err
        assert refused.err.count("--night-ok") == 1, "told once"
    assert pbx.effects == []
    counted = home(*_unanswered(words), "--confirm", "2", terminal=True)
    assert counted.code == 8, "how many are called is no word on when"
    assert pbx.effects == []
    assert home(*_unanswered(words), stdin="y\n", terminal=True).code == 0
    assert home(*campaign_words("create", "--night-ok", "--allow-duplicate", **changes)).code == 0
    unchecked = home(*_unanswered(campaign_words("create", "--no-check", "--allow-duplicate", **changes)))
    assert (unchecked.code, unchecked.err.count("--night-ok")) == (8, 1), "--no-check is no word on when"
    assert len(pbx.effects) == 2


def test_the_profile_says_which_hours_are_quiet(home: FrontDoor, pbx: RawServer) -> None:
    assert home("config", "set", "quiet_hours", "21:00-10:30").code == 0
    assert findings(home) == {"quiet_hours": "warning"}
    assert home("config", "set", "quiet_hours", "none").code == 0
    assert findings(home, fromtime="00:00", totime="23:59") == {}
    for wrong in ("21:00", "25:00-08:00", "21-8", "08:00-08:00"):
        assert home("config", "set", "quiet_hours", wrong).code == 2


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tashkent", "Pacific/Kiritimati"])
@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 11, 25, 18, 30, tzinfo=UTC),  # 23:30 in Tashkent
        datetime(2026, 11, 25, 19, 30, tzinfo=UTC),  # 00:30 of the next day there
        datetime(2026, 3, 8, 6, 30, tzinfo=UTC),  # the night on which New York's clock goes forward
        datetime(2026, 11, 1, 5, 30, tzinfo=UTC),  # and back
    ],
)
@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the machine's zone cannot be set")
def test_the_machines_zone_changes_no_byte_on_the_wire(
    home: FrontDoor, pbx: RawServer, moment: datetime, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock(home, moment)
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        # Later than any of the moments in Tashkent: `today` there never is over.
        result = home(*campaign_words("create", "--night-ok", fromtime="00:00", totime="23:59"))
    finally:
        os.environ.pop("TZ")
        time.tzset()
    assert result.code == 0, result.err
    day = (moment + timedelta(hours=5)).date()
    wire = {name: part_of(pbx.effects[0], name).decode() for name in ("from", "to", "fromtime", "totime", "timezone")}
    assert wire == {
        "from": f"{day:%Y.%m.%d}",
        "to": f"{day + timedelta(1):%Y.%m.%d}",
        "fromtime": "00:00",
        "totime": "23:59",
        "timezone": "utc +5",
    }


# --- twice, limits, busy lines ---------------------------------------------------------------------------------------


def test_the_same_campaign_within_a_day_is_refused_unless_it_is_meant(home: FrontDoor, pbx: RawServer) -> None:
    assert home(*campaign_words("create")).code == 0
    again = home(*campaign_words("create"))
    assert again.code == 8
    assert "124" in again.err
    assert "--allow-duplicate" in again.err
    assert findings(home, code=8)["twin"] == "error"
    assert home(*campaign_words("create", tryes="3")).code == 0, "another number of tries is another campaign"
    write_clients(home, "998901234567", "998912345679")
    assert home(*campaign_words("create")).code == 0, "and so is another list"
    assert home(*campaign_words("create", "--allow-duplicate")).code == 0
    home.later(hours=24, minutes=1)
    assert home(*campaign_words("create", **{"from": "2026.11.26", "to": "2026.11.27"})).code == 0
    assert len(pbx.effects) == 5


def test_a_campaign_without_a_name_is_known_again_too(home: FrontDoor, pbx: RawServer) -> None:
    assert home(*campaign_words("create", name=None)).code == 0
    assert home(*campaign_words("create", name=None)).code == 8


def test_a_refused_campaign_is_no_twin(home: FrontDoor, pbx: RawServer) -> None:
    def refuses(connection: Connection) -> None:
        while (seen := connection.read()) is not None:
            lines = seen.target.endswith("getMyTrunks")
            connection.answer("200 OK" if lines else "400 Bad Request", b'["712037006"]' if lines else b"{}")

    pbx.acts = [refuses]
    assert home(*campaign_words("create")).code == 1
    pbx.acts = [serve_campaigns]
    assert home(*campaign_words("create")).code == 0


@pytest.mark.parametrize(
    ("key", "value", "fits"),
    [
        ("max_recipients", "1", "2"),
        ("allowed_prefixes", "99890,99893", "99890,99891"),
        ("allowed_prefixes", "7", "998"),
    ],
)
def test_a_limit_of_the_profile_is_exit_eight_unless_it_is_overridden_by_name(
    home: FrontDoor, pbx: RawServer, key: str, value: str, fits: str
) -> None:
    assert home("config", "set", key, value).code == 0
    assert home(*campaign_words("check")).code == 8
    refused = home(*campaign_words("create"))
    assert refused.code == 8
    assert f"--override-limit {key}" in refused.err
    assert pbx.effects == []
    assert home(*campaign_words("create", "--override-limit", key)).code == 0
    assert home(*campaign_words("create", "--override-limit", "nosuch")).code == 2
    assert home("config", "set", key, fits).code == 0
    assert home(*campaign_words("check", "--allow-duplicate")).code == 0


def test_so_many_campaigns_a_day_and_no_more(home: FrontDoor, pbx: RawServer) -> None:
    assert home("config", "set", "max_campaigns_per_day", "2").code == 0
    for name in ("one", "two"):
        assert home(*campaign_words("create", name=name)).code == 0
    assert home(*campaign_words("create", name="three")).code == 8
    assert home(*campaign_words("create", "--override-limit", "max_campaigns_per_day", name="three")).code == 0
    home.later(hours=25)
    assert home(*campaign_words("create", name="four", to="+2d")).code == 0


def test_another_campaign_on_the_same_line_in_the_same_hours_is_a_warning(home: FrontDoor, pbx: RawServer) -> None:
    assert home(*campaign_words("create")).code == 0
    assert findings(home, name="Second") == {"busy_line": "warning"}
    assert findings(home, name="Second", trunks="712037007") == {}
    assert findings(home, name="Second", fromtime="20:00", totime="20:30") == {}
