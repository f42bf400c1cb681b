"""What the README and the changelog say is what the program does."""

import re
import shlex
from pathlib import Path

import pytest
from front_door import FrontDoor

from alovoice_cli import __version__
from alovoice_cli.commands.command_table import NOUNS
from alovoice_cli.commands.command_tree import full_tree

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
CI = (ROOT / ".ci" / "run").read_text("utf-8")
COMMANDS = re.findall(r"^    \$ (alovoice (?:.*\\\n)*.*)$", README, re.MULTILINE)


def _leaf(words: list[str]) -> tuple[object, list[str]]:
    command, rest = full_tree(), words
    while rest and rest[0] in getattr(command, "commands", {}):
        command, rest = command.commands[rest[0]], rest[1:]
    return command, rest


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_of_the_readme_exists_with_its_options(line: str) -> None:
    words = shlex.split(line.partition(" | ")[0].replace("\\\n", " "))[1:]
    while words[0] == "-p":
        words = words[2:]
    command, rest = _leaf(words)
    is_group = hasattr(command, "commands") and not command.invoke_without_command  # type: ignore[attr-defined]
    assert not is_group, f"{line} names no command"
    known = {flag for param in command.params for flag in (*param.opts, *param.secondary_opts)}  # type: ignore[attr-defined]
    assert {word for word in rest if re.fullmatch(r"--?[a-zA-Z][\w-]*", word)} <= known


def test_the_readme_shows_what_the_sandbox_answers(alovoice: FrontDoor) -> None:
    alovoice("config", "use", "sandbox")
    shown = alovoice("trunks", terminal=True, environ={"NO_COLOR": "1"}).out
    assert [line.strip() for line in shown.splitlines()] == ["Line", "─" * 9, *_lines_of("alovoice trunks", 4, after=2)]
    csv = alovoice("peers", "--status", "on", "--columns", "number,extnumber", "--csv").out
    assert csv.splitlines() == _lines_of("alovoice peers --status on --columns number,extnumber --csv", 6)


def test_the_readme_shows_the_commands_of_the_sample(alovoice: FrontDoor) -> None:
    printed = alovoice("sandbox", "sample", "play").out.splitlines()
    pasted = " ".join(README.replace("\\\n", " ").split())
    assert len(printed) == 11
    assert [line for line in printed if line not in pasted] == []


def _lines_of(command: str, count: int, after: int = 0) -> list[str]:
    lines = [line.strip() for line in README.splitlines()]
    place = lines.index(f"$ {command}") + 1 + after
    return lines[place : place + count]


def test_ci_runs_the_lines_of_the_readme_and_no_others() -> None:
    lines = re.findall(r"^    (python3 -m venv .*)$", README, re.MULTILINE)
    assert [line.rpartition(" ")[2] for line in lines] == ["demo", "pytest"]
    assert CI.count("README.md)") == 2


def test_the_changelog_speaks_of_this_version() -> None:
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_every_noun_stands_in_the_readme() -> None:
    assert [
        noun.name for noun in NOUNS if f"alovoice {noun.name}" not in README and f"`{noun.name}" not in README
    ] == []


def test_the_exit_codes_of_the_readme_are_those_of_the_program() -> None:
    from alovoice_cli.errors import ExitCode

    told = {int(code) for row in re.findall(r"^\| \**([\d, ]+)\** \|", README, re.MULTILINE) for code in row.split(",")}
    assert told == {int(code) for code in ExitCode}


def test_contributing_says_why_each_dependency_is_here() -> None:
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    contributing = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    listed = project.partition("dependencies = [")[2].partition("]\n\n[project.scripts]")[0]
    names = set(re.findall(r'^  "([a-z-]+)', listed, re.MULTILINE))
    assert {name for name in names if name not in contributing} == set()
