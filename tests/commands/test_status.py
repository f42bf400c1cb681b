"""`status`, and which profile a command ends up with."""

import json
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from front_door import TOKEN, FrontDoor
from login_server import LINES, OUT, answering, write_config
from raw_server import RawServer

MASKED = "••••" + TOKEN[-4:]


@pytest.fixture
def pbx(login_pbx: RawServer) -> RawServer:
    return login_pbx


# --- status ----------------------------------------------------------------------------------------------------------


def test_status_says_what_is_in_force_and_that_it_works(alovoice: FrontDoor, pbx: RawServer) -> None:
    alovoice.environ["ALOVOICE_TOKEN"] = TOKEN
    date = format_datetime(datetime.now(UTC), usegmt=True)
    pbx.acts = [answering("200 OK", LINES, f"Date: {date}")]
    result = alovoice("status", "--json")
    assert result.code == 0, result.err
    shown = json.loads(result.out)
    assert shown["token"] == MASKED
    assert shown["token_from"] == "environment ALOVOICE_TOKEN"
    assert shown["server"] == pbx.url
    assert (shown["profile"], shown["profile_from"], shown["server_from"]) == (
        *("default", "default"),
        "environment ALOVOICE_BASE_URL",
    )
    assert shown["reachable"] is True
    assert abs(shown["clock_ahead_seconds"]) <= 5
    assert (shown["proxy"], shown["authorities"]) == (None, None)
    assert shown["config_file"].startswith(str(alovoice.home))
    assert shown["version"]
    assert shown["python"]
    for words in ((), ("-v",)):
        seen = alovoice("status", *words, terminal=True)
        assert seen.code == 0
        assert MASKED in seen.out
        assert TOKEN[:28] not in seen.out + seen.err


def _told(alovoice: FrontDoor, *words: str) -> list[str]:
    shown = alovoice("status", *words, "--color", "never", "--timeout", "1", terminal=True)
    return [" ".join(line.split()) for line in shown.out.splitlines()]


def test_status_on_a_terminal_is_three_lines_in_words(alovoice: FrontDoor, pbx: RawServer) -> None:
    alovoice.environ["ALOVOICE_TOKEN"] = TOKEN
    pbx.acts = [answering(), answering(), answering("401 Unauthorized", b"")]
    profile, server, token = _told(alovoice)
    assert profile == "Profile default"
    assert re.fullmatch(rf"Server {pbx.url}: answers in \d+ ms", server)
    assert token == f"Token {MASKED} (from ALOVOICE_TOKEN), accepted; nothing waits to be forwarded"
    assert len(_told(alovoice, "-v")) > 15, "the rest with --verbose"
    _, server, token = _told(alovoice)
    assert "answers in" in server, "a refusal is an answer"
    assert token == f"Token {MASKED} (from ALOVOICE_TOKEN), refused; nothing waits to be forwarded"
    assert _told(alovoice, "--offline")[1] == f"Server {pbx.url}: not asked"
    pbx.stop()
    assert _told(alovoice)[1:] == [
        f"Server {pbx.url}: not reachable",
        f"Token {MASKED} (from ALOVOICE_TOKEN); nothing waits to be forwarded",
    ]


def test_status_on_a_terminal_says_that_a_token_is_missing_and_that_the_sandbox_needs_none(
    alovoice: FrontDoor, pbx: RawServer
) -> None:
    assert _told(alovoice)[2] == "Token none; nothing waits to be forwarded"
    profile, server, token = _told(alovoice, "-p", "sandbox")
    assert profile == "Profile sandbox (from -p)"
    assert server.startswith("Server the sandbox, a PBX inside this program: answers in")
    assert token == "Token not needed; nothing waits to be forwarded"


@pytest.mark.parametrize("hours", [-1, 1])
def test_status_warns_of_a_clock_that_differs(alovoice: FrontDoor, pbx: RawServer, hours: int) -> None:
    alovoice.environ["ALOVOICE_TOKEN"] = TOKEN
    date = format_datetime(datetime.now(UTC) - timedelta(hours=hours), usegmt=True)
    pbx.acts = [answering("200 OK", LINES, f"Date: {date}")]
    result = alovoice("status", "--json")
    assert result.code == 0
    assert abs(json.loads(result.out)["clock_ahead_seconds"] - hours * 3600) <= 5
    assert "warning" in result.err
    assert "clock" in result.err


@pytest.mark.parametrize("date", ["", "yesterday", "Wed, 22 May 2024", "Wed, 22 May 2024 06:20:56 -0000"])
def test_a_server_that_does_not_tell_its_time_is_no_fault(alovoice: FrontDoor, pbx: RawServer, date: str) -> None:
    alovoice.environ["ALOVOICE_TOKEN"] = TOKEN
    pbx.acts = [answering("200 OK", LINES, f"Date: {date}")]
    result = alovoice("status", "--json")
    assert result.code == 0, result.err
    assert json.loads(result.out)["clock_ahead_seconds"] is None


def test_status_without_a_token_is_three(alovoice: FrontDoor, pbx: RawServer) -> None:
    result = alovoice("status", "--json")
    assert result.code == 3, result.err
    assert json.loads(result.out)["token"] is None
    assert "alovoice login" in json.loads(result.err)["error"]["hint"]
    assert pbx.connections == 0


def test_status_with_a_refused_token_is_three_and_still_shows_all(alovoice: FrontDoor, pbx: RawServer) -> None:
    alovoice.environ["ALOVOICE_TOKEN"] = TOKEN
    pbx.acts = [answering("401 Unauthorized", b"")]
    result = alovoice("status", "--json")
    assert result.code == 3
    shown = json.loads(result.out)
    assert (shown["token"], shown["reachable"]) == (MASKED, True)


def test_status_of_a_server_out_of_reach_is_five(alovoice: FrontDoor, pbx: RawServer) -> None:
    alovoice.environ["ALOVOICE_TOKEN"] = TOKEN
    pbx.stop()
    result = alovoice("status", "--json", "--timeout", "1")
    assert result.code == 5, result.err
    shown = json.loads(result.out)
    assert (shown["reachable"], shown["answer_ms"]) == (False, None)


def test_status_offline_asks_nobody(alovoice: FrontDoor, pbx: RawServer) -> None:
    alovoice.environ["ALOVOICE_TOKEN"] = TOKEN
    result = alovoice("status", "--offline", "--json")
    assert result.code == 0, result.err
    assert "reachable" not in json.loads(result.out)
    assert pbx.connections == 0


def test_status_shows_proxy_and_authorities_without_the_proxys_password(alovoice: FrontDoor) -> None:
    environ = {
        "ALOVOICE_TOKEN": TOKEN,
        "ALOVOICE_BASE_URL": "https://pbx.example",
        "HTTPS_PROXY": "http://me:hush-hush@127.0.0.1:9",
        "SSL_CERT_FILE": "/etc/ours.pem",
    }
    result = alovoice("status", "--offline", "--json", "-v", environ=environ)
    assert result.code == 0, result.err
    shown = json.loads(result.out)
    assert (shown["proxy"], shown["authorities"]) == ("http://127.0.0.1:9", "/etc/ours.pem")
    assert "hush-hush" not in result.out + result.err


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[profiles.a]\ntimeout = \n", "line 2, column 11"),
        ('x = "y\n', "line 1, column"),
        ("[profiles.a]\n\n  timeuot = 3\n", "line 3, column 3"),
        ('profile = "a"\n[profiles.a]\ntimeout = "soon"\n', "line 3, column 1"),
    ],
)
def test_status_works_with_a_broken_file_and_names_the_place(
    alovoice: FrontDoor, pbx: RawServer, text: str, place: str
) -> None:
    path = write_config(alovoice, "config.toml", text)
    result = alovoice("status", "--json")
    assert result.code == 8, result.err
    error = json.loads(result.err)["error"]
    assert error["kind"] == "check_failed"
    assert str(path) in error["message"]
    assert place in error["message"]
    assert json.loads(result.out)["config_problem"] == error["message"]
    assert alovoice("trunks").code == 2, "every other command refuses to guess"
    assert pbx.connections == 0
    shown = alovoice("status", terminal=True)
    assert shown.code == 8
    assert "line" in shown.err


def test_status_works_with_a_broken_token_file(alovoice: FrontDoor, pbx: RawServer) -> None:
    write_config(alovoice, "tokens.toml", "[tokens\n")
    result = alovoice("status", "--json")
    assert result.code in (2, 8), result.err
    assert "tokens.toml" in result.err
    assert json.loads(result.out)["tokens_file"].endswith("tokens.toml")


def test_status_of_an_open_token_file_warns(alovoice: FrontDoor, pbx: RawServer) -> None:
    path = write_config(alovoice, "tokens.toml", f'[tokens]\ndefault = "{TOKEN}"\n[origins]\ndefault = "{pbx.url}"\n')
    assert "warning" not in alovoice("status").err
    path.chmod(0o644)
    result = alovoice("status")
    assert result.code == 0
    assert "chmod 600" in result.err


def test_status_of_the_sandbox_needs_nothing(alovoice: FrontDoor) -> None:
    result = alovoice("status", "-p", "sandbox", "--json")
    assert result.code == 0, result.err
    assert json.loads(result.out)["reachable"] is True


# --- which profile ---------------------------------------------------------------------------------------------------


def test_an_unknown_profile_is_two_with_the_list_and_the_nearest(alovoice: FrontDoor, pbx: RawServer) -> None:
    assert alovoice("login", "--with-token", "-p", "tashkent", stdin=TOKEN).code == 0
    pbx.requests.clear()
    for given in ({"words": ("-p", "tashkemt")}, {"environ": {"ALOVOICE_PROFILE": "tashkemt"}}):
        for command in (("trunks",), OUT, ("config", "get", "timeout")):
            result = alovoice(*command, *given.get("words", ()), environ=given.get("environ"))  # type: ignore[arg-type] # one of two shapes
            assert result.code == 2, result.err
            assert "did you mean tashkent?" in result.err
            assert "default, sandbox, tashkent" in result.err
    assert pbx.requests == []


def test_a_dial_says_in_one_line_which_profile_won(alovoice: FrontDoor, pbx: RawServer) -> None:
    alovoice.environ["ALOVOICE_TOKEN"] = TOKEN
    write_config(alovoice, "config.toml", "[profiles.tashkent]\n[profiles.samarkand]\n")
    environ = {"ALOVOICE_PROFILE": "samarkand"}
    result = alovoice(*OUT, "-p", "tashkent", environ=environ)
    assert result.code == 0, result.err
    told = [line for line in result.err.splitlines() if "samarkand" in line]
    assert len(told) == 1
    assert "tashkent" in told[0]
    assert "samarkand" not in alovoice("trunks", "-p", "tashkent", environ=environ).err, "reading harms nobody"
    assert "samarkand" not in alovoice(*OUT, "-p", "samarkand", environ=environ).err
    assert "samarkand" in alovoice(*OUT, "-p", "tashkent", "--quiet", environ=environ).err


@pytest.mark.parametrize("where", ["top", "profile"])
def test_a_profile_that_must_be_named_is_not_dialled_by_without(
    alovoice: FrontDoor, pbx: RawServer, where: str
) -> None:
    alovoice.environ["ALOVOICE_TOKEN"] = TOKEN
    top, inner = ("require_profile = true\n", "") if where == "top" else ("", "require_profile = true\n")
    write_config(alovoice, "config.toml", f'profile = "tashkent"\n{top}[profiles.tashkent]\n{inner}')
    for environ in ({}, {"ALOVOICE_PROFILE": "tashkent"}):
        result = alovoice(*OUT, environ=environ)
        assert result.code == 2, result.err
        assert "-p tashkent" in result.err
    assert pbx.connections == 0
    assert json.loads(alovoice("call", "receipts", "list", "--json").out) == []
    assert alovoice("trunks").code == 0
    assert alovoice(*OUT, "-p", "tashkent").code == 0
    assert alovoice("--profile", "tashkent", *OUT).code == 0


def test_a_question_names_the_pbx(alovoice: FrontDoor, pbx: RawServer) -> None:
    alovoice.environ["ALOVOICE_TOKEN"] = TOKEN
    write_config(alovoice, "config.toml", "[profiles.tashkent]\n")
    mp3 = Path(__file__).parents[2] / "alovoice_cli" / "sandbox" / "scenarios" / "announcement.mp3"
    words = (
        *("autorule", "create", "--record", str(mp3), "--recipient", "901234567", "--from", "tomorrow"),
        *("--to", "tomorrow", "--fromtime", "10:00", "--totime", "11:00", "--trunks", "712037006", "-p", "tashkent"),
    )
    result = alovoice(*words, stdin="n\n", terminal=True)
    assert (result.code, pbx.effects) == (2, []), result.err
    assert "PBX tashkent?" in " ".join(result.err.split())
