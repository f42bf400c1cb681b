"""`autorule check`, and what `create` takes from it: a campaign that cannot go wrong."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from email.parser import BytesParser
from pathlib import Path

import pytest
from front_door import TOKEN, FrontDoor
from raw_server import Connection, RawServer, Seen

from alovoice_cli.campaigns.schedule import Window, parse_minute
from alovoice_cli.moments import parse_zone

SCENARIOS = Path(__file__).parents[2] / "alovoice_cli" / "sandbox" / "scenarios"
MP3 = (SCENARIOS / "announcement.mp3").read_bytes()
CAMPAIGN = {"id": 124, "name": "n", "trunks": ["253"], "timezone": 18000, "status": "new"}
# A Wednesday with no holiday near: 10:00 in Tashkent.
NOW = datetime(2026, 11, 25, 5, 0, tzinfo=UTC)


def _answers(connection: Connection) -> None:
    while (seen := connection.read()) is not None:
        lines = seen.target.endswith("getMyTrunks")
        connection.answer("200 OK", json.dumps(["712037006", "712037007"] if lines else CAMPAIGN).encode())


@pytest.fixture
def home(alovoice: FrontDoor) -> FrontDoor:
    (alovoice.home / "promo.mp3").write_bytes(MP3)
    _list(alovoice, "998901234567", "998912345678")
    _at(alovoice, NOW)
    return alovoice


@pytest.fixture
def pbx(home: FrontDoor) -> Iterator[RawServer]:
    server = RawServer([_answers])
    home.environ |= {"ALOVOICE_BASE_URL": server.url, "ALOVOICE_TOKEN": TOKEN}
    yield server
    server.stop()


def _at(home: FrontDoor, moment: datetime) -> None:
    home.ahead = moment - datetime.now(UTC)


def _list(home: FrontDoor, *cells: str) -> None:
    (home.home / "clients.csv").write_text("тел;имя\n" + "".join(f"{cell};Али\n" for cell in cells), "utf-8")


def _words(verb: str, *more: str, **changes: str | None) -> list[str]:
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


def _unanswered(words: list[str]) -> list[str]:
    return [word for word in words if word != "--yes"]


def _found(home: FrontDoor, *more: str, code: int = 0, **changes: str | None) -> dict[str, str]:
    """The severity of each finding by its code."""
    result = home(*_words("check", *more, **changes), "--json")
    assert result.code == code, result.out + result.err
    told = json.loads(result.out)
    assert told["ok"] == (code == 0)
    return {finding["code"]: finding["severity"] for finding in told["findings"]}


def _uploaded(pbx: RawServer) -> bytes:
    return _part(pbx.effects[-1], "recipients")


def _part(seen: Seen, name: str) -> bytes:
    head = f"Content-Type: {seen.header('content-type')}\r\n\r\n".encode()
    for part in BytesParser().parsebytes(head + seen.body).get_payload():
        if not isinstance(part, str) and part.get_param("name", header="content-disposition") == name:
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            return content
    raise AssertionError(name)


# --- the check -------------------------------------------------------------------------------------------------------


def test_a_good_campaign_is_found_good_and_nothing_is_sent(home: FrontDoor, pbx: RawServer) -> None:
    result = home(*_words("check"), "--json")
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
        assert home(*_words("check", **changes)).code == 2
    else:
        assert _found(home, code=8, **changes)[code] == "error"
    created = home(*_words("create", "--night-ok", **changes), "--json")
    assert created.code in (2, 8)
    assert json.loads(created.err.splitlines()[-1])["error"]["sent"] == "no"
    assert pbx.effects == []
    assert home("call", "receipts", "list", "--json").out == "[]\n"


def test_all_that_is_wrong_is_told_at_once(home: FrontDoor, pbx: RawServer) -> None:
    (home.home / "cut.mp3").write_bytes(MP3[:-50])
    _list(home, "998901234567", "9,98901E+11", "901234567")
    found = _found(home, code=8, record="cut.mp3", to="2026.11.24", trunks="1", maxline="9", totime="22:00")
    assert {"days_reversed", "audio_truncated", "excel_rounded", "duplicate", "unknown_line", "maxline"} <= set(found)
    assert (found["maxline"], found["duplicate"]) == ("warning", "warning")


def test_findings_are_a_table_with_their_place_and_what_to_do(home: FrontDoor, pbx: RawServer) -> None:
    _list(home, "998901234567", "901234567/8")
    piped = home(*_words("check"))
    assert piped.out.splitlines()[1].startswith("warning\tclients.csv:3:1\trow 3: 901234567/8: the cell holds")
    shown = home(*_words("check"), terminal=True, environ={"NO_COLOR": "1"})
    assert "901234567/8" in shown.out
    assert max(map(len, shown.out.splitlines())) <= 80
    assert "rows: 2 (good 1, invalid 1, empty 0, duplicate 0, excluded 0)" in " ".join(piped.err.split())


def test_a_pbx_that_cannot_be_asked_is_a_warning_to_check_and_stops_creation(home: FrontDoor) -> None:
    home.environ |= {"ALOVOICE_BASE_URL": "http://127.0.0.1:1", "ALOVOICE_TOKEN": TOKEN}
    assert _found(home, "--timeout", "1") == {"lines_unchecked": "warning"}
    assert home(*_words("create"), "--timeout", "1").code == 5


def test_a_clock_that_differs_from_the_servers_is_told(home: FrontDoor) -> None:
    def answers(connection: Connection) -> None:
        while connection.read() is not None:
            connection.answer("200 OK", b'["712037006"]', "Date: Wed, 25 Nov 2026 05:10:00 GMT")

    server = RawServer([answers])
    home.environ |= {"ALOVOICE_BASE_URL": server.url, "ALOVOICE_TOKEN": TOKEN}
    found = _found(home)
    server.stop()
    assert found == {"clock": "warning"}


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
    assert _found(home, code=0, **changes) == {code: "warning"}
    words = _words("create", **changes)
    for words_of_a_script, terminal in ((_unanswered(words), False), (words, True)):
        refused = home(*words_of_a_script, terminal=terminal)
        assert refused.code == 8, refused.err
        assert refused.err.count("--night-ok") == 1, "told once"
    assert pbx.effects == []
    counted = home(*_unanswered(words), "--confirm", "2", terminal=True)
    assert counted.code == 8, "how many are called is no word on when"
    assert pbx.effects == []
    assert home(*_unanswered(words), stdin="y\n", terminal=True).code == 0
    assert home(*_words("create", "--night-ok", "--allow-duplicate", **changes)).code == 0
    unchecked = home(*_unanswered(_words("create", "--no-check", "--allow-duplicate", **changes)))
    assert (unchecked.code, unchecked.err.count("--night-ok")) == (8, 1), "--no-check is no word on when"
    assert len(pbx.effects) == 2


def test_the_profile_says_which_hours_are_quiet(home: FrontDoor, pbx: RawServer) -> None:
    assert home("config", "set", "quiet_hours", "21:00-10:30").code == 0
    assert _found(home) == {"quiet_hours": "warning"}
    assert home("config", "set", "quiet_hours", "none").code == 0
    assert _found(home, fromtime="00:00", totime="23:59") == {}
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
    _at(home, moment)
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        # Later than any of the moments in Tashkent: `today` there never is over.
        result = home(*_words("create", "--night-ok", fromtime="00:00", totime="23:59"))
    finally:
        os.environ.pop("TZ")
        time.tzset()
    assert result.code == 0, result.err
    day = (moment + timedelta(hours=5)).date()
    wire = {name: _part(pbx.effects[0], name).decode() for name in ("from", "to", "fromtime", "totime", "timezone")}
    assert wire == {
        "from": f"{day:%Y.%m.%d}",
        "to": f"{day + timedelta(1):%Y.%m.%d}",
        "fromtime": "00:00",
        "totime": "23:59",
        "timezone": "utc +5",
    }


# --- twice, limits, busy lines ---------------------------------------------------------------------------------------


def test_the_same_campaign_within_a_day_is_refused_unless_it_is_meant(home: FrontDoor, pbx: RawServer) -> None:
    assert home(*_words("create")).code == 0
    again = home(*_words("create"))
    assert again.code == 8
    assert "124" in again.err
    assert "--allow-duplicate" in again.err
    assert _found(home, code=8)["twin"] == "error"
    assert home(*_words("create", tryes="3")).code == 0, "another number of tries is another campaign"
    _list(home, "998901234567", "998912345679")
    assert home(*_words("create")).code == 0, "and so is another list"
    assert home(*_words("create", "--allow-duplicate")).code == 0
    home.later(hours=24, minutes=1)
    assert home(*_words("create", **{"from": "2026.11.26", "to": "2026.11.27"})).code == 0
    assert len(pbx.effects) == 5


def test_a_campaign_without_a_name_is_known_again_too(home: FrontDoor, pbx: RawServer) -> None:
    assert home(*_words("create", name=None)).code == 0
    assert home(*_words("create", name=None)).code == 8


def test_a_refused_campaign_is_no_twin(home: FrontDoor, pbx: RawServer) -> None:
    def refuses(connection: Connection) -> None:
        while (seen := connection.read()) is not None:
            lines = seen.target.endswith("getMyTrunks")
            connection.answer("200 OK" if lines else "400 Bad Request", b'["712037006"]' if lines else b"{}")

    pbx.acts = [refuses]
    assert home(*_words("create")).code == 1
    pbx.acts = [_answers]
    assert home(*_words("create")).code == 0


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
    assert home(*_words("check")).code == 8
    refused = home(*_words("create"))
    assert refused.code == 8
    assert f"--override-limit {key}" in refused.err
    assert pbx.effects == []
    assert home(*_words("create", "--override-limit", key)).code == 0
    assert home(*_words("create", "--override-limit", "nosuch")).code == 2
    assert home("config", "set", key, fits).code == 0
    assert home(*_words("check", "--allow-duplicate")).code == 0


def test_so_many_campaigns_a_day_and_no_more(home: FrontDoor, pbx: RawServer) -> None:
    assert home("config", "set", "max_campaigns_per_day", "2").code == 0
    for name in ("one", "two"):
        assert home(*_words("create", name=name)).code == 0
    assert home(*_words("create", name="three")).code == 8
    assert home(*_words("create", "--override-limit", "max_campaigns_per_day", name="three")).code == 0
    home.later(hours=25)
    assert home(*_words("create", name="four", to="+2d")).code == 0


def test_another_campaign_on_the_same_line_in_the_same_hours_is_a_warning(home: FrontDoor, pbx: RawServer) -> None:
    assert home(*_words("create")).code == 0
    assert _found(home, name="Second") == {"busy_line": "warning"}
    assert _found(home, name="Second", trunks="712037007") == {}
    assert _found(home, name="Second", fromtime="20:00", totime="20:30") == {}


# --- the list that goes out ------------------------------------------------------------------------------------------


def test_the_list_goes_out_byte_for_byte_unless_it_is_to_be_cleaned(home: FrontDoor, pbx: RawServer) -> None:
    _list(home, "+998 90 123-45-67", "901234567", "911234567", "2037006", "")
    raw = (home.home / "clients.csv").read_bytes()
    assert home(*_words("create")).code == 0
    assert _uploaded(pbx) == raw
    assert home(*_words("create", "--clean", "good.csv", "--rejected", "bad.csv", "--allow-duplicate")).code == 0
    assert _uploaded(pbx) == raw
    clean = "тел;имя\n998901234567;Али\n998911234567;Али\n".encode()
    assert (home.home / "good.csv").read_bytes() == clean
    bad = (home.home / "bad.csv").read_text("utf-8").splitlines()
    assert [line.split(";")[:2] for line in bad[1:]] == [["3", "duplicate"], ["5", "too_short"], ["6", "empty"]]
    cleaned = home(*_words("create", "--clean"))
    assert cleaned.code == 0, cleaned.err
    assert _uploaded(pbx) == clean


def test_a_file_that_is_there_is_not_written_over(home: FrontDoor, pbx: RawServer) -> None:
    (home.home / "good.csv").write_text("mine")
    assert home(*_words("check", "--clean", "good.csv")).code == 2
    assert (home.home / "good.csv").read_text() == "mine"
    assert home(*_words("check", "good.csv")).code == 2, "a name without --clean"


def test_whoever_is_not_to_be_called_is_left_out_of_a_cleaned_list_and_refuses_another(
    home: FrontDoor, pbx: RawServer
) -> None:
    (home.home / "dnc.csv").write_text("phone;until\n901234567;2027-01-01\n912345678;2026-01-01\n")
    assert _found(home, "--exclude", "dnc.csv", code=8) == {"excluded": "error"}
    assert home(*_words("create", "--exclude", "dnc.csv")).code == 8
    assert home(*_words("create", "--exclude", "dnc.csv", "--clean")).code == 0
    assert _uploaded(pbx) == "тел;имя\n998912345678;Али\n".encode()


def test_whoever_was_called_lately_can_be_left_out(home: FrontDoor, pbx: RawServer) -> None:
    assert home(*_words("create")).code == 0
    _list(home, "901234567", "998933334455")
    assert home(*_words("create", "--exclude-called", "7d", "--clean", name="Second")).code == 0
    assert _uploaded(pbx) == "тел;имя\n998933334455;Али\n".encode()
    home.later(days=8)
    words = _words("create", "--exclude-called", "7d", "--clean", name="Third", **{"from": "+1d", "to": "+1d"})
    assert home(*words).code == 0
    assert _uploaded(pbx) == "тел;имя\n998901234567;Али\n998933334455;Али\n".encode()


def test_a_number_with_a_letter_in_it_was_called_all_the_same(home: FrontDoor, pbx: RawServer) -> None:
    _list(home, "9О1234567", "+998 (91) 123-45-67")
    assert home(*_words("create")).code == 0
    _list(home, "901234567", "911234567", "998933334455")
    assert home(*_words("create", "--exclude-called", "7d", "--clean", name="Second")).code == 0
    assert _uploaded(pbx) == "тел;имя\n998933334455;Али\n".encode()


def test_a_rehearsal_looks_at_the_files_and_opens_no_connection(home: FrontDoor, pbx: RawServer) -> None:
    result = home(*_words("create", totime="22:00"), "--dry-run")
    assert (result.code, pbx.connections) == (0, 0), result.err
    assert "quiet hours" in result.err
    assert home(*_words("create", to="2026.11.24"), "--dry-run").code == 8


def test_the_question_comes_after_the_findings_and_the_summary(home: FrontDoor, pbx: RawServer) -> None:
    _list(home, *(f"99890{place:07}" for place in range(4812)), "998901234567", "901234567")
    words = _unanswered(_words("create", trunks="all", to="+2d", totime="20:59"))
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


def test_a_recipient_that_is_a_line_of_the_campaign_is_an_error(home: FrontDoor, pbx: RawServer) -> None:
    _list(home, "998901234567", "+998 71 203-70-06", "998911234567")
    assert _found(home, code=8)["own_line"] == "error"
    assert home(*_words("create")).code == 8


def test_cells_with_text_around_their_number_are_uploaded_cleaned(home: FrontDoor, pbx: RawServer) -> None:
    _list(home, "901234567", "p:+998911234567")
    created = home(*_words("create"))
    assert created.code == 0, created.err
    assert _uploaded(pbx) == "тел;имя\n998901234567;Али\n998911234567;Али\n".encode()
    assert "uploads the cleaned list" in created.err


def test_a_cell_that_goes_out_though_it_is_no_number_is_judged_by_the_limits(home: FrontDoor, pbx: RawServer) -> None:
    _list(home, "901234567", "49301234567")
    assert home("config", "set", "allowed_prefixes", "998").code == 0
    assert home(*_words("create")).code == 8
    (home.home / "dnc.csv").write_text("phone\n+49 30 1234567\n")
    refused = home(*_words("create", "--override-limit", "allowed_prefixes", "--exclude", "dnc.csv"))
    assert refused.code == 8
    assert "not to be called" in refused.err


def test_a_list_in_utf_16_can_be_split(home: FrontDoor, pbx: RawServer) -> None:
    (home.home / "clients.csv").write_text("тел;имя\n998901234567;Али\n998912345678;Ўктам\n", "utf-16")
    assert home(*_words("create", "--split", "1/day")).code == 0
    assert len(pbx.effects) == 2
    assert "called" in home(*_words("check", "--exclude-called", "7d")).out


@pytest.mark.parametrize(
    "rows", ["9.98901E+11", '"931112233', "Ali <90 111", '"Ali" <901112233>'], ids=["rounded", "open", "cut", "bare"]
)
def test_the_same_fault_of_a_list_has_the_same_code_everywhere(home: FrontDoor, rows: str) -> None:
    (home.home / "faulty.csv").write_text(f"number\n{rows}\n", "utf-8")
    commands = (
        ("numbers", "check", "faulty.csv"),
        _words("check", recipients="faulty.csv"),
        _words("create", recipients="faulty.csv"),
        ("call", "out", "--inner-phone", "2424", "--batch", "faulty.csv", "--night-ok", "--yes"),
    )
    assert [home(*words).code for words in commands] == [8, 8, 8, 8]
