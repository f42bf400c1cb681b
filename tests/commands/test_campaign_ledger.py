"""The campaigns of this machine: recorded before they leave, listed, exported, repeated and split."""

import json
import os
import socket
import sqlite3
from collections.abc import Callable, Iterator
from email.parser import BytesParser
from pathlib import Path

import pytest
from batch_server import FILES_ONLY
from front_door import TOKEN, FrontDoor, Result
from raw_server import Connection, RawServer, Seen

pytestmark = pytest.mark.usefixtures("profile_store")

MP3 = (Path(__file__).parents[2] / "alovoice_cli" / "sandbox" / "scenarios" / "announcement.mp3").read_bytes()
CSV = "telefon;ism\n" + "".join(f"99890123450{number};Мижоз {number}\n" for number in range(6))
Play = Callable[[Connection], None]
"""What is done when a campaign was read whole."""
CREATE = (
    *("autorule", "create", "--record", "promo.mp3", "--recipients", "clients.csv", "--name", "Куз oʻ"),
    *("--from", "tomorrow", "--to", "+3d", "--fromtime", "10:00", "--totime", "19:59", "--trunks", "712037006"),
    *("--night-ok", "--yes"),
)
AGAIN = ("--night-ok", "--allow-duplicate", "--yes")


@pytest.fixture
def home(alovoice: FrontDoor) -> FrontDoor:
    """A home with the files of a campaign, on the sandbox."""
    (alovoice.home / "promo.mp3").write_bytes(MP3)
    (alovoice.home / "clients.csv").write_text(CSV, "utf-8")
    alovoice.environ["ALOVOICE_PROFILE"] = "sandbox"
    return alovoice


@pytest.fixture
def pbx(home: FrontDoor) -> Iterator[Callable[..., RawServer]]:
    """Starts a PBX that plays these acts, and points the home at it."""
    servers: list[RawServer] = []

    def start(*acts: Play) -> RawServer:
        left = list(acts)

        def serve(connection: Connection) -> None:
            while (seen := connection.read()) is not None:
                if seen.target.endswith("getMyTrunks"):
                    connection.server.requests.remove(seen)
                    connection.answer("200 OK", b'["712037006", "712037007"]')
                else:
                    (left.pop(0) if len(left) > 1 else left[0])(connection)

        servers.append(RawServer([serve]))
        home.environ.pop("ALOVOICE_PROFILE", None)
        home.environ |= {"ALOVOICE_BASE_URL": servers[-1].url, "ALOVOICE_TOKEN": TOKEN}
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def _listed(home: FrontDoor, *words: str) -> list[dict[str, object]]:
    result = home("autorule", "list", "--json", *words)
    assert result.code == 0, result.err
    listed: list[dict[str, object]] = json.loads(result.out)
    return listed


def _answers(status: str = "200 OK", body: object = None) -> Play:
    content = json.dumps({"id": 124, "status": "new"} if body is None else body).encode()
    return lambda connection: connection.answer(status, content)


def _drops(connection: Connection) -> None:
    connection.reset()


def _texts(seen: Seen) -> dict[str, bytes]:
    head = f"Content-Type: {seen.header('content-type')}\r\n\r\n".encode()
    parts = {}
    for part in BytesParser().parsebytes(head + seen.body).get_payload():
        content = part.get_payload(decode=True)  # type: ignore[union-attr] # a multipart's parts are messages
        parts[str(part.get_param("name", header="content-disposition"))] = content  # type: ignore[union-attr] # same
    return parts  # type: ignore[return-value] # bytes, by decode=True


# --- the record ------------------------------------------------------------------------------------------------------


@FILES_ONLY
def test_the_record_is_on_the_disk_before_the_request_leaves(home: FrontDoor, pbx: Callable[..., RawServer]) -> None:
    there: list[tuple[object, ...]] = []

    def looks(connection: Connection) -> None:
        with sqlite3.connect(home.home / "state" / "campaigns.db") as database:
            there.extend(database.execute("SELECT state, id, count, json_extract(fields, '$.name') FROM campaign"))
        database.close()
        connection.answer("200 OK", b'{"id": 124, "status": "new"}')

    pbx(looks)
    assert home(*CREATE).code == 0
    assert there == [(None, None, 6, "Куз oʻ")]
    (listed,) = _listed(home)
    assert (listed["id"], listed["outcome"], listed["status"]) == ("124", "done", "new")


@pytest.mark.parametrize(
    ("act", "code", "outcome"),
    [
        (_drops, 6, "unknown"),
        (_answers("500 Oops", {"error": "no"}), 6, "unknown"),
        (_answers("200 OK", ["no campaign"]), 6, "unknown"),
        (_answers("400 Bad", {"error": "no"}), 1, "refused"),
        (_answers("401 No", {}), 3, "refused"),
    ],
)
def test_what_became_of_it_is_recorded(
    home: FrontDoor, pbx: Callable[..., RawServer], act: Play, code: int, outcome: str
) -> None:
    pbx(act)
    assert home(*CREATE).code == code
    (listed,) = _listed(home)
    assert (listed["id"], listed["outcome"], listed["exit_code"]) == (None, outcome, code)
    (again,) = _listed(home, "--status", outcome)
    assert {**again, "counts": None} == {**listed, "counts": None}  # they are counted anew each time
    assert _listed(home, "--status", "new") == []
    assert str(listed["receipt"]) in home("autorule", "list").out


def test_an_id_in_an_answer_that_failed_is_kept_but_not_believed(
    home: FrontDoor, pbx: Callable[..., RawServer]
) -> None:
    pbx(_answers("500 Oops"))
    assert home(*CREATE).code == 6
    (listed,) = _listed(home)
    assert (listed["id"], listed["status"]) == ("124", "unknown")


def test_a_pbx_out_of_reach_leaves_an_unsent_one(home: FrontDoor) -> None:
    def tells_its_lines_and_is_gone(connection: Connection) -> None:
        connection.read()
        connection.server.listener.shutdown(socket.SHUT_RDWR)  # `close` alone leaves the waiting `accept` its turn
        connection.answer("200 OK", b'["712037006"]', "Connection: close")

    server = RawServer([tells_its_lines_and_is_gone])
    home.environ.pop("ALOVOICE_PROFILE")
    home.environ |= {"ALOVOICE_BASE_URL": server.url, "ALOVOICE_TOKEN": TOKEN}
    assert home(*CREATE, "--timeout", "2").code == 5
    server.stop()
    (listed,) = _listed(home)
    assert listed["outcome"] == "unsent"


def test_a_campaign_that_only_the_api_command_sent_is_recorded_too(
    home: FrontDoor, pbx: Callable[..., RawServer]
) -> None:
    pbx(_answers())
    sent = home("api", "POST", "/mapi/addAutorule", "-F", "record=@promo.mp3", "-f", "name=Куз")
    assert sent.code == 0, sent.err
    (listed,) = _listed(home)
    assert (listed["id"], listed["count"]) == ("124", 0)


@FILES_ONLY
def test_nothing_is_sent_when_the_record_cannot_be_written(home: FrontDoor, pbx: Callable[..., RawServer]) -> None:
    server = pbx(_answers())
    assert _listed(home) == []
    database = sqlite3.connect(home.home / "state" / "campaigns.db")
    database.execute("CREATE TRIGGER full BEFORE INSERT ON campaign BEGIN SELECT RAISE(ABORT, 'no room'); END")
    database.close()
    result = home(*CREATE)
    assert result.code == 2
    assert "campaigns.db: no room" in result.err
    assert server.requests == []
    (receipt,) = json.loads(home("call", "receipts", "list", "--json").out)
    assert receipt["outcome"] == "unsent"


def test_a_rehearsal_leaves_no_record(home: FrontDoor) -> None:
    assert home(*CREATE, "--dry-run").code == 0
    assert _listed(home) == []


# --- list ------------------------------------------------------------------------------------------------------------


def test_the_list_is_of_one_pbx_and_its_latest_first(home: FrontDoor) -> None:
    for name in ("bir", "ikki"):
        assert home(*CREATE, "--name", name).code == 0
    home.later(days=2)
    assert home(*CREATE, "--name", "uch").code == 0
    names = [row["fields"]["name"] for row in _listed(home)]  # type: ignore[index] # JSON
    assert names == ["uch", "ikki", "bir"]
    assert len(_listed(home, "--since", "1d")) == len(_listed(home, "--since", "today")) == 1
    assert len(_listed(home, "--since", "2026-11-01")) == 3
    assert _listed(home, "-p", "default") == []
    assert (
        "no campaign was created from this computer on PBX default"
        in home("autorule", "list", "-p", "default", terminal=True).err
    )


def test_refresh_asks_the_pbx_how_each_stands(home: FrontDoor) -> None:
    words = [*CREATE, "--from", "today", "--to", "today", "--fromtime", "00:00", "--totime", "23:59"]
    assert home(*words).code == 0
    home.later(minutes=3)
    assert [row["status"] for row in _listed(home)] == ["new"]
    assert [row["status"] for row in _listed(home, "--refresh")] in (["running"], ["done"])
    assert _listed(home)[0]["seen_at"] is not None
    assert home("sandbox", "reset", "--yes").code == 0
    gone = home("autorule", "list", "--refresh")
    assert gone.code == 0
    assert "124 is no longer on PBX sandbox" in gone.err


# --- export, --from-file, --like -------------------------------------------------------------------------------------


def test_what_is_exported_creates_the_same_again(home: FrontDoor, pbx: Callable[..., RawServer]) -> None:
    server = pbx(_answers())
    assert home(*CREATE, "--maxline", "3", "--goodtime", "4", "--paused").code == 0
    exported = home("autorule", "export", "124")
    assert exported.code == 0
    assert exported.out.startswith("# Campaign 124 of PBX default.\n")
    (home.home / "campaign.toml").write_text(exported.out, "utf-8")
    assert home("autorule", "create", "--from-file", "campaign.toml", *AGAIN).code == 0
    assert home("autorule", "create", "--like", "124", *AGAIN).code == 0
    assert home("autorule", "create", "--from-file", "-", *AGAIN, stdin=exported.out).code == 0
    first, *others = map(_texts, server.requests)
    assert others == [first] * 3
    digests = {row["digest"] for row in _listed(home)}
    assert len(digests) == 1


def test_the_command_line_goes_before_the_file(home: FrontDoor, pbx: Callable[..., RawServer]) -> None:
    server = pbx(_answers())
    (home.home / "c.toml").write_text(
        "name = 'Куз'\nrecord = 'promo.mp3'\nrecipients = 'clients.csv'\nfrom = 'tomorrow'\nto = '+3d'\n"
        "fromtime = '10:00'\ntotime = '19:59'\ntrunks = ['712037006', '712037007']\npaused = true\n",
        "utf-8",
    )
    words = ("--name", "Қиш", "--totime", "18:00", "--no-paused", "--recipient", "901234567")
    assert home("autorule", "create", *words, "--from-file", "c.toml", *AGAIN).code == 0
    texts = _texts(server.requests[0])
    assert texts["name"].decode() == "Қиш"
    assert texts["totime"] == b"18:00"
    assert texts["paused"] == b"0"
    assert texts["trunks"] == b"712037006,712037007"
    assert texts["recipients"] == b"901234567\n"


def test_a_profile_behind_like_counts(home: FrontDoor) -> None:
    assert home(*CREATE).code == 0
    home.environ.pop("ALOVOICE_PROFILE")
    assert home("autorule", "create", "--like", "124", "-p", "sandbox", "--json", *AGAIN).code == 0
    refused = home("autorule", "create", "--like", "124")
    assert refused.code == 2
    assert "was not created from this computer on PBX default" in refused.err


def test_a_file_that_has_changed_since_is_told(home: FrontDoor) -> None:
    assert home(*CREATE).code == 0
    (home.home / "clients.csv").write_text(CSV + "998901234599;x\n", "utf-8")
    result = home("autorule", "create", "--like", "124", *AGAIN)
    assert result.code == 0
    assert "clients.csv has changed since the campaign was created from it" in result.err
    assert "promo.mp3 is no longer" not in result.err
    assert "no longer" not in home("autorule", "create", "--like", "124", "--recipients", "clients.csv", *AGAIN).err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("create", "--from-file", "nosuch.toml"), "no file nosuch.toml"),
        (("create", "--from-file", "c.toml", "--like", "124"), "cannot be used together"),
        (("create", "--like", "999"), "999 was not created from this computer"),
        (("create", "--from-file", "c.toml"), "'colour'"),
        (("create",), "missing: --record FILE, --from DAY, --to DAY, --fromtime HH:MM, --totime HH:MM"),
        (("export", "999"), "autorule list"),
        (
            ("create", "--from-file", "empty.toml"),
            "missing: --record FILE, --from DAY, --to DAY, --fromtime HH:MM, --totime HH:MM",
        ),
    ],
)
def test_what_cannot_be_meant_is_said_and_nothing_is_sent(home: FrontDoor, words: tuple[str, ...], said: str) -> None:
    (home.home / "c.toml").write_text("colour = 1\n")
    (home.home / "empty.toml").write_text("# nothing\n")
    result = home("autorule", *words)
    assert result.code == 2
    assert said in result.err
    assert _listed(home) == []


def test_a_list_that_came_by_hand_is_exported_by_its_numbers(home: FrontDoor) -> None:
    words = [word for word in CREATE if word not in ("--recipients", "clients.csv")]
    assert home(*words, "--recipient", "90 123-45-67", "--recipient", "+998912345678").code in (0, 2)
    assert home(*words, "--recipient", "901234567", "--recipient", "+998912345678").code == 0
    (created,) = _listed(home)
    exported = json.loads(home("autorule", "export", str(created["id"]), "--json").out)
    assert exported["recipient"] == ["998901234567", "998912345678"]
    assert "recipients" not in exported


# --- --split ---------------------------------------------------------------------------------------------------------


def test_a_list_is_split_over_the_days_after_one_question(home: FrontDoor, pbx: Callable[..., RawServer]) -> None:
    server = pbx(*[_answers(body={"id": number, "status": "new"}) for number in (124, 125)])
    result = home(*CREATE, "--split", "3/day", "--json")
    assert result.code == 0, result.err
    assert [campaign["id"] for campaign in json.loads(result.out)] == [124, 125]
    one, two = map(_texts, server.requests)
    assert (one["name"].decode(), two["name"].decode()) == ("Куз oʻ 1/2", "Куз oʻ 2/2")
    assert one["from"] == one["to"] != two["from"] == two["to"]
    head, *rows = CSV.splitlines(keepends=True)
    assert one["recipients"].decode() == head + "".join(rows[:3])
    assert two["recipients"].decode() == head + "".join(rows[3:])
    assert [row["count"] for row in _listed(home)] == [3, 3]
    assert len({row["digest"] for row in _listed(home)}) == 1


def test_days_that_are_too_few_send_nothing(home: FrontDoor, pbx: Callable[..., RawServer]) -> None:
    server = pbx(_answers())
    result = home(*CREATE, "--split", "1/day")
    assert result.code == 8
    assert "6 campaigns of one day each" in result.err
    assert server.requests == []


@pytest.mark.parametrize(("act", "code"), [(_drops, 6), (_answers("400 Bad", {"error": "no"}), 1)])
def test_a_part_that_fails_stops_the_rest_and_says_how_to_go_on(
    home: FrontDoor, pbx: Callable[..., RawServer], act: Play, code: int
) -> None:
    server = pbx(_answers(), act, _answers(body={"id": 126, "status": "new"}))
    stopped = home(*CREATE, "--split", "2/day", "--json")
    assert stopped.code == code
    assert [campaign["id"] for campaign in json.loads(stopped.out)] == [124]
    assert "campaigns created: 1 of 3" in stopped.err
    assert "--split-from 2" in stopped.err
    assert len(server.requests) == 2
    went_on = home(*CREATE, "--split", "2/day", "--split-from", "3", "--json")
    assert [campaign["id"] for campaign in json.loads(went_on.out)] == [126]
    assert _texts(server.requests[2])["name"].decode() == "Куз oʻ 3/3"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--split", "many"), "not a number of recipients per day"),
        (("--split-from", "2"), "needs --split"),
        (("--split", "3/day", "--split-from", "3"), "has only 2 parts"),
    ],
)
def test_a_split_that_cannot_be_meant_is_refused(home: FrontDoor, words: tuple[str, ...], said: str) -> None:
    result = home(*CREATE, *words)
    assert result.code == 2
    assert said in result.err
    assert _listed(home) == []


def test_on_a_terminal_the_split_is_one_question(home: FrontDoor) -> None:
    words = [word for word in CREATE if word != "--yes"]
    asked: Result = home(*words, "--split", "3/day", terminal=True, stdin="n\n")
    assert asked.code == 2
    assert asked.err.count("[y/N]") == 1
    assert "2 campaigns of one day each" in asked.err
    assert _listed(home) == []
    assert home(*words, "--split", "3/day", terminal=True, stdin="y\n").code == 0


def test_the_list_fits_a_terminal_and_shows_what_it_needs(home: FrontDoor) -> None:
    assert home(*CREATE).code == 0
    shown = home("autorule", "list", "--color", "never", terminal=True)
    assert max(map(len, shown.out.splitlines())) <= 80
    assert "Куз oʻ" in shown.out
    assert os.environ.get("ALOVOICE_PROFILE") is None
