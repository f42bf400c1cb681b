"""`autorule create`: what is wrong is said before anything is sent, and what is right goes out exactly."""

import json
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from campaign_server import CAMPAIGN, CSV, MP3, creation_words, parts_of
from front_door import TOKEN, FrontDoor, Result
from raw_server import Connection, RawServer, Seen


@pytest.fixture
def pbx(autorule_pbx: RawServer) -> RawServer:
    return autorule_pbx


def _texts(seen: Seen) -> dict[str, str]:
    return {name: content.decode() for name, (filename, _, content) in parts_of(seen).items() if not filename}


def _tashkent(days: int = 0) -> date:
    return (datetime.now(UTC) + timedelta(hours=5)).date() + timedelta(days=days)


# --- what goes out ---------------------------------------------------------------------------------------------------


def test_every_field_is_on_the_wire_as_the_document_spells_it(alovoice: FrontDoor, pbx: RawServer) -> None:
    changes = {"maxline": 3, "goodtime": 4, "tryes": 5, "trunks": "712037006, 712037007", "name": 'Куз oʻ "q"\n2'}
    result = alovoice(*creation_words(**changes, timezone="+05:00"), "--paused", "--json")
    assert result.code == 0, result.err
    assert json.loads(result.out) == CAMPAIGN
    (seen,) = pbx.effects
    assert (seen.method, seen.target) == ("POST", "/mapi/addAutorule")
    assert seen.header("authorization") == f"Bearer {TOKEN}"
    parts = parts_of(seen)
    assert list(parts)[:2] == ["record", "recipients"]
    assert parts["record"] == ("promo.mp3", "audio/mpeg", MP3)
    assert parts["recipients"] == ("clients.csv", "text/csv", CSV)
    assert _texts(seen) == {
        "name": 'Куз oʻ "q"\n2',
        "from": f"{_tashkent(1):%Y.%m.%d}",
        "to": f"{_tashkent(3):%Y.%m.%d}",
        "fromtime": "10:00",
        "totime": "19:59",
        "trunks": "712037006,712037007",
        "maxline": "3",
        "goodtime": "4",
        "tryes": "5",
        "paused": "1",
        "timezone": "utc +5",
    }


def test_what_is_not_said_is_left_to_the_pbx(alovoice: FrontDoor, pbx: RawServer) -> None:
    assert alovoice(*creation_words()).code == 0
    texts = _texts(pbx.effects[0])
    assert not {"maxline", "goodtime", "tryes"} & set(texts)
    assert (texts["paused"], texts["timezone"]) == ("0", "utc +5")


@pytest.mark.parametrize(
    ("first", "last"),
    [("today", "+1d"), ("{0:%Y.%m.%d}", "{1:%Y.%m.%d}"), ("{0:%Y-%m-%d}", "{1:%Y-%m-%d}"), ("+0d", "tomorrow")],
)
def test_a_day_can_be_said_in_many_ways(alovoice: FrontDoor, pbx: RawServer, first: str, last: str) -> None:
    today, tomorrow = _tashkent(), _tashkent(1)
    words = creation_words(**{"from": first.format(today, tomorrow), "to": last.format(today, tomorrow)})
    result = alovoice(*words)
    assert result.code == 0, result.err
    texts = _texts(pbx.effects[0])
    assert (texts["from"], texts["to"]) == (f"{today:%Y.%m.%d}", f"{tomorrow:%Y.%m.%d}")


@pytest.mark.parametrize(
    ("given", "sent"),
    [("utc +5", "utc +5"), ("+05:00", "utc +5"), ("Asia/Tashkent", "utc +5"), ("-3", "utc -3"), ("+5:30", "utc +5:30")],
)
def test_a_zone_is_sent_as_the_api_wants_it(alovoice: FrontDoor, pbx: RawServer, given: str, sent: str) -> None:
    words = [*creation_words(), f"--timezone={given}"]
    assert alovoice(*words).code == 0
    assert _texts(pbx.effects[0])["timezone"] == sent


def test_all_lines_are_asked_for(alovoice: FrontDoor, pbx: RawServer) -> None:
    assert alovoice(*creation_words(trunks="all")).code == 0
    assert [seen.target for seen in pbx.requests] == ["/mapi/getMyTrunks", "/mapi/addAutorule"], "asked once"
    assert _texts(pbx.effects[0])["trunks"] == "712037006,712037007"


def test_the_profile_gives_lines_and_zone(alovoice: FrontDoor, pbx: RawServer) -> None:
    assert alovoice("config", "set", "trunks", "712037007,712037006").code == 0
    assert alovoice("config", "set", "timezone", "Asia/Dubai").code == 0
    assert alovoice(*creation_words(trunks=None)).code == 0
    texts = _texts(pbx.effects[0])
    assert (texts["trunks"], texts["timezone"]) == ("712037007,712037006", "utc +4")
    assert alovoice(*creation_words(timezone="utc +5")).code == 0
    texts = _texts(pbx.effects[1])
    assert (texts["trunks"], texts["timezone"]) == ("712037006", "utc +5"), "the command line wins"
    assert alovoice("config", "set", "trunks", "all").code == 0
    assert alovoice(*creation_words(trunks=None)).code == 0
    assert _texts(pbx.effects[2])["trunks"] == "712037006,712037007"


def test_numbers_can_be_given_one_by_one(alovoice: FrontDoor, pbx: RawServer) -> None:
    result = alovoice(*creation_words(recipients=None, recipient=["901234567", "+998912345678"]))
    assert result.code == 0, result.err
    filename, kind, content = parts_of(pbx.effects[0])["recipients"]
    assert (filename, kind) == ("recipients.csv", "text/csv")
    assert content == b"901234567\n+998912345678\n"
    (receipt,) = json.loads(alovoice("call", "receipts", "list", "--json").out)
    assert receipt["numbers"] == ["998901234567", "998912345678"]


def test_a_list_can_come_from_stdin(alovoice: FrontDoor, pbx: RawServer) -> None:
    text = "исм;телефон\nАли;998901234567\n"
    assert alovoice(*creation_words(recipients="-"), stdin=text).code == 0
    assert parts_of(pbx.effects[0])["recipients"] == ("recipients.csv", "text/csv", text.encode())
    done = alovoice.process(*creation_words(recipients="-"), stdin="тел\n901234567\n".encode("cp1251"))
    assert done.returncode == 0, done.stderr
    assert parts_of(pbx.effects[1])["recipients"][2] == "тел\n901234567\n".encode("cp1251"), "byte for byte"
    assert b"cp1251" in done.stderr


def test_a_name_that_was_not_given_is_unique(alovoice: FrontDoor, pbx: RawServer) -> None:
    for _ in range(5):
        assert alovoice(*creation_words(name=None)).code == 0
    names = [_texts(seen)["name"] for seen in pbx.effects]
    assert len(set(names)) == 5
    assert all(name.startswith("promo ") for name in names)


# --- what is refused -------------------------------------------------------------------------------------------------

CONTENT: dict[str, dict[str, object]] = {
    "a window in the past": {"from": "2020.01.01", "to": "2020.01.02"},
    "yesterday": {"from": f"{_tashkent(-1):%Y-%m-%d}", "to": f"{_tashkent(-1):%Y-%m-%d}"},
    "days upside down": {"from": "+3d", "to": "tomorrow"},
    "minutes upside down": {"fromtime": "19:00", "totime": "10:00"},
    "over midnight": {"fromtime": "22:00", "totime": "02:00"},
    "no minute at all": {"fromtime": "10:00", "totime": "10:00"},
    "a text that is called mp3": {"record": "text.mp3"},
    "a WAV that is called mp3": {"record": "wav.mp3"},
    "a tag without frames": {"record": "tag.mp3"},
    "a list without phones": {"recipients": "names.csv"},
    "a list that Excel has rounded": {"recipients": "rounded.csv"},
    "a quote that stays open": {"recipients": "open.csv"},
}
"""What a check of content finds: the same code in `check`, `create`, `numbers check` and a batch."""

WORDS: dict[str, dict[str, object]] = {
    "midnight as 24:00": {"totime": "24:00"},
    "seconds": {"fromtime": "10:00:30"},
    "no time": {"fromtime": "ten"},
    "day first": {"from": "25.04.2030"},
    "a day that is not": {"from": "2030.02.30"},
    "no day": {"from": "soon"},
    "far away": {"to": "+999d"},
    "no zone": {"timezone": "Asia/Tashkend"},
    "nowhere": {"timezone": "utc +25"},
    "no record": {"record": "nosuch.mp3"},
    "an empty record": {"record": "empty"},
    "a folder as record": {"record": "folder"},
    "a pipe as record": {"record": "pipe"},
    "no list": {"recipients": "nosuch.csv"},
    "an empty list": {"recipients": "empty"},
    "a workbook": {"recipients": "book.csv"},
    "a folder as list": {"recipients": "folder"},
    "a list twice": {"recipient": ["901234567"]},
    "no list at all": {"recipients": None},
    "no number": {"recipients": None, "recipient": ["operator"]},
    "one bad number of two": {"recipients": None, "recipient": ["901234567", "12"]},
    "no lines": {"trunks": None},
    "lines that are none": {"trunks": "main"},
    "an empty line": {"trunks": "712037006,,712037007"},
    "empty lines": {"trunks": ""},
    "all and one": {"trunks": "all,712037006"},
    "no line at once": {"maxline": "0"},
    "negative seconds": {"goodtime": "-1"},
    "no attempt": {"tryes": "0"},
    "half an attempt": {"tryes": "1.5"},
    "no first day": {"from": None},
    "no recording": {"record": None},
}


def _lay_wrong_files(home: Path) -> None:
    (home / "empty").touch()
    (home / "folder").mkdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo(home / "pipe")
    (home / "text.mp3").write_bytes(b"this is a text that is called mp3\n" * 100)
    (home / "wav.mp3").write_bytes(b"RIFF\x24\x10\0\0WAVEfmt " + b"\0" * 4000)
    (home / "tag.mp3").write_bytes(b"ID3\x04\0\0\0\0\x10\0" + b"\0" * 4096)
    (home / "names.csv").write_text("name;city\nAli;Tashkent\n", "utf-8")
    (home / "rounded.csv").write_text("phone\n9.98901E+11\n998901234567\n", "utf-8")
    (home / "open.csv").write_text('phone\n901234567\n"931112233\n', "utf-8")
    (home / "book.csv").write_bytes(b"PK\x03\x04" + b"\0" * 100)


@pytest.mark.parametrize("what", [*CONTENT, *WORDS])
def test_what_is_wrong_is_said_and_nothing_is_sent(alovoice: FrontDoor, pbx: RawServer, what: str) -> None:
    _lay_wrong_files(alovoice.home)
    result = alovoice(*creation_words(**{**CONTENT, **WORDS}[what]), "--json")
    assert (result.code, result.out) == (8 if what in CONTENT else 2, ""), result.err
    error = json.loads(result.err.splitlines()[-1])["error"]
    kind = "check_failed" if what in CONTENT else "usage"
    assert (error["kind"], error["sent"], error["retry_safe"]) == (kind, "no", True)
    assert error["message"]
    assert "error in alovoice" not in error["message"]
    assert pbx.connections == 0
    assert alovoice("call", "receipts", "list", "--json").out == "[]\n"


def test_an_empty_stdin_is_no_list(alovoice: FrontDoor, pbx: RawServer) -> None:
    assert alovoice(*creation_words(recipients="-"), stdin="").code == 2
    assert alovoice(*creation_words(recipients="-"), stdin="name\nAli\n").code == 8
    assert pbx.connections == 0


def test_a_pbx_without_lines_cannot_dial_by_all_of_them(alovoice: FrontDoor, pbx: RawServer) -> None:
    def none(connection: Connection) -> None:
        if connection.read() is not None:
            connection.answer("200 OK", b"[]", "Connection: close")

    pbx.acts = [none]
    result = alovoice(*creation_words(trunks="all"))
    assert result.code == 8
    assert "no lines" in result.err
    assert [seen.target for seen in pbx.requests] == ["/mapi/getMyTrunks"]


def test_a_window_is_judged_in_its_own_zone(alovoice: FrontDoor, pbx: RawServer) -> None:
    """At each moment some zone has begun the next day and another is still in the one before."""
    now = datetime.now(UTC)
    east, west = now + timedelta(hours=14), now - timedelta(hours=12)
    words = creation_words(**{"from": "today", "to": "today", "fromtime": "00:00", "totime": "23:59"})
    assert alovoice(*words, "--timezone=utc +14").code == 0
    assert alovoice(*words, "--timezone=utc -12").code == 0
    assert [_texts(seen)["from"] for seen in pbx.effects] == [f"{east:%Y.%m.%d}", f"{west:%Y.%m.%d}"]
    day = f"{west:%Y.%m.%d}"
    over = creation_words(**{"from": day, "to": day, "fromtime": "00:00", "totime": "23:59"})
    assert alovoice(*over, "--timezone=utc +14").code == 8, "there it is over"


# --- in use ----------------------------------------------------------------------------------------------------------


def test_a_terminal_asks_and_names_the_pbx_and_what_will_happen(alovoice: FrontDoor, pbx: RawServer) -> None:
    unanswered = [word for word in creation_words() if word != "--yes"]
    for answer, code, sent in (("n\n", 2, 0), ("\n", 2, 0), ("", 2, 0), ("y\n", 0, 1), ("yes\n", 0, 2)):
        result = alovoice(*unanswered, stdin=answer, terminal=True)
        assert (result.code, len(pbx.effects)) == (code, sent), result.err
        told = " ".join(result.err.split())
        assert "2 numbers" in told
        assert "PBX default?" in told
    assert alovoice(*creation_words(), terminal=True).code == 0
    piped: Result = alovoice(*creation_words())
    assert (piped.code, "[y/N]" in piped.err) == (0, False)
    silent = alovoice(*unanswered)
    assert (silent.code, "--yes" in silent.err, len(pbx.effects)) == (2, True, 4)


def test_get_shows_a_campaign_whole(alovoice: FrontDoor, pbx: RawServer) -> None:
    assert json.loads(alovoice("autorule", "get", "124", "--json").out) == CAMPAIGN
    assert pbx.requests[0].target == "/mapi/getAutorule/124"
    table = alovoice("autorule", "get", "124", terminal=True).out
    assert "oʻ" in table
    assert "1.5" in table
    assert "id\t124\n" in alovoice("autorule", "get", "124").out


@pytest.mark.parametrize("wrong", ["..", ".", "a/b", "", "a\nb", "../../callsendai/T/1"])
def test_an_id_cannot_lead_elsewhere(alovoice: FrontDoor, pbx: RawServer, wrong: str) -> None:
    assert alovoice("autorule", "get", wrong).code == 2
    assert pbx.connections == 0
