"""`alovoice skill`: the page for AI agents, made of the command tree."""

import re
from typing import Any

import pytest
from front_door import FrontDoor

from alovoice_cli.commands.command_effects import COMMAND_EFFECTS, UNKNOWN_OUTCOMES
from alovoice_cli.reference.agent_page import write_agent_page
from alovoice_cli.reference.machine_tree import as_json


@pytest.fixture(scope="module")
def tree() -> dict[str, Any]:
    return as_json()


def test_the_page_fits_an_agents_attention_and_begins_with_the_law(alovoice: FrontDoor) -> None:
    page = alovoice("skill").out
    assert len(page.splitlines()) <= 150
    head = page.partition("## Rules")[0]
    assert "After exit code 6 never run the same line again. Look first." in head
    assert all(f"`{name}`" in head for name in UNKNOWN_OUTCOMES)


def test_every_command_stands_on_the_page_under_its_effect(alovoice: FrontDoor) -> None:
    page = alovoice("skill").out
    for effect, body in re.findall(r"^### (\w+): .*\n\n((?:- .*\n)+)", page, re.MULTILINE):
        told = {line.partition("`: ")[0].removeprefix("- `") for line in body.splitlines()}
        named = {max((name for name in COMMAND_EFFECTS if f"{line} ".startswith(f"{name} ")), key=len) for line in told}
        assert len(named) == len(told)
        assert named == {name for name, of in COMMAND_EFFECTS.items() if of == effect}


def test_the_page_is_made_of_the_tree(tree: dict[str, Any]) -> None:
    below = tree["command"]["commands"]
    made_up = {
        **next(one for one in below if one["name"] == "trunks"),
        "path": "alovoice sing",
        "summary": "Sing a song",
        "effect": "creates",
        "may_end_unknown": True,
    }
    page = write_agent_page({**tree, "command": {**tree["command"], "commands": [*below, made_up]}})
    assert "- `sing`: Sing a song." in page.partition("### creates")[2].partition("###")[0]
    assert "`sing`" in page.partition("## Rules")[0]


def test_every_option_that_the_page_forbids_or_orders_exists(alovoice: FrontDoor, tree: dict[str, Any]) -> None:
    rules = alovoice("skill").out.partition("## Exit codes")[0]
    known = set(re.findall(r'"(--[a-z-]+)"', str(tree).replace("'", '"'))) | {"--help", "--version"}
    assert set(re.findall(r"`(--[a-z-]+)", rules)) <= known


def test_the_page_is_installed_over_an_older_one_and_over_nothing_else(alovoice: FrontDoor) -> None:
    installed = alovoice.home / "skills" / "alovoice" / "SKILL.md"
    assert "would be written" in alovoice("skill", "--install", "skills", "--dry-run").err
    assert not installed.exists()
    for _ in range(2):
        done = alovoice("skill", "--install", "skills")
        assert (done.code, done.out) == (0, "")
        assert f"written: {installed.relative_to(alovoice.home)}" in done.err
        assert installed.read_text("utf-8") == alovoice("skill").out
    installed.write_text("mine", "utf-8")
    refused = alovoice("skill", "--install", "skills")
    assert (refused.code, installed.read_text("utf-8")) == (2, "mine")
    assert "stays as it is" in refused.err
    (alovoice.home / "file").touch()
    assert alovoice("skill", "--install", "file").code == 2
