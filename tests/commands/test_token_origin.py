"""A stored token goes only to the server that `login` checked; `login` keeps all of a login, or nothing."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from front_door import TOKEN, FrontDoor
from login_server import write_config
from raw_server import Connection, RawServer
from waiting import wait_until

from alovoice_cli.api.client import Client
from alovoice_cli.errors import UnreachableError

LINES = b'["712037006", "712037007"]'
OUT = ("call", "out", "--from", "2424", "--to", "901234567", "-p", "tashkent")


def _answer(connection: Connection) -> None:
    if (seen := connection.read()) is not None:
        connection.answer("200 OK", b"true" if seen.target.startswith("/outcall") else LINES)


@pytest.fixture
def servers() -> Iterator[tuple[RawServer, RawServer]]:
    """The PBX that `login` asks, and another server."""
    both = RawServer([_answer]), RawServer([_answer])
    yield both
    for server in both:
        server.stop()


@pytest.fixture
def pbx(alovoice: FrontDoor, servers: tuple[RawServer, RawServer]) -> RawServer:
    words = ("login", "--with-token", "-p", "tashkent", "--base-url", servers[0].url)
    assert alovoice(*words, stdin=TOKEN).code == 0
    return servers[0]


def _files(home: FrontDoor) -> dict[str, str]:
    return {path.name: path.read_text() for path in (home.home / "config").glob("*.toml")}


# --- the origin ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["flag", "environment", "config set", "by hand"])
@pytest.mark.parametrize("words", [("trunks",), OUT, ("status",), ("api", "GET", "/getpeers/{token}")])
def test_a_stored_token_does_not_go_to_another_server(
    alovoice: FrontDoor, servers: tuple[RawServer, RawServer], pbx: RawServer, how: str, words: tuple[str, ...]
) -> None:
    other, environ = servers[1], {}
    words = (*words, *(() if "-p" in words else ("-p", "tashkent")))
    if how == "flag":
        words = (*words, "--base-url", other.url)
    elif how == "environment":
        environ = {"ALOVOICE_BASE_URL": other.url}
    elif how == "config set":
        told = alovoice("config", "set", "tashkent.base_url", other.url)
        assert f"belongs to {pbx.url}" in told.err
    else:
        write_config(alovoice, "config.toml", f'[profiles.tashkent]\nbase_url = "{other.url}"\n')
    result = alovoice(*words, environ=environ)
    assert result.code == 2, result.err
    assert other.connections == 0
    assert f"belongs to {pbx.url} and is not sent to {other.url}" in result.err
    assert "`alovoice login -p tashkent" in result.err
    given = alovoice(*words, environ={**environ, "ALOVOICE_TOKEN": TOKEN})
    assert given.code == 0 or words[0] == "api", given.err
    assert other.connections > 0, "a token given with the server goes there"


def test_login_again_moves_the_token(alovoice: FrontDoor, servers: tuple[RawServer, RawServer], pbx: RawServer) -> None:
    again = alovoice("login", "--with-token", "-p", "tashkent", "--base-url", servers[1].url, stdin=TOKEN)
    assert again.code == 0, again.err
    assert alovoice("trunks", "-p", "tashkent").code == 0
    assert alovoice("trunks", "-p", "tashkent", "--base-url", pbx.url).code == 2


def test_another_path_case_or_a_named_default_port_is_the_same_server(alovoice: FrontDoor, pbx: RawServer) -> None:
    url = pbx.url.replace("http://localhost", "HTTP://LocalHost")
    assert alovoice("trunks", "-p", "tashkent", "--base-url", f"{url}/prefix/").code == 0
    write_config(alovoice, "tokens.toml", f'[tokens]\nt = "{TOKEN}"\n[origins]\nt = "https://pbx.example"\n')
    result = alovoice("status", "--offline", "-p", "t", "--base-url", "https://PBX.example:443/x", "--json")
    assert result.code == 0, result.err
    assert json.loads(result.out)["token_for"] == "https://pbx.example"


def test_a_token_of_an_older_version_belongs_to_the_profiles_own_server(
    alovoice: FrontDoor, servers: tuple[RawServer, RawServer]
) -> None:
    first, other = servers
    write_config(alovoice, "config.toml", f'[profiles.a]\nbase_url = "{first.url}"\n')
    write_config(alovoice, "tokens.toml", f'[tokens]\na = "{TOKEN}"\ndefault = "{TOKEN}"\n')
    assert alovoice("trunks", "-p", "a").code == 0
    for words in (("-p", "a"), ()):
        assert alovoice("trunks", *words, environ={"ALOVOICE_BASE_URL": other.url}).code == 2
    assert alovoice("config", "set", "a.base_url", other.url).code == 0
    assert alovoice("trunks", "-p", "a").code == 2, "the change did not take the token along"
    assert alovoice("config", "set", "a.base_url", first.url).code == 0
    assert alovoice("trunks", "-p", "a").code == 0
    assert other.connections == 0


def test_a_token_command_is_not_run_for_another_server(
    alovoice: FrontDoor, servers: tuple[RawServer, RawServer]
) -> None:
    first, other = servers
    ran = alovoice.home / "ran"
    command = f"sh -c 'touch {ran}; echo {TOKEN}'"
    write_config(
        alovoice, "config.toml", f'[profiles.a]\nbase_url = "{first.url}"\ntoken_command = {json.dumps(command)}\n'
    )
    result = alovoice("trunks", "-p", "a", "--base-url", other.url)
    assert (result.code, other.connections, ran.exists()) == (2, 0, False), result.err
    assert alovoice("trunks", "-p", "a").code == 0


def test_a_command_kept_at_login_belongs_to_the_server_that_was_asked(
    alovoice: FrontDoor, servers: tuple[RawServer, RawServer]
) -> None:
    environ = {"ALOVOICE_BASE_URL": servers[0].url}
    done = alovoice("login", "-p", "a", "--token-command", f"echo {TOKEN}", environ=environ)
    assert done.code == 0, done.err
    assert alovoice("trunks", "-p", "a").code == 0


# --- all of a login, or nothing --------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["directory", "tokens", "config", "link"])
def test_login_asks_nobody_where_it_cannot_keep_the_token(
    alovoice: FrontDoor, servers: tuple[RawServer, RawServer], tmp_path: Path, fault: str
) -> None:
    if fault == "directory":
        alovoice.environ["ALOVOICE_CONFIG_DIR"] = "/proc/self/nowhere"
    elif fault == "tokens":
        write_config(alovoice, "tokens.toml", "[tokens\n")
    elif fault == "config":
        write_config(alovoice, "config.toml", "profile =\n")
    else:
        write_config(alovoice, "listen.toml", "")
        (alovoice.home / "config" / "tokens.toml").symlink_to("/proc/version")
    before = _files(alovoice) if fault not in ("directory", "link") else None
    result = alovoice("login", "--with-token", "-p", "a", "--base-url", servers[0].url, stdin=TOKEN)
    assert result.code == 2, result.err
    assert servers[0].connections == 0
    assert before is None or _files(alovoice) == before


@pytest.mark.skipif(os.name != "posix", reason="a file's size is bounded by POSIX's RLIMIT_FSIZE")
def test_a_full_disk_is_noticed_before_the_pbx_is_asked(
    alovoice: FrontDoor, servers: tuple[RawServer, RawServer]
) -> None:
    script = (
        # Else Python writes the bytecode of a changed module cut short, and every later run fails by it.
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); sys.dont_write_bytecode = True\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (40, 40))\n"
        "from alovoice_cli.__main__ import main; sys.argv[0] = 'alovoice'; main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "login", "--with-token", "-p", "a", "--base-url", servers[0].url],
        input=TOKEN.encode(),
        env=alovoice.environ,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert b"tokens.toml cannot be written" in done.stderr
    assert (servers[0].connections, _files(alovoice)) == (0, {})


def test_a_login_that_is_refused_leaves_no_base_url(alovoice: FrontDoor, servers: tuple[RawServer, RawServer]) -> None:
    def refuse(connection: Connection) -> None:
        if connection.read() is not None:
            connection.answer("401 Unauthorized")

    servers[0].acts = [refuse]
    assert alovoice("login", "--with-token", "-p", "a", "--base-url", servers[0].url, stdin=TOKEN).code == 3
    assert _files(alovoice) == {}


# --- the token's spelling, and its command ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [b"\xef\xbb\xbf" + TOKEN.encode() + b"\r\n", TOKEN.encode() + b"\r\n", f"\ufeff{TOKEN}\r\n".encode("utf-16-le")],
    ids=["UTF-8", "none", "UTF-16"],
)
def test_a_byte_order_mark_is_no_part_of_the_token(
    alovoice: FrontDoor, servers: tuple[RawServer, RawServer], content: bytes
) -> None:
    server = servers[0]
    done = alovoice.process("login", "--with-token", "-p", "a", "--base-url", server.url, stdin=content)
    assert done.returncode == 0, done.stderr
    assert alovoice("trunks", "-p", "a").code == 0
    assert [seen.header("authorization") for seen in server.requests] == [f"Bearer {TOKEN}"] * 2


def test_a_byte_order_mark_in_variable_and_file_is_no_part_of_the_token(
    alovoice: FrontDoor, servers: tuple[RawServer, RawServer]
) -> None:
    server = servers[0]
    given = {"ALOVOICE_TOKEN": f"\ufeff{TOKEN}\r\n", "ALOVOICE_BASE_URL": server.url, "LC_ALL": "C"}
    done = alovoice.process("trunks", environ=given)
    assert done.returncode == 0, done.stderr
    write_config(alovoice, "tokens.toml", f'\ufeff[tokens]\na = "\ufeff{TOKEN}"\n[origins]\na = "{server.url}"\n')
    assert alovoice("trunks", "-p", "a", "--base-url", server.url).code == 0
    assert [seen.header("authorization") for seen in server.requests] == [f"Bearer {TOKEN}"] * 2


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="/proc says which processes run")
@pytest.mark.parametrize("ending", ["timeout", "too much", "done"])
def test_what_a_token_command_started_ends_with_it(
    alovoice: FrontDoor, servers: tuple[RawServer, RawServer], ending: str
) -> None:
    then = {"timeout": "sleep 300", "too much": "yes", "done": f"echo {TOKEN}"}[ending]
    script = alovoice.home / "ask.sh"
    script.write_text(f"sleep 300 &\necho $! > {alovoice.home}/child\n{then}\n")
    text = f'[profiles.a]\nbase_url = "{servers[0].url}"\ntoken_command = "sh {script}"\n'
    write_config(alovoice, "config.toml", text)
    result = alovoice("trunks", "-p", "a", "--timeout", "2" if ending == "timeout" else "30")
    told = {"timeout": "took longer than 2 s", "too much": "printed more than 64 kB", "done": ""}[ending]
    assert told in result.err
    assert result.code == (0 if ending == "done" else 3)
    child = int((alovoice.home / "child").read_text())
    try:
        wait_until(lambda: not _runs(child), "the end of the child")
    except AssertionError:
        os.kill(child, signal.SIGKILL)
        raise


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_the_seconds_of_the_token_command_are_the_first_requests_too(servers: tuple[RawServer, RawServer]) -> None:
    with Client(servers[0].url, TOKEN, timeout=30, spent=30) as client:
        with pytest.raises(UnreachableError):
            client.trunks.list()
        assert servers[0].connections == 0, "without any time left nothing is begun"
        assert client.trunks.list() == ["712037006", "712037007"]


# --- a profile that is gone ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["config.toml", ".alovoice.toml"])
def test_a_current_profile_that_is_gone_is_told_within_the_table(alovoice: FrontDoor, place: str) -> None:
    write_config(alovoice, "config.toml", 'profile = "gone"\n[profiles.tashkent]\n')
    if place != "config.toml":
        write_config(alovoice, "config.toml", "[profiles.tashkent]\n")
        (alovoice.home / place).write_text('profile = "gone"\n')
    result = alovoice("status", "--json")
    assert result.code == 8, result.err
    shown = json.loads(result.out)
    assert shown["profile"] == "gone"
    assert "there is no profile gone" in shown["config_problem"]
    assert "tashkent" in shown["config_problem"]
    listed = alovoice("config", "list", "--json")
    assert listed.code == 0
    assert {row["profile"] for row in json.loads(listed.out)} == {"default", "sandbox", "tashkent"}
    assert "no profile gone" in listed.err
    assert alovoice("trunks").code == 2
