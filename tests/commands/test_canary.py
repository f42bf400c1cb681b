"""The token is seen by the PBX and by nobody else: a canary goes through every command, into every failure."""

import json
import os
import re
import shlex
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from canary import (
    ACTS,
    BASE64,
    CODES,
    CREATE,
    ECHO,
    ELSEWHERE,
    MASKED,
    OFFLINE,
    QUIET,
    RECEIPTS,
    SLOW_ACTS,
    TALKING,
    TOLERANT,
    answer_no_text,
    answer_well,
    check,
    check_files,
    found,
    lay_token,
    play,
    prepare,
    write_files,
)
from crm import served
from event_rows import Rows
from front_door import TOKEN, FrontDoor
from raw_server import Connection, RawServer, Seen
from strength import IS_SOAK
from waiting import wait_until

from alovoice_cli.commands.command_effects import COMMAND_EFFECTS


@pytest.fixture
def pbx(alovoice: FrontDoor) -> Iterator[RawServer]:
    server = RawServer([])
    alovoice.environ |= {"ALOVOICE_BASE_URL": server.url}
    write_files(alovoice)
    yield server
    server.stop()


_SOURCES = ("environment", "tokens.toml", "token_command")
_MANNERS: tuple[tuple[tuple[str, ...], bool, dict[str, str]], ...] = (
    (("--json", "-v"), False, {"ALOVOICE_DEBUG": "1"}),
    (("-v",), True, {"ALOVOICE_DEBUG": "1"}),
    ((), False, {}),
    (("-v",), False, {"ALOVOICE_DEBUG": "1"}),
)
_ALL_ACTS = ACTS | SLOW_ACTS


@pytest.mark.parametrize("name", TALKING)
def test_no_stream_and_no_file_shows_the_token(alovoice: FrontDoor, pbx: RawServer, name: str) -> None:
    """Each command in each act of the PBX; with each source of the token in some of them, in the soak in all."""
    every = [(source, manner) for source in _SOURCES for manner in _MANNERS]
    for number, act in enumerate(_ALL_ACTS, start=list(TALKING).index(name)):
        for turn, (source, manner) in enumerate(every if IS_SOAK else [every[number * 5 % len(every)]]):
            words = prepare(alovoice, name, number % 50 + 50 * (turn % 2))
            _try(alovoice, pbx, name, words, act, source, *manner)
    for words in RECEIPTS:
        result = alovoice(*words)
        assert result.code == 0, result.err
        check(result, f"{words} after {name}")
    pbx.stop()  # what still was on its way has arrived by now
    check_files(alovoice)


def _try(
    alovoice: FrontDoor,
    pbx: RawServer,
    name: str,
    words: tuple[str, ...],
    act: str,
    source: str,
    flags: tuple[str, ...],
    terminal: bool,
    environ: dict[str, str],
) -> None:
    play(pbx, _ALL_ACTS[act])
    lay_token(alovoice, source)
    pbx.requests.clear()
    if act == "no text" and name.startswith("api"):
        flags, terminal = ("-v",), True  # bytes are not for a terminal: see the test of them below
    patience = ("--timeout", "0.5") if act in SLOW_ACTS else ()
    result = alovoice(*words, *flags, *patience, stdin=TOKEN, terminal=terminal, environ=environ)
    check(result, f"{name}, {act}, {source} {flags}")
    codes = {2, 6} if act == "no text" and name.startswith("api") else CODES[act]
    assert result.code in codes | TOLERANT.get(name, set()), f"{name}, {act}, {source}: {result.err}"
    if act in SLOW_ACTS:
        return
    assert any(TOKEN in f"{seen.target} {seen.headers}" for seen in pbx.requests), "the PBX got no token"
    if "-v" in flags:
        assert MASKED in "".join(result.err.split())  # a terminal wraps it


def test_every_command_is_in_the_canarys_tables() -> None:
    """A new command is to be put into TALKING, into QUIET, or where else its test is."""
    commands = {tuple(name.split()): name for name in COMMAND_EFFECTS}
    talking = {commands[words[:size]] for words in TALKING.values() for size in (1, 2, 3) if words[:size] in commands}
    reading = {name for name, effect in COMMAND_EFFECTS.items() if effect != "local"}
    assert talking == reading
    assert talking | {*QUIET} | {*ELSEWHERE} == set(COMMAND_EFFECTS)


@pytest.mark.parametrize("source", _SOURCES if IS_SOAK else _SOURCES[:1])
def test_no_command_that_leaves_the_pbx_alone_shows_the_token(alovoice: FrontDoor, pbx: RawServer, source: str) -> None:
    """All of them, one after the other, in the home of somebody who has used everything that talks."""
    play(pbx, answer_well)
    lay_token(alovoice, source)
    begin = ("call", "out", "--from", "2424", "--batch", "rows.csv", "--night-ok", "--yes", "--journal", "BATCH")
    for words in (CREATE, begin, ("ai", "send", "1"), ("ai", "result", "1"), TALKING["out"]):
        assert alovoice(*words).code == 0, words
    receipt = json.loads(alovoice("call", "receipts", "list", "--json").out)[0]["receipt"]
    Rows(alovoice.store_url).deliver("callend", 1_750_000_000, {"call_id": "1", "number": "901234567"})
    before = len(pbx.requests)
    for words in OFFLINE:
        check(alovoice(*words, "-v"), f"{words}")
    with served(lambda asked: (500, f"{asked}".encode())) as crm:
        for name, words in QUIET.items():
            filled = [{"CRM": crm.url, "RECEIPT": receipt}.get(word, word) for word in words]
            result = alovoice(*name.split(), *filled, "-v", stdin=TOKEN, environ={"ALOVOICE_DEBUG": "1"})
            check(result, name)
            assert result.code in (1, 6, 7, 8) if "CRM" in words else result.code == 0, f"{name}: {result.err}"
            if name in ("logout", "config unset", "config set", "config use"):
                lay_token(alovoice, source)
        assert not [asked for asked in crm.asked if found(f"{asked}".encode())], "the CRM got the token"
        assert crm.asked
    assert len(pbx.requests) == before
    check_files(alovoice)


def test_a_listener_shows_no_token_of_its_crm(alovoice: FrontDoor) -> None:
    """The CRM repeats the secret header that it got; the secret stands in a file, and nowhere else."""
    (alovoice.home / "token.txt").write_text(f"Authorization: Bearer {TOKEN}")
    alovoice.environ["ALOVOICE_TOKEN"] = TOKEN
    with served(lambda asked: (500, f"{ECHO} {asked.headers}".encode())) as crm:
        words = ("listen", "--port", "0", "--secret", "none", "--json", "--ready-file", "ready.json", "-v")
        forwards = ("--forward", crm.url, "--notify", crm.url, "--forward-header", "@token.txt", "--exec", "env")
        process = alovoice.start(*words, *forwards)
        try:
            ready = alovoice.home / "ready.json"
            wait_until(lambda: process.poll() is not None or ready.exists(), "the listener to be ready")
            for kind in ("callstart", "callend", "result"):
                body = json.dumps({"call_id": "1", "number": "901234567", "start_time": 1_750_000_000}).encode()
                url = json.loads(ready.read_text())["urls"][kind]
                with urllib.request.urlopen(urllib.request.Request(url, body), timeout=60) as answer:
                    answer.read()
            wait_until(lambda: len(crm.asked) > 2, "the CRM to be asked")
        finally:
            process.terminate()
            out, err = process.communicate(timeout=60)
    assert not found(out + err), out + err
    assert all(TOKEN in asked.headers.get("authorization", "") for asked in crm.asked)
    for listed in (("events", "outbox", "list"), ("events", "list"), ("events", "show", "e1")):
        check(alovoice(*listed, "--json", "-v"), f"{listed}")
    check_files(alovoice)


@pytest.mark.parametrize("act", [*ACTS, *SLOW_ACTS])
def test_no_stream_and_no_file_shows_the_token_of_a_telegram_bot(alovoice: FrontDoor, pbx: RawServer, act: str) -> None:
    play(pbx, (ACTS | SLOW_ACTS)[act])
    lay_token(alovoice, "environment")
    alovoice.environ.pop("ALOVOICE_TOKEN")
    command = f"cat {shlex.quote(str(alovoice.home / 'token.txt'))}"
    for key, value in (("api_url", pbx.url), ("token_command", command)):
        assert alovoice("config", "set", f"notify.telegram.{key}", value).code == 0
    for words in (("notify", "test", "--to", "telegram:1"), ("notify", "login", "--with-token")):
        for flags in (("-v",), ("-v", "--json")):
            patience = ("--timeout", "0.5") if act in SLOW_ACTS else ()
            environ = {"ALOVOICE_DEBUG": "1"}
            result = alovoice(*words, *flags, *patience, stdin=TOKEN, environ=environ)
            check(result, f"{words}, {act}")
            assert result.code in {0, 1, 3, 5, 7}, result.err
            assert MASKED in result.err
    assert any(TOKEN in seen.target for seen in pbx.requests), "the bot's server got no token"
    check_files(alovoice)


@pytest.mark.parametrize("shape", ["a/b", "a b", "a%41", "қ", "a?b", "x" * 200])
def test_a_malformed_token_is_not_repeated(alovoice: FrontDoor, pbx: RawServer, shape: str) -> None:
    play(pbx, answer_well)
    token = TOKEN + shape
    for words in (("trunks",), ("status", "--offline"), ("login", "--with-token"), TALKING["out"]):
        lay_token(alovoice, "environment")
        alovoice.environ["ALOVOICE_TOKEN"] = token
        result = alovoice(*words, "-v", stdin=token, environ={"ALOVOICE_DEBUG": "1"})
        check(result, f"{words}")
        assert result.code == 2, result.err
    assert pbx.connections == 0
    check_files(alovoice)


def test_trunks_that_the_pbx_names_bring_no_token_into_the_ledger(alovoice: FrontDoor, pbx: RawServer) -> None:
    play(pbx, answer_well)
    lay_token(alovoice, "environment")
    result = alovoice(*CREATE, "--trunks", "all", "-v")
    check(result, "create --trunks all")
    assert len(pbx.requests) == 2
    check_files(alovoice)


def test_an_id_that_is_the_token_is_masked_where_it_is_kept(alovoice: FrontDoor, pbx: RawServer) -> None:
    """Pasted into the wrong place, as it happens."""
    play(pbx, answer_well)
    lay_token(alovoice, "environment")
    for words in (
        (*TALKING["out"], "--call-id", TOKEN),
        (*TALKING["conference"], "--extid", TOKEN),
        (*CREATE, "--name", TOKEN),
    ):
        for flags in ((), ("--json",), ("-v",)):
            result = alovoice(*words, *flags, environ={"ALOVOICE_DEBUG": "1"})
            assert result.code == 0, result.err
            check(result, f"{words}")
    check(alovoice("ai", "send", TOKEN, "-v"), "ai send")
    check(alovoice("call", "receipts", "list", "--json"), "receipts")
    check_files(alovoice)


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="no /proc to read arguments from")
@pytest.mark.parametrize(
    ("source", "name"),
    [
        *(("environment", name) for name in ("create", "out", "login")),
        *(("tokens.toml", name) for name in ("peers", "send", "status")),
        *(("token_command", name) for name in ("trunks", "login", "api post")),
    ],
)
def test_no_process_has_the_token_in_its_arguments(alovoice: FrontDoor, pbx: RawServer, name: str, source: str) -> None:
    arguments: list[bytes] = []

    def look(connection: Connection, seen: Seen) -> None:
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if os.fsencode(alovoice.home) in (process / "environ").read_bytes():  # none of another test's
                    arguments.append((process / "cmdline").read_bytes())
            except OSError:  # the process has ended meanwhile
                continue
        answer_well(connection, seen)

    play(pbx, look)
    lay_token(alovoice, source)
    words = TALKING[name] if source != "token_command" or name != "login" else _login_by_command(alovoice)
    done = alovoice.process(*words, "-v", stdin=TOKEN.encode(), environ={"ALOVOICE_DEBUG": "1"})
    assert done.returncode == 0, done.stderr
    assert not found(done.stdout + done.stderr), done
    assert any(b"alovoice_cli" in argument for argument in arguments)
    assert not any(found(argument) for argument in arguments)
    check_files(alovoice)


def _login_by_command(home: FrontDoor) -> tuple[str, ...]:
    return ("login", "-p", "tashkent", "--token-command", f"cat {shlex.quote(str(home.home / 'token.txt'))}")


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="no /proc to read arguments from")
def test_a_command_that_waits_for_its_token_shows_none_meanwhile(alovoice: FrontDoor, pbx: RawServer) -> None:
    """The token command's own arguments are the user's; its environment holds no token of another profile."""
    play(pbx, answer_well)
    lay_token(alovoice, "token_command")
    script = alovoice.home / "ask.sh"
    script.write_text(f"env > {alovoice.home}/environ.txt; cat {alovoice.home}/token.txt\n")
    config = alovoice.home / "config" / "config.toml"
    profile = f"[profiles.default]\nbase_url = {json.dumps(alovoice.environ['ALOVOICE_BASE_URL'])}\n"
    config.write_text(f"{profile}token_command = {json.dumps(f'sh {script}')}\n")
    done = alovoice.process("trunks", "-v")
    assert done.returncode == 0, done.stderr
    assert not found((alovoice.home / "environ.txt").read_bytes())
    assert not found(done.stdout + done.stderr)


def test_an_answer_that_is_no_text_keeps_its_bytes_but_for_the_token(alovoice: FrontDoor, pbx: RawServer) -> None:
    play(pbx, answer_no_text)
    lay_token(alovoice, "environment")
    done = alovoice.process("api", "GET", "/getpeers/{token}", "-v")
    assert done.returncode == 0, done.stderr
    assert (done.stdout[:2], done.stdout[-1:]) == (b"\xff\xfe", b"\xff")
    assert MASKED.encode() in done.stdout
    assert not found(done.stdout + done.stderr)


def test_the_canary_would_be_seen() -> None:
    for text in (f"x{TOKEN}x", TOKEN[:28], BASE64, f"Basic {BASE64[:30]}"):
        assert found(text.encode())
    assert not found(MASKED.encode())
    assert re.fullmatch(r"[0-9a-f-]{36}", TOKEN)
