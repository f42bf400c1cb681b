"""The PowerShell script says what the tree says, in a form that every PowerShell reads; and TAB where there is one."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from alovoice_cli.commands.command_tree import full_tree
from alovoice_cli.reference.powershell import write_powershell
from alovoice_cli.reference.tree import Command, common_options, own_options, read_tree

_ENTRY = re.compile(r"^ {12}'([^']+)' = @\{\n((?: {16,}.*\n)*) {12}\}$", re.MULTILINE)
_LIST = re.compile(r"^ {16}([coa]) = @\(\n((?: {20}'.*'\n)+) {16}\)$", re.MULTILINE)


@pytest.fixture(scope="module", params=["toy", "real"])
def tree(request: pytest.FixtureRequest) -> Command:
    toy: Command = request.getfixturevalue("toy")
    return toy if request.param == "toy" else read_tree(full_tree())


def _texts(body: str) -> list[str]:
    """The strings as PowerShell reads them: taken literally, a doubled quote is one."""
    lines = [line.strip() for line in body.splitlines()]
    assert all(re.fullmatch(r"'(?:[^']|'')*'", line) for line in lines)
    return [line[1:-1].replace("''", "'") for line in lines]


def _entries(script: str) -> dict[str, dict[str, list[str]]]:
    return {path: {name: _texts(lines) for name, lines in _LIST.findall(body)} for path, body in _ENTRY.findall(script)}


def test_it_holds_every_command_with_its_commands_options_and_arguments(tree: Command) -> None:
    entries, common = _entries(write_powershell(tree)), common_options(tree)
    assert list(entries) == [" ".join(command.path) for command in tree.walk()]
    for command in tree.walk():
        told = entries[" ".join(command.path)]
        assert [line.partition("|")[0] for line in told.get("c", [])] == [below.name for below in command.shown]
        own = own_options(command, common)
        assert [tuple(line.split("|")[0].split(" ")) for line in told.get("o", [])] == [one.flags for one in own]
        for line, option in zip(told.get("o", []), own, strict=True):
            kind = line.split("|", 2)[1]
            assert kind == (f"choice:{' '.join(option.choices)}" if option.choices else option.kind)
        kinds = [] if command.shown else [one.repeatable for one in command.arguments]
        assert [kind.startswith("*") for kind in told.get("a", [])] == kinds


def test_it_is_ascii_with_literal_strings_for_the_oldest_powershell(tree: Command) -> None:
    script = write_powershell(tree)
    assert script.isascii()
    assert not re.search(r"@[A-Z_]+@", script)


def test_the_keys_of_config_and_the_profiles_that_always_exist_are_offered() -> None:
    script = write_powershell(read_tree(full_tree()))
    (kind, *_) = _entries(script)["alovoice config set"]["a"]
    assert {"timeout", "listen.forward"} <= set(kind.removeprefix("choice:").split(" "))
    assert "    'default', 'sandbox'\n" in script


@pytest.mark.skipif(shutil.which("pwsh") is None, reason="PowerShell is not installed")
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("alovoice tr", ["trunks"]),
        ("alovoice -p t", ["tashkent"]),
        ("alovoice autorule create --encoding ", ["json", "form", "vendor-curl"]),
        ("alovoice autorule create --encoding=v", ["--encoding=vendor-curl"]),
        ("alovoice autorule create --recip", ["--recipient"]),
        ("alovoice trunks -- --js", []),
        ("alovoice autorule get ", []),
    ],
)
def test_tab_in_a_real_powershell(line: str, offered: list[str], scripts: Path, desk: Path) -> None:
    asked = (
        f". '{scripts / 'alovoice.ps1'}'; $line = {json.dumps(line)}; "
        "ConvertTo-Json @((TabExpansion2 $line $line.Length).CompletionMatches.CompletionText)"
    )
    environ = {"HOME": str(desk.parent), "PATH": "/usr/bin:/bin", "ALOVOICE_CONFIG_DIR": str(desk.parent / "config")}
    done = subprocess.run(
        [str(shutil.which("pwsh")), "-NoProfile", "-Command", asked], env=environ, capture_output=True, check=True
    )
    assert [text for text in json.loads(done.stdout) if text] == offered
