"""What the pages and the changelog say is what the program does."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from documentation_sessions import PAGES, ROOT, TESTED_ELSEWHERE, blocks, difference, rewritten
from front_door import FrontDoor

from alovoice_cli import __version__
from alovoice_cli.commands.command_table import NOUNS
from alovoice_cli.commands.command_tree import full_tree

TEXTS = {page.name: page.read_text("utf-8") for page in PAGES}
README = TEXTS["README.md"]
CI = (ROOT / ".ci" / "run").read_text("utf-8")
TOURS = tuple(name for name in TEXTS if name.startswith("README"))
COMMANDS = [
    command
    for text in TEXTS.values()
    for _, block in blocks(text)
    for command in block.commands
    if re.match(r"(\w+=\S+ )*alovoice ", command)
]


def _leaf(words: list[str]) -> tuple[object, list[str]]:
    command, rest = full_tree(), words
    while rest and rest[0] in getattr(command, "commands", {}):
        command, rest = command.commands[rest[0]], rest[1:]
    return command, rest


def test_every_shown_command_exists_with_its_options() -> None:
    for line in COMMANDS:
        _find_with_options(line)


def _find_with_options(line: str) -> None:
    words = shlex.split(re.split(r" [|>] ", line.replace("\\\n", " "))[0])
    words = words[words.index("alovoice") + 1 :]
    while words[0].startswith("-"):
        words = words[2 if words[0] in ("-p", "--lang") else 1 :]
    command, rest = _leaf(words)
    is_group = hasattr(command, "commands") and not command.invoke_without_command  # type: ignore[attr-defined] # a Click group
    assert not is_group, f"{line} names no command"
    known = {flag for param in command.params for flag in (*param.opts, *param.secondary_opts)}  # type: ignore[attr-defined] # a Click command
    everywhere = {flag for param in full_tree().params for flag in param.opts}
    assert {word for word in rest if re.fullmatch(r"--?[a-zA-Z][\w-]*", word)} <= known | everywhere, line


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name not in TESTED_ELSEWHERE], ids=lambda page: page.name
)
def test_a_page_shows_what_its_commands_print(page: Path, alovoice: FrontDoor) -> None:
    found = difference(page, rewritten(TEXTS[page.name], alovoice))
    assert not found, f"run `python tests/documentation_sessions.py`:\n{found}"


def test_a_wrong_output_is_put_right(alovoice: FrontDoor) -> None:
    page = "Text\n\n    $ alovoice version\n    alovoice 0\n\nMore\n"
    assert rewritten(page, alovoice) == page.replace("alovoice 0", f"alovoice {__version__}")


def test_what_chance_alone_changed_stays_as_it_was(alovoice: FrontDoor) -> None:
    command = "alovoice -p sandbox call out --inner-phone 2424 --number 901234567"
    page = f"<!-- chance: receipt, call id -->\n\n    $ {command}\n"
    first = rewritten(page, alovoice)
    assert "R-" in first
    assert rewritten(first, FrontDoor(alovoice.home, {**alovoice.environ, "ALOVOICE_STATE_DIR": "other"})) == first


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_is_not_run_says_why(page: Path) -> None:
    reasons = [block.notes["not run"] for _, block in blocks(TEXTS[page.name]) if "not run" in block.notes]
    assert all(len(reason.split()) > 2 for reason in reasons)


def test_the_readme_shows_the_commands_of_the_sample(alovoice: FrontDoor) -> None:
    printed = alovoice("sandbox", "sample", "play").out.splitlines()
    assert len(printed) == 11
    for name in TOURS:
        pasted = " ".join(TEXTS[name].replace("\\\n", " ").split())
        assert [line for line in printed if line not in pasted] == [], name


@pytest.mark.parametrize("name", [TOURS[0], *(pytest.param(name, marks=pytest.mark.soak) for name in TOURS[1:])])
def test_the_pasted_lines_work_in_a_fresh_account(name: str, tmp_path: Path) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environ = {"HOME": str(tmp_path), "PATH": path, "TERM": "dumb"}
    (pasted,) = [block for _, block in blocks(TEXTS[name]) if block.is_pasted and len(block.commands) > 10]
    completion = re.findall(r"^    (mkdir -p .*alovoice completion .*)$", TEXTS[name], re.MULTILINE)
    lines = "\n".join([*pasted.lines, *completion])
    done = subprocess.run(["bash", "-e", "-c", lines], env=environ, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "completion.bash" in (tmp_path / ".bashrc").read_text()


@pytest.mark.parametrize("name", TOURS)
def test_a_tour_is_short_and_its_set_up_lines_are_the_same(name: str) -> None:
    assert len(TEXTS[name].splitlines()) <= 150
    lines = re.findall(r"^    (python3 -m venv .*)$", TEXTS[name], re.MULTILINE)
    assert lines == re.findall(r"^    (python3 -m venv .*)$", README, re.MULTILINE)


def test_ci_runs_the_lines_of_the_readme_and_no_others() -> None:
    lines = re.findall(r"^    (python3 -m venv .*)$", README, re.MULTILINE)
    assert [line.rpartition(" ")[2] for line in lines] == ["demo", "pytest"]
    assert CI.count("README.md)") == 2


def test_the_changelog_speaks_of_this_version() -> None:
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_every_noun_stands_on_a_page() -> None:
    everything = "\n".join(TEXTS.values())
    assert [noun.name for noun in NOUNS if not re.search(rf"alovoice (-p \w+ )?{noun.name}\b", everything)] == []


def test_every_page_is_linked_from_the_readme() -> None:
    assert [page.name for page in PAGES if page.parent != ROOT and f"(docs/{page.name})" not in README] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_of_a_page_leads_to_a_file(page: Path) -> None:
    targets = [target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]*)\)", TEXTS[page.name])]
    relative = [target for target in targets if target and not re.match(r"[a-z]+:", target)]
    assert [target for target in relative if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("name", TOURS)
def test_the_exit_codes_of_a_tour_are_those_of_the_program(name: str) -> None:
    from alovoice_cli.errors import ExitCode

    rows = re.findall(r"^\| \**([\d, ]+)\** \|", TEXTS[name], re.MULTILINE)
    assert {int(code) for row in rows for code in row.split(",")} == {int(code) for code in ExitCode}


def test_contributing_says_why_each_dependency_is_here() -> None:
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    contributing = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    listed = project.partition("dependencies = [")[2].partition("]\n\n[project.scripts]")[0]
    names = set(re.findall(r'^  "([\w-]+)', listed, re.MULTILINE)) | {"babel", "hatchling"}
    assert {name for name in names if not re.search(rf"(?<![\w-]){name}(?![\w-])", contributing)} == set()
