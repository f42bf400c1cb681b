"""The command tree for machines says what the command line is, and what each command does to the PBX."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from alovoice_cli.commands.command_effects import COMMAND_EFFECTS, UNKNOWN_OUTCOMES
from alovoice_cli.commands.command_tree import full_tree
from alovoice_cli.errors import ExitCode, UsageError
from alovoice_cli.reference.machine_tree import as_json


@pytest.fixture(scope="module")
def tree() -> Any:
    return json.loads(json.dumps(as_json()))


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    for below in node["commands"]:
        yield from _nodes(below)


def _typer_leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    below = getattr(command, "commands", {})
    if not below or command.invoke_without_command:
        yield " ".join(path), command
    for name, inner in below.items():
        yield from _typer_leaves(inner, (*path, name))


def test_every_command_has_an_effect_and_no_effect_is_without_its_command(tree: Any) -> None:
    with_effect = {node["path"].removeprefix("alovoice ") for node in _nodes(tree["command"]) if "effect" in node}
    assert with_effect == set(COMMAND_EFFECTS) == {name for name, _ in _typer_leaves(full_tree())}


def test_only_what_dials_creates_or_costs_may_end_unknown_and_the_look_for_a_call(tree: Any) -> None:
    unknown = {node["path"]: node["effect"] for node in _nodes(tree["command"]) if node.get("may_end_unknown")}
    assert {path.removeprefix("alovoice ") for path in unknown} == UNKNOWN_OUTCOMES
    assert {path for path, effect in unknown.items() if effect in ("reads", "local")} == {"alovoice call resolve"}


def test_every_option_of_every_command_stands_in_the_tree_with_its_spellings(tree: Any) -> None:
    everywhere = {flag for option in tree["global_options"] for flag in option["flags"]}
    nodes = {node["path"]: node for node in _nodes(tree["command"])}
    for name, command in _typer_leaves(full_tree()):
        told = {flag for option in nodes[f"alovoice {name}"]["options"] for flag in option["flags"]}
        shown = [param for param in command.params if not getattr(param, "hidden", False)]
        real = {flag for param in shown for flag in (*param.opts, *param.secondary_opts) if flag.startswith("-")}
        assert real <= told | everywhere, name


def _told(*words: str) -> Any:
    return as_json(words)["command"]


def test_words_have_the_types_bounds_choices_and_defaults_that_the_commands_hold_them_to() -> None:
    options = {one["name"]: one for one in _told("autorule", "create")["options"]}
    types = {name: options[name]["type"] for name in ("--record", "--maxline", "--night-ok", "--name")}
    assert types == {"--record": "file", "--maxline": "integer", "--night-ok": "boolean", "--name": "text"}
    assert options["--night-ok"]["default"] is False
    (shell,) = _told("completion")["arguments"]
    assert (shell["type"], shell["required"]) == ("choice", True)
    assert {"bash", "zsh", "fish"} <= set(shell["choices"])
    bar = next(one for one in _told("ai", "score")["options"] if one["name"] == "--fail-under")
    assert (bar["type"], bar["minimum"], bar["maximum"]) == ("number", 0, 100)
    limit = next(one for one in _told("events", "list")["options"] if one["name"] == "--limit")
    assert limit["default"] == 50


def test_only_exit_code_six_forbids_the_same_line(tree: Any) -> None:
    assert [row["code"] for row in tree["exit_codes"]] == [int(code) for code in ExitCode]
    assert [row["code"] for row in tree["exit_codes"] if not row["retry_safe"]] == [6]
    kinds = {row["code"]: row["kind"] for row in tree["exit_codes"]}
    assert (kinds[2], kinds[6], kinds[8]) == ("usage", "unknown_outcome", "check_failed")


def test_words_choose_the_command_and_wrong_words_are_answered_with_the_likeliest() -> None:
    chosen = _told("call", "batches")
    assert chosen["path"] == "alovoice call batches"
    assert [below["name"] for below in chosen["commands"]] == ["list", "show", "resume", "forget"]
    with pytest.raises(UsageError) as wrong:
        as_json(("call", "batchs"))
    assert "did you mean batches?" in wrong.value.hint
