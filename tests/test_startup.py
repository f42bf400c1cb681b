"""Start-up is a feature: what a command does not need is not loaded. What each *may* load is listed, so that a new
dependency shows at once."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from event_rows import Rows
from front_door import FrontDoor

_SHELL = {"typer", "annotated_doc", "shellingham", "alovoice_cli", "__main__"}
_HTTP = {"httpx", "httpcore", "h11", "anyio", "certifi", "idna", "sniffio", "typing_extensions"}
_HEAVY = {"asyncio", "sqlite3", "ssl", "uvicorn", "starlette", "rich", "pydantic", "click"}

_REPORT = """
import json, sys
sys.argv = ["alovoice", *json.loads(sys.argv[1])]
from alovoice_cli.__main__ import main
try:
    main()
except SystemExit:
    pass
sys.stdout.flush()
sys.stderr.write("\\n" + json.dumps(sorted(name for name, module in sys.modules.items() if module)))
"""


def _loaded(alovoice: FrontDoor, *words: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", _REPORT, json.dumps(words)],
        capture_output=True,
        text=True,
        env=alovoice.environ,
        cwd=alovoice.home,
        check=True,
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


def _foreign(modules: set[str]) -> set[str]:
    """Top-level packages that are neither Python's own nor private parts of an installation."""
    tops = {name.partition(".")[0] for name in modules}
    return {name for name in tops - set(sys.stdlib_module_names) if not name.startswith(("_", "sitecustomize"))}


def test_version_loads_nothing_but_itself(alovoice: FrontDoor) -> None:
    modules = _loaded(alovoice, "--version")
    assert _foreign(modules) == {"alovoice_cli"}
    assert {name for name in modules if name.startswith("alovoice_cli")} == {"alovoice_cli", "alovoice_cli.__main__"}


def test_a_completion_script_loads_nothing_but_its_place(alovoice: FrontDoor) -> None:
    modules = _loaded(alovoice, "completion", "bash")
    own = {"alovoice_cli", "alovoice_cli.__main__", "alovoice_cli.reference"}
    assert {name for name in modules if name.startswith("alovoice_cli")} == own
    assert _foreign(modules) == {"alovoice_cli"}


def test_help_makes_no_dataclass_and_loads_no_display(alovoice: FrontDoor) -> None:
    unneeded = {"dataclasses", "csv", "alovoice_cli.masking", "alovoice_cli.output.display"}
    assert not _loaded(alovoice, "--help") & unneeded


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        *((noun, "--help") for noun in ("trunks", "call", "ai", "autorule", "events", "listen", "day", "top")),
    ],
)
def test_help_in_a_pipe_loads_the_command_tree_alone(alovoice: FrontDoor, words: tuple[str, ...]) -> None:
    modules = _loaded(alovoice, *words)
    assert _foreign(modules) <= _SHELL
    assert not modules & _HEAVY


def test_help_loads_no_noun_that_is_not_named(alovoice: FrontDoor) -> None:
    commands = {name for name in _loaded(alovoice, "trunks", "--help") if name.startswith("alovoice_cli.commands.")}
    assert {name.removeprefix("alovoice_cli.commands.") for name in commands} == {
        "command_classes",
        "command_table",
        "command_tree",
        "global_options",
        "help_page",
        "options",
        "trunks",
        "used_options",
    }


@pytest.mark.parametrize(
    ("words", "loaded"),
    [
        (("-p", "sandbox", "trunks", "--help"), {"trunks"}),
        (("--profile=sandbox", "events", "-p", "demo", "prune", "--help"), {"events", "events.prune"}),
    ],
)
def test_an_options_value_names_no_noun_and_a_group_loads_one_verb(
    alovoice: FrontDoor, words: tuple[str, ...], loaded: set[str]
) -> None:
    begin = "alovoice_cli.commands."
    commands = {name.removeprefix(begin) for name in _loaded(alovoice, *words) if name.startswith(begin)}
    shared = {
        "command_classes",
        "command_table",
        "command_tree",
        "global_options",
        "help_page",
        "options",
        "used_options",
    }
    assert commands - shared - {"events.selection"} == loaded


def test_the_days_of_one_country_import_no_other(alovoice: FrontDoor) -> None:
    rules = alovoice.home / "rules.toml"
    rules.write_text('[hours]\nholidays = "UZ"\n', "utf-8")
    modules = _loaded(alovoice, "route", "check", str(rules))
    assert {name for name in modules if name.startswith("holidays.countries.")} == {"holidays.countries.uzbekistan"}
    assert not modules & {"importlib.metadata", "_hashlib"}  # the packages' metadata, OpenSSL


def test_a_read_over_http_loads_neither_tls_nor_sql_nor_rich(alovoice: FrontDoor) -> None:
    alovoice.environ["ALOVOICE_BASE_URL"] = "http://127.0.0.1:1"
    alovoice.environ["ALOVOICE_TOKEN"] = "t"
    modules = _loaded(alovoice, "trunks", "--json", "--timeout", "0.2")
    assert _foreign(modules) <= _SHELL | _HTTP
    # httpx itself imports ssl; what costs is a context, which only https makes.
    assert not modules & (_HEAVY - {"ssl"})
    assert not modules & {"tomllib", "csv", "secrets", "shlex"}


@pytest.mark.parametrize("more", [("--dry-run",), ("--timeout", "0.2")])
def test_a_single_call_loads_neither_batches_nor_events(alovoice: FrontDoor, more: tuple[str, ...]) -> None:
    alovoice.environ["ALOVOICE_BASE_URL"] = "http://127.0.0.1:1"
    alovoice.environ["ALOVOICE_TOKEN"] = "t"
    modules = _loaded(alovoice, "call", "out", "--night-ok", "--from", "101", "--to", "998901234567", *more)
    own = {name for name in modules if name.startswith("alovoice_cli")}
    rooms = {name.split(".")[1] for name in own if "." in name}
    assert not rooms & {"campaigns", "events", "listening", "routing", "sandbox", "serving", "speech"}
    assert {name for name in own if name.startswith("alovoice_cli.batch.")} == {"alovoice_cli.batch.options"}
    assert len(own) <= 64
    # No data of telephone plans for a plain number, no data of time zones for a plain offset.
    assert not modules & {"phonenumbers", "zoneinfo", "rich", "uvicorn"}


@pytest.mark.parametrize("words", [("day",), ("day", "--text"), ("day", "--json"), ("top", "--once")])
def test_a_day_in_a_pipe_loads_neither_rich_nor_speech_nor_a_client(
    alovoice: FrontDoor, words: tuple[str, ...]
) -> None:
    Rows(alovoice.home / "state" / "events.db")
    modules = _loaded(alovoice, *words)
    rooms = {name.split(".")[1] for name in modules if name.startswith("alovoice_cli.")}
    assert not rooms & {"api", "batch", "campaigns", "listening", "routing", "sandbox", "serving", "speech"}
    assert not modules & {"rich", "httpx", "pygal", "phonenumbers", "zoneinfo", "alovoice_cli.html_page"}


def test_config_loads_no_client(alovoice: FrontDoor) -> None:
    modules = _loaded(alovoice, "config", "list", "--json")
    assert not modules & _HEAVY
    assert "httpx" not in modules


def test_the_module_is_the_program_too(alovoice: FrontDoor) -> None:
    assert alovoice.process("--version").stdout.startswith(b"alovoice ")
    assert Path(sys.executable).with_name("alovoice").exists()
