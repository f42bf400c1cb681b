"""`autorule create`: what is wrong is said before anything is sent, and what is right goes out exactly."""

import hashlib
import io
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pytest
from front_door import TOKEN, FrontDoor, Result
from raw_server import Connection, RawServer, Seen
from workbooks import xlsx

SCENARIOS = Path(__file__).parents[2] / "alovoice_cli" / "sandbox" / "scenarios"
MP3 = (SCENARIOS / "announcement.mp3").read_bytes()
CSV = b"998901234567\n998912345678\n"
CAMPAIGN = {"id": 124, "name": "oʻ", "trunks": ["253"], "timezone": 18000, "status": "new", "unknown": {"a": [1.5]}}


def _tells_lines(connection: Connection) -> None:
    if connection.read() is not None:
        connection.answer("200 OK", b'["712037006"]', "Connection: close")


def _answers(connection: Connection) -> None:
    while (seen := connection.read()) is not None:
        lines = seen.target.endswith("getMyTrunks")
        connection.answer("200 OK", json.dumps(["712037006", "712037007"] if lines else CAMPAIGN).encode())


@pytest.fixture
def pbx(alovoice: FrontDoor) -> Iterator[RawServer]:
    server = RawServer([_answers])
    alovoice.environ |= {"ALOVOICE_BASE_URL": server.url, "ALOVOICE_TOKEN": TOKEN}
    (alovoice.home / "promo.mp3").write_bytes(MP3)
    (alovoice.home / "clients.csv").write_bytes(CSV)
    yield server
    server.stop()


def _words(**changes: object) -> list[str]:
    """A good command line with some options changed; None leaves one out, a list repeats it."""
    options: dict[str, object] = {
        "record": "promo.mp3",
        "recipients": "clients.csv",
        "name": "Autumn",
        "from": "tomorrow",
        "to": "+3d",
        "fromtime": "10:00",
        "totime": "19:59",
        "trunks": "712037006",
        **changes,
    }
    # What a script says that runs on any day, and more than once.
    words = ["autorule", "create", "--night-ok", "--allow-duplicate", "--yes"]
    for name, value in options.items():
        for one in value if isinstance(value, list) else [] if value is None else [value]:
            words += [f"--{name}", str(one)]
    return words


def _parts(seen: Seen) -> dict[str, tuple[str, str, bytes]]:
    """File name, content type and content of each part, by name, in the order in which they came."""
    head = f"Content-Type: {seen.header('content-type')}\r\n\r\n".encode()
    parts = {}
    for part in BytesParser().parsebytes(head + seen.body).get_payload():
        assert not isinstance(part, str)
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        kind = part.get_content_type() if part["content-type"] else ""
        parts[str(part.get_param("name", header="content-disposition"))] = (part.get_filename() or "", kind, content)
    return parts


def _texts(seen: Seen) -> dict[str, str]:
    return {name: content.decode() for name, (filename, _, content) in _parts(seen).items() if not filename}


def _tashkent(days: int = 0) -> date:
    return (datetime.now(UTC) + timedelta(hours=5)).date() + timedelta(days=days)


# --- what goes out ---------------------------------------------------------------------------------------------------


def test_every_field_is_on_the_wire_as_the_document_spells_it(alovoice: FrontDoor, pbx: RawServer) -> None:
    changes = {"maxline": 3, "goodtime": 4, "tryes": 5, "trunks": "712037006, 712037007", "name": 'Куз oʻ "q"\n2'}
    result = alovoice(*_words(**changes, timezone="+05:00"), "--paused", "--json")
    assert result.code == 0, result.err
    assert json.loads(result.out) == CAMPAIGN
    (seen,) = pbx.effects
    assert (seen.method, seen.target) == ("POST", "/mapi/addAutorule")
    assert seen.header("authorization") == f"Bearer {TOKEN}"
    parts = _parts(seen)
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
    assert alovoice(*_words()).code == 0
    texts = _texts(pbx.effects[0])
    assert not {"maxline", "goodtime", "tryes"} & set(texts)
    assert (texts["paused"], texts["timezone"]) == ("0", "utc +5")


@pytest.mark.parametrize(
    ("first", "last"),
    [("today", "+1d"), ("{0:%Y.%m.%d}", "{1:%Y.%m.%d}"), ("{0:%Y-%m-%d}", "{1:%Y-%m-%d}"), ("+0d", "tomorrow")],
)
def test_a_day_can_be_said_in_many_ways(alovoice: FrontDoor, pbx: RawServer, first: str, last: str) -> None:
    today, tomorrow = _tashkent(), _tashkent(1)
    words = _words(**{"from": first.format(today, tomorrow), "to": last.format(today, tomorrow)})
    result = alovoice(*words)
    assert result.code == 0, result.err
    texts = _texts(pbx.effects[0])
    assert (texts["from"], texts["to"]) == (f"{today:%Y.%m.%d}", f"{tomorrow:%Y.%m.%d}")


@pytest.mark.parametrize(
    ("given", "sent"),
    [("utc +5", "utc +5"), ("+05:00", "utc +5"), ("Asia/Tashkent", "utc +5"), ("-3", "utc -3"), ("+5:30", "utc +5:30")],
)
def test_a_zone_is_sent_as_the_api_wants_it(alovoice: FrontDoor, pbx: RawServer, given: str, sent: str) -> None:
    words = [*_words(), f"--timezone={given}"]
    assert alovoice(*words).code == 0
    assert _texts(pbx.effects[0])["timezone"] == sent


def test_all_lines_are_asked_for(alovoice: FrontDoor, pbx: RawServer) -> None:
    assert alovoice(*_words(trunks="all")).code == 0
    assert [seen.target for seen in pbx.requests] == ["/mapi/getMyTrunks", "/mapi/addAutorule"], "asked once"
    assert _texts(pbx.effects[0])["trunks"] == "712037006,712037007"


def test_the_profile_gives_lines_and_zone(alovoice: FrontDoor, pbx: RawServer) -> None:
    assert alovoice("config", "set", "trunks", "712037007,712037006").code == 0
    assert alovoice("config", "set", "timezone", "Asia/Dubai").code == 0
    assert alovoice(*_words(trunks=None)).code == 0
    texts = _texts(pbx.effects[0])
    assert (texts["trunks"], texts["timezone"]) == ("712037007,712037006", "utc +4")
    assert alovoice(*_words(timezone="utc +5")).code == 0
    texts = _texts(pbx.effects[1])
    assert (texts["trunks"], texts["timezone"]) == ("712037006", "utc +5"), "the command line wins"
    assert alovoice("config", "set", "trunks", "all").code == 0
    assert alovoice(*_words(trunks=None)).code == 0
    assert _texts(pbx.effects[2])["trunks"] == "712037006,712037007"


def test_numbers_can_be_given_one_by_one(alovoice: FrontDoor, pbx: RawServer) -> None:
    result = alovoice(*_words(recipients=None, recipient=["901234567", "+998912345678"]))
    assert result.code == 0, result.err
    filename, kind, content = _parts(pbx.effects[0])["recipients"]
    assert (filename, kind) == ("recipients.csv", "text/csv")
    assert content == b"901234567\n+998912345678\n"
    (receipt,) = json.loads(alovoice("call", "receipts", "list", "--json").out)
    assert receipt["numbers"] == ["998901234567", "998912345678"]


def test_a_list_can_come_from_stdin(alovoice: FrontDoor, pbx: RawServer) -> None:
    text = "исм;телефон\nАли;998901234567\n"
    assert alovoice(*_words(recipients="-"), stdin=text).code == 0
    assert _parts(pbx.effects[0])["recipients"] == ("recipients.csv", "text/csv", text.encode())
    done = alovoice.process(*_words(recipients="-"), stdin="тел\n901234567\n".encode("cp1251"))
    assert done.returncode == 0, done.stderr
    assert _parts(pbx.effects[1])["recipients"][2] == "тел\n901234567\n".encode("cp1251"), "byte for byte"
    assert b"cp1251" in done.stderr


@dataclass
class _Reads:
    """How often a file was opened, and how many bytes were read of it."""

    opens: int = 0
    size: int = 0


@pytest.fixture
def reads(alovoice: FrontDoor, pbx: RawServer, monkeypatch: pytest.MonkeyPatch) -> _Reads:
    """Counts what happens to the list: every way of the program to a file leads through `os.open` or `io.open`."""
    found, path, real_open, real_fdopen = _Reads(), alovoice.home / "clients.csv", os.open, os.fdopen

    class Counted(io.FileIO):
        def readinto(self, buffer: Any) -> int:
            size = super().readinto(buffer)
            found.size += size or 0
            return size or 0

        def readall(self) -> bytes:
            content = super().readall()
            found.size += len(content)
            return content

    def opened(name: Any, *words: Any, **more: Any) -> int:
        found.opens += Path(os.fsdecode(name)).name == path.name
        return real_open(name, *words, **more)

    def wrapped(descriptor: int, *words: Any, **more: Any) -> Any:
        if os.path.samestat(os.fstat(descriptor), path.stat()):
            return io.BufferedReader(Counted(descriptor))
        return real_fdopen(descriptor, *words, **more)

    monkeypatch.setattr(os, "open", opened)
    monkeypatch.setattr(os, "fdopen", wrapped)
    return found


@pytest.mark.parametrize(
    ("verb", "more"),
    [
        ("check", []),
        ("create", []),
        ("create", ["--clean"]),
        ("create", ["--clean", "good.csv", "--rejected", "bad.csv"]),
        ("create", ["--split", "1/day"]),
        ("create", ["--from-file", "campaign.toml"]),
    ],
    ids=" ".join,
)
def test_a_list_is_opened_once_and_read_once(
    alovoice: FrontDoor, pbx: RawServer, reads: _Reads, verb: str, more: list[str]
) -> None:
    digest = hashlib.sha256(CSV).hexdigest()
    toml = f'recipients = "clients.csv"\nrecipients_sha256 = "{digest}"\n'
    (alovoice.home / "campaign.toml").write_text(toml)
    words = _words(recipients=None if "--from-file" in more else "clients.csv")
    words[1] = verb
    if verb == "check":
        words.remove("--yes")
    assert alovoice(*words, *more).code == 0
    assert (reads.opens, reads.size) == (1, len(CSV))
    assert len(pbx.effects) == (0 if verb == "check" else 2 if "--split" in more else 1)


def test_what_is_sent_is_what_was_checked_though_the_list_changes_meanwhile(
    alovoice: FrontDoor, pbx: RawServer
) -> None:
    def swaps(connection: Connection) -> None:
        (alovoice.home / "clients.csv").write_bytes(b"998907777777\n998906666666\n")
        _answers(connection)

    pbx.acts = [swaps]
    assert alovoice(*_words()).code == 0
    assert _parts(pbx.effects[0])["recipients"][2] == CSV
    exported = tomllib.loads(alovoice("autorule", "export", "124").out)
    assert exported["recipients_sha256"] == hashlib.sha256(CSV).hexdigest()


def test_a_name_that_was_not_given_is_unique(alovoice: FrontDoor, pbx: RawServer) -> None:
    for _ in range(5):
        assert alovoice(*_words(name=None)).code == 0
    names = [_texts(seen)["name"] for seen in pbx.effects]
    assert len(set(names)) == 5
    assert all(name.startswith("promo ") for name in names)


@pytest.mark.parametrize(
    ("name", "sent"), [('қ "q" $HOME.mp3', 'қ "q" $HOME.mp3'), ("a\\b.mp3", "b.mp3"), ("no-extension", "no-extension")]
)
@pytest.mark.skipif(os.name != "posix", reason="such names are POSIX's")
def test_a_recording_is_known_by_its_frames_and_named_by_its_last_part(
    alovoice: FrontDoor, pbx: RawServer, name: str, sent: str
) -> None:
    (alovoice.home / "sub").mkdir()
    (alovoice.home / "sub" / name).write_bytes(MP3)
    assert alovoice(*_words(record=f"sub/{name}")).code == 0
    seen = pbx.effects[0]
    assert seen.body.count(b"Content-Disposition:") == 10, "no header line was smuggled in"
    quoted = sent.replace('"', "%22").encode()
    assert b'name="record"; filename="' + quoted + b'"' in seen.body


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
    result = alovoice(*_words(**{**CONTENT, **WORDS}[what]), "--json")
    assert (result.code, result.out) == (8 if what in CONTENT else 2, ""), result.err
    error = json.loads(result.err.splitlines()[-1])["error"]
    kind = "check_failed" if what in CONTENT else "usage"
    assert (error["kind"], error["sent"], error["retry_safe"]) == (kind, "no", True)
    assert error["message"]
    assert "error in alovoice" not in error["message"]
    assert pbx.connections == 0
    assert alovoice("call", "receipts", "list", "--json").out == "[]\n"


def test_an_empty_stdin_is_no_list(alovoice: FrontDoor, pbx: RawServer) -> None:
    assert alovoice(*_words(recipients="-"), stdin="").code == 2
    assert alovoice(*_words(recipients="-"), stdin="name\nAli\n").code == 8
    assert pbx.connections == 0


def test_a_pbx_without_lines_cannot_dial_by_all_of_them(alovoice: FrontDoor, pbx: RawServer) -> None:
    def none(connection: Connection) -> None:
        if connection.read() is not None:
            connection.answer("200 OK", b"[]", "Connection: close")

    pbx.acts = [none]
    result = alovoice(*_words(trunks="all"))
    assert result.code == 8
    assert "no lines" in result.err
    assert [seen.target for seen in pbx.requests] == ["/mapi/getMyTrunks"]


def test_a_window_is_judged_in_its_own_zone(alovoice: FrontDoor, pbx: RawServer) -> None:
    """At each moment some zone has begun the next day and another is still in the one before."""
    now = datetime.now(UTC)
    east, west = now + timedelta(hours=14), now - timedelta(hours=12)
    words = _words(**{"from": "today", "to": "today", "fromtime": "00:00", "totime": "23:59"})
    assert alovoice(*words, "--timezone=utc +14").code == 0
    assert alovoice(*words, "--timezone=utc -12").code == 0
    assert [_texts(seen)["from"] for seen in pbx.effects] == [f"{east:%Y.%m.%d}", f"{west:%Y.%m.%d}"]
    day = f"{west:%Y.%m.%d}"
    over = _words(**{"from": day, "to": day, "fromtime": "00:00", "totime": "23:59"})
    assert alovoice(*over, "--timezone=utc +14").code == 8, "there it is over"


# --- in use ----------------------------------------------------------------------------------------------------------


def test_a_terminal_asks_and_names_the_pbx_and_what_will_happen(alovoice: FrontDoor, pbx: RawServer) -> None:
    unanswered = [word for word in _words() if word != "--yes"]
    for answer, code, sent in (("n\n", 2, 0), ("\n", 2, 0), ("", 2, 0), ("y\n", 0, 1), ("yes\n", 0, 2)):
        result = alovoice(*unanswered, stdin=answer, terminal=True)
        assert (result.code, len(pbx.effects)) == (code, sent), result.err
        told = " ".join(result.err.split())
        assert "2 numbers" in told
        assert "PBX default?" in told
    assert alovoice(*_words(), terminal=True).code == 0
    piped: Result = alovoice(*_words())
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


def test_a_recording_that_shrinks_while_it_is_sent_is_never_taken_for_whole(alovoice: FrontDoor) -> None:
    path = alovoice.home / "promo.mp3"
    path.write_bytes(MP3 * 2000)
    got = bytearray()

    def shrinks(connection: Connection) -> None:
        got.extend(connection.sock.recv(65536))
        with path.open("r+b") as file:
            file.truncate(1000)
        while chunk := connection.sock.recv(1 << 16):
            got.extend(chunk)

    server = RawServer([_tells_lines, shrinks])
    try:
        alovoice.environ |= {"ALOVOICE_BASE_URL": server.url, "ALOVOICE_TOKEN": TOKEN}
        result = alovoice(*_words(recipients=None, recipient=["901234567"]))
    finally:
        server.stop()
    assert result.code == 6, result.err
    assert "shorter" in result.err
    length = int(bytes(got).partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
    assert len(got) < length
    boundary = bytes(got).partition(b"boundary=")[2].partition(b"\r\n")[0]
    assert b"--" + boundary + b"--" not in bytes(got)


# Runs the program, then writes the most memory that it ever held (in KiB) to the file named first.
_WEIGHED = """
import pathlib, sys, threading
from alovoice_cli.__main__ import main
where = sys.argv.pop(1)
try:
    main()
finally:
    status = pathlib.Path("/proc/self/status").read_text()
    pathlib.Path(where).write_text(status.partition("VmHWM:")[2].split()[0])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc to read the memory from")
def test_a_large_upload_is_streamed_from_disk(alovoice: FrontDoor) -> None:
    received: list[int] = []

    def swallows(connection: Connection) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.sock.recv(4096)
        length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
        left, buffer = length - len(head.partition(b"\r\n\r\n")[2]), bytearray(1 << 20)
        while left > 0 and (size := connection.sock.recv_into(buffer)):
            left -= size
        received.append(length)
        connection.answer("200 OK", json.dumps(CAMPAIGN).encode())

    server = RawServer([_tells_lines, swallows])
    alovoice.environ |= {"ALOVOICE_BASE_URL": server.url, "ALOVOICE_TOKEN": TOKEN}
    frame = b"\xff\xfb\x90\x00" + b"\0" * 413  # MPEG 1 layer III, 128 kbit/s, 44.1 kHz
    peaks = []
    try:
        for megabytes in (1, 80):
            server.acts = [*([_tells_lines] * (server.connections + 1)), swallows]
            with (alovoice.home / "promo.mp3").open("wb") as file:
                for _ in range(megabytes):
                    file.write(frame * 2398)  # a million bytes
            words = [*_words(recipients=None, recipient=["901234567"]), "--timeout", "60"]
            done = subprocess.run(
                [sys.executable, "-c", _WEIGHED, "peak.txt", *words],
                env=alovoice.environ,
                cwd=alovoice.home,
                capture_output=True,
                timeout=90,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            peaks.append(int((alovoice.home / "peak.txt").read_text()))
    finally:
        server.stop()
        (alovoice.home / "promo.mp3").unlink()
    assert received[1] > 79_000_000
    assert peaks[1] - peaks[0] < 30 * 1024, f"{peaks} KiB"


@pytest.mark.parametrize(
    ("name", "content", "uploaded"),
    [
        ("clients.csv", b"sep=;\r\nName;Phone\r\nA;901234567\r\n", b"Name;Phone\nA;998901234567\n"),
        ("clients.csv", b"\n\nphone\n901234567\n\x1a\n", b"phone\n998901234567\n"),
        (
            "clients.xlsx",
            xlsx({"S": [["Имя", "Phone"], ["А", 998901234567.0]]}),
            "Имя,Phone\nА,998901234567\n".encode(),
        ),
    ],
)
def test_what_is_no_plain_csv_goes_out_as_one(
    alovoice: FrontDoor, pbx: RawServer, name: str, content: bytes, uploaded: bytes
) -> None:
    (alovoice.home / name).write_bytes(content)
    result = alovoice(*_words(recipients=name))
    assert result.code == 0, result.err
    assert _parts(pbx.effects[0])["recipients"] == ("recipients.csv", "text/csv", uploaded)
