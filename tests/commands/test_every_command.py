"""What every command promises, asked of each leaf of the tree, on the embedded PBX."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from command_lines import LEAVES, RULES
from crm import served
from event_rows import Rows
from front_door import TOKEN, FrontDoor

from alovoice_cli.api.endpoints import match
from alovoice_cli.api.inprocess import InProcess
from alovoice_cli.commands.command_effects import COMMAND_EFFECTS
from alovoice_cli.commands.command_table import NOUNS
from alovoice_cli.commands.command_tree import build_tree, full_tree
from alovoice_cli.commands.help_page import summary_of
from alovoice_cli.commands.used_options import USED_OPTIONS
from alovoice_cli.sandbox.opening import open_sandbox

MP3 = Path(__file__).parents[2] / "alovoice_cli" / "sandbox" / "scenarios" / "announcement.mp3"
CREATE = (
    *("--record", "a.mp3", "--recipient", "901234567", "--name", "n", "--from", "tomorrow", "--to", "tomorrow"),
    *("--fromtime", "10:00", "--totime", "11:00", "--trunks", "all", "--night-ok", "--yes", "--allow-duplicate"),
)
WORDS: dict[str, tuple[str, ...]] = {
    "autorule create": CREATE,
    "autorule check": tuple(word for word in CREATE if word != "--yes"),
    "autorule get": ("40",),
    "numbers check": ("numbers.csv",),
    "autorule list": (),
    "autorule export": ("124",),
    "autorule watch": ("40",),
    "autorule report": ("124",),
    "trunks": (),
    "peers": (),
    "call conference": ("--from", "712037006", "--to", "901234567"),
    "call ivr": ("--to", "901234567", "--ivr", "222", "--line", "712037006"),
    "call out": ("--from", "2424", "--to", "901234567"),
    "call receipts list": (),
    "call receipts show": ("RECEIPT",),
    "call batches list": (),
    "call batches show": ("BATCH",),
    "call batches resume": ("BATCH", "--night-ok", "--yes"),
    "call batches forget": ("BATCH",),
    "call resolve": ("--all",),
    "events list": (),
    "events show": ("e1",),
    "events tail": (),
    "events stats": (),
    "events missed": (),
    "events gaps": (),
    "events export": ("--limit", "1"),
    "events import": ("history.jsonl",),
    "events prune": ("--older-than", "90d"),
    "events outbox list": (),
    "events outbox retry": ("--all",),
    "events outbox drop": ("--all", "--yes"),
    "store check": (),
    "store copy": ("state/events-sandbox.db", "SERVER"),
    "day": (),
    "top": ("--once",),
    "route init": ("new-rules.toml",),
    "route check": ("rules.toml",),
    "route test": ("rules.toml", "--from", "974244100", "--line", "712037006"),
    "route diff": ("rules.toml", "rules.toml"),
    "route override": ("--off",),
    "ai send": ("CALL_ID",),
    "ai result": ("CALL_ID",),
    "ai audio": ("CALL_ID", "-o", "out.audio", "--force"),
    "ai show": ("CALL_ID",),
    "ai list": (),
    "ai grep": ("assalomu",),
    "ai score": ("--rules", "qa.toml"),
    "ai report": (),
    "ai prune": ("--older-than", "999w"),
    "api": ("GET", "/mapi/getMyTrunks"),
    "login": ("--with-token", "--no-check", "-p", "tashkent"),
    "logout": (),
    "status": ("--offline",),
    "notify test": ("--to", "exec:true"),
    "notify login": ("--with-token", "--no-check"),
    "notify logout": (),
    "config list": (),
    "config get": ("timeout",),
    "config set": ("timeout", "20"),
    "config unset": ("timeout",),
    "config use": ("sandbox",),
    "config path": (),
    "events trigger": ("callstart", "--to", "CRM"),
    "events replay": ("e1", "--to", "CRM"),
    "events certify": ("CRM", "--only", "route-out"),
    "sandbox path": (),
    "sandbox sample": ("sample",),
    "sandbox reset": (),
}
BEGIN = ("call", "out", "--batch", "rows.csv", "--from", "2424", "--journal", "BATCH", "--night-ok", "--yes")
FIRST = {f"autorule {verb}": ("autorule", "create", *CREATE) for verb in ("export", "report")} | {
    f"call batches {verb}": BEGIN for verb in ("list", "show", "resume", "forget")
}
"""What is run before."""
STRONGEST: dict[str, tuple[str, ...]] = {
    "autorule list": ("--refresh",),
    "route check": ("rules.toml", "--online"),
    "login": ("--with-token", "-p", "tashkent", "--base-url", "http://127.0.0.1:1"),
    "status": (),
    "api": ("POST", "/outcall/{token}", "-F", "inner_phone=2424", "-f", "number=+998901234567"),
    "call batches resume": ("BATCH", "--retry-refused", "--night-ok", "--yes"),
    "completion": ("bash",),
    "skill": (),
}
"""The words with which a command does its utmost, where those of WORDS do less."""
NOT_RUN = {"listen check", "sandbox serve", "listen", "demo"}
"""Servers, what asks one, and a tour on a sandbox of its own: they make no client for the profile's PBX."""
NO_JSON = {"skill", "completion", "demo", "listen check", "sandbox serve"}
"""A script, a tour of other commands, a server: each has tests of its own."""

_ESCAPE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


WORDS |= {
    name: ()
    for name, command in LEAVES.items()
    if name not in {*WORDS, *NO_JSON} and not any(param.required for param in command.params)
}
"""A command that needs no words is tried without any."""
LISTS = [name for name, command in LEAVES.items() if hasattr(command.callback, "columns")]


@pytest.fixture
def home(alovoice: FrontDoor) -> FrontDoor:
    """A home where each command of WORDS finds what it needs."""
    (alovoice.home / "a.mp3").write_bytes(MP3.read_bytes())
    Rows(alovoice.home / "state" / "events-sandbox.db").deliver("callstart", time.time() - 99, {"number": "901234567"})
    (alovoice.home / "rules.toml").write_text(RULES, "utf-8")
    line = '{"type": "callstart", "received_at": "2026-11-23T09:00:00+05:00", "body": {"number": "901234567"}}'
    (alovoice.home / "history.jsonl").write_text(line, "utf-8")
    (alovoice.home / "rows.csv").write_text("number\n901234567\n", "utf-8")
    (alovoice.home / "numbers.csv").write_text("тел;исм\n9О1234567;Али\n901234567/8;Вали\n", "utf-8")
    alovoice.environ["ALOVOICE_PROFILE"] = "sandbox"
    return alovoice


@pytest.fixture(scope="module", autouse=True)
def _crm() -> Iterator[None]:
    """A CRM's handlers, whose URL stands where WORDS say CRM."""
    with served() as crm:
        _URLS["CRM"] = crm.url
        yield


@pytest.fixture(autouse=True)
def _server(request: pytest.FixtureRequest) -> None:
    """An empty database, whose URL stands where WORDS say SERVER, for the commands that need one."""
    name = getattr(request.node, "callspec", None) and request.node.callspec.params.get("name")
    if name == "store copy":
        _URLS["SERVER"] = request.getfixturevalue("postgres").database()


_URLS: dict[str, str] = {}


def _words(name: str) -> tuple[str, ...]:
    return (*name.split(), *(_URLS.get(word, word) for word in WORDS[name]))


def _prepared(home: FrontDoor, name: str) -> tuple[str, ...]:
    if name == "events replay":
        Rows(home.home / "state" / "events-sandbox.db").deliver("callend", 1_750_000_000, {"call_id": "1"})
    if name == "call receipts show":
        home("ai", "send", "1")
        (entry,) = json.loads(home("call", "receipts", "list", "--json").out)
        return (*name.split(), entry["receipt"])
    if name.startswith("ai ") and name != "ai send":
        (home.home / "qa.toml").write_text("[[check]]\ntag = 'Приветствие'\n", "utf-8")
    if name in FIRST:
        assert home(*FIRST[name]).code == 0
    if name.startswith("ai ") and name != "ai send":
        home("ai", "send", "CALL_ID")
        home.later(minutes=10)
    if name in ("ai show", "ai list", "ai grep", "ai score", "ai report"):
        home("ai", "result", "CALL_ID")
    if name.startswith("config") or name == "logout":
        home.environ.pop("ALOVOICE_PROFILE")
    return _words(name)


def test_every_leaf_of_the_tree_is_asked() -> None:
    assert set(WORDS) | NO_JSON == set(LEAVES)


@pytest.mark.parametrize("name", WORDS)
def test_json_is_json_and_nothing_else(home: FrontDoor, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # A finished batch is a stream of no rows: this one has some to go on with.
    words = _utmost(home, name, monkeypatch) if name == "call batches resume" else _prepared(home, name)
    result = home(*words, "--json", stdin="token-1234\n")
    assert result.code == 0, result.err
    assert result.out, "nothing was printed"
    json.loads(result.out)
    assert not _ESCAPE.search(result.out)
    assert result.out.count("\n") <= 1


def _utmost(home: FrontDoor, name: str, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """The words with which the command does its utmost, after what makes that possible."""
    if name == "call batches resume":  # there is something to go on with: the PBX said no
        with monkeypatch.context() as refusing:
            refusing.setattr(InProcess, "handle_request", lambda self, request: httpx.Response(200, text="false"))
            assert home(*BEGIN).code == 1
    elif name == "autorule list":
        assert home("autorule", "create", *CREATE).code == 0
    elif name == "login":  # the token of a PBX that is no sandbox to the program
        home.transport = InProcess(open_sandbox(home.home / "pbx.db", token=TOKEN).app)
    elif name not in STRONGEST:
        return _prepared(home, name)
    return (*name.split(), *STRONGEST[name])


@pytest.mark.parametrize("name", sorted({*WORDS, *NO_JSON} - NOT_RUN))
def test_a_command_sends_what_its_effect_says(home: FrontDoor, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words = _utmost(home, name, monkeypatch)
    sent: list[str] = []
    answer = InProcess.handle_request

    def counted(self: InProcess, request: httpx.Request) -> httpx.Response:
        sent.append(match(request.method, request.url.path).endpoint.effect.value)
        return answer(self, request)

    monkeypatch.setattr(InProcess, "handle_request", counted)
    result = home(*words, stdin=f"{TOKEN}\n")
    assert result.code == 0, result.err
    order = ("reads", "costs", "creates", "dials")
    assert max(sent, key=order.index, default="local") == COMMAND_EFFECTS[name]


@pytest.mark.parametrize("name", WORDS)
def test_a_pipe_gets_no_colour_and_no_boxes(home: FrontDoor, name: str) -> None:
    words = _prepared(home, name)
    result = home(*words, stdin="token-1234\n")
    assert result.code == 0, result.err
    assert not _ESCAPE.search(result.out.replace("\t", ""))
    assert not set("│─╭╮╰╯━┃" if name == "help" else "│─╭╮╰╯━┃|") & set(result.out)  # on|off is a choice


@pytest.mark.parametrize("name", WORDS)
def test_a_terminal_of_80_columns_is_not_overrun(home: FrontDoor, name: str) -> None:
    words = _prepared(home, name)
    asked = ("--yes",) if "yes" in USED_OPTIONS[name] else ()
    result = home(*words, *asked, "--color", "never", stdin="token-1234\n", terminal=True)
    assert result.code == 0, result.err
    # Data, and what moves the cursor.
    if name not in ("config path", "sandbox path", "events export", "autorule export", "autorule watch"):
        assert max((len(line) for line in result.out.splitlines()), default=0) <= 80


@pytest.mark.parametrize("name", LEAVES)
def test_help_has_an_example_and_both_spellings(home: FrontDoor, name: str) -> None:
    result = home(*name.split(), "--help")
    assert result.code == 0
    assert f"$ alovoice {name}" in " ".join(result.out.split()) or "| alovoice" in result.out, result.out
    assert home(*name.split(), "-h").out == result.out


@pytest.mark.parametrize("name", LISTS)
def test_an_unknown_column_is_named_before_anything_is_sent(home: FrontDoor, name: str) -> None:
    words = _prepared(home, name)
    result = home(*words, "--columns", "nosuch")
    assert result.code == 2
    assert "nosuch" in result.err
    assert all(column.name in result.err for column in LEAVES[name].callback.columns)


@pytest.mark.parametrize("name", sorted(set(LEAVES) - set(LISTS)))
def test_what_is_no_list_refuses_csv_before_it_does_anything(home: FrontDoor, name: str) -> None:
    words = (*name.split(), *WORDS.get(name, ("bash",) if name == "completion" else ()))
    for option in (["--csv"], ["--columns", "a"]):
        assert home(*words, *option).code == 2
        assert home(*option, *words).code == 2


@pytest.mark.parametrize("name", WORDS)
def test_two_formats_are_refused(home: FrontDoor, name: str) -> None:
    words = _words(name)
    assert home(*words, "--json", "--csv").code == 2
    assert home("--csv", *words, "--json").code == 2


@pytest.mark.parametrize("name", LISTS)
def test_csv_and_columns_fit_together(home: FrontDoor, name: str) -> None:
    words = _prepared(home, name)
    columns = [column.name for column in LEAVES[name].callback.columns][:2]
    result = home(*words, "--csv", "--columns", ",".join(columns))
    assert result.out.splitlines()[0] == ",".join(columns)
    assert columns[0] not in home(*words, "--csv", "--columns", columns[0], "--no-headers").out.splitlines()
    picked = json.loads(home(*words, "--json", "--columns", columns[0]).out)
    rows = picked if isinstance(picked, list) else [picked]  # a stream prints an object a line, and here it has one
    assert all(list(row) == columns[:1] for row in rows)


def test_an_empty_list_is_an_empty_list(home: FrontDoor) -> None:
    assert home("call", "receipts", "list", "--json").out == "[]\n"
    assert home("call", "receipts", "list", "--csv").out.startswith("receipt,")
    assert home("peers", "--number", "9999", "--json").out == "[]\n"
    shown = home("peers", "--number", "9999", terminal=True)
    assert (shown.code, shown.out) == (0, "")
    assert "no such extension" in shown.err


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_an_empty_home_is_json_too(alovoice: FrontDoor, name: str) -> None:
    result = alovoice(*_words(name), "--json", environ={"ALOVOICE_PROFILE": "sandbox"})
    assert result.code != 0 or json.loads(result.out) is not None, result.err


def test_every_noun_of_the_contents_has_its_module() -> None:
    folder = Path(__file__).parents[2] / "alovoice_cli" / "commands"
    there = {path.stem for path in folder.iterdir() if path.name[0] not in "_."}
    shared = {"command_classes", "command_effects", "command_table", "command_tree", "global_options", "help_page"}
    shared |= {"batch_options", "options", "posting", "usage_errors", "used_options"}
    assert there - shared == {noun.name for noun in NOUNS}


@pytest.mark.floors
def test_global_options_mean_the_same_on_both_sides(home: FrontDoor) -> None:
    assert home("--json", "trunks").out == home("trunks", "--json").out != ""
    assert home("call", "--json", "receipts", "list").out == "[]\n"
    home.environ.pop("ALOVOICE_PROFILE")
    assert home("-p", "sandbox", "trunks").out == home("trunks", "-p", "sandbox").out != ""


def test_no_words_are_a_plea_for_help(home: FrontDoor) -> None:
    result = home()
    assert result.code == 0
    assert "Usage: alovoice" in result.out


def test_the_line_of_each_verb_is_the_first_sentence_of_its_own_help() -> None:
    shown, full = build_tree(), full_tree()
    for noun in NOUNS:
        shown.build(noun.name)
        for verb in noun.verbs:
            line, command = shown.commands[noun.name].commands[verb.name], full.commands[noun.name].commands[verb.name]
            assert line.help == f"{summary_of(command.help)}.", f"{noun.name} {verb.name}"
