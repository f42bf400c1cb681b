"""What the package installs is what the command line is, and completes it in each shell."""

from pathlib import Path
from typing import Any

import pytest

from alovoice_cli import __version__
from alovoice_cli.commands.command_tree import full_tree
from alovoice_cli.reference.tree import Command, read_tree
from alovoice_cli.reference_pages import write_reference

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tree() -> Command:
    return read_tree(full_tree())


@pytest.fixture(scope="module")
def scripts(tree: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real scripts, before the toy's."""
    directory = tmp_path_factory.mktemp("reference")
    write_reference(tree, __version__, directory)
    return directory / "completions"


@pytest.fixture(params=["bash", "zsh", "fish"])
def shell(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("folder", ["completions", "man"])
def test_the_committed_files_are_fresh(scripts: Path, folder: str) -> None:
    fresh = {path.name: path.read_bytes() for path in (scripts.parent / folder).iterdir()}
    committed = {path.name: path.read_bytes() for path in (ROOT / folder).iterdir()}
    assert sorted(committed) == sorted(fresh), "run: python -m alovoice_cli.reference_pages"
    stale = [name for name in fresh if committed[name] != fresh[name]]
    assert stale == [], "run: python -m alovoice_cli.reference_pages"


def test_pages_of_commands_that_are_gone_are_removed(tree: Command, tmp_path: Path) -> None:
    (tmp_path / "man").mkdir()
    (tmp_path / "man" / "alovoice-gone.1").touch()
    write_reference(tree, __version__, tmp_path)
    assert not (tmp_path / "man" / "alovoice-gone.1").exists()


def test_every_group_offers_its_commands(shell: Any, tree: Command) -> None:
    for command in tree.walk():
        if command.shown:
            assert shell(" ".join(command.path) + " ") == sorted(below.name for below in command.shown)


def test_the_main_job_is_completed(shell: Any) -> None:
    assert set(shell("alovoice autorule create --rec")) == {"--record", "--recipients", "--recipient"}
    assert "hello.mp3" in shell("alovoice -p sandbox autorule create --trunks all --record hel")
    assert shell("alovoice config use sa") == ["samarkand", "sandbox"]
    assert shell("alovoice completion f") == ["fish"]
    assert shell("alovoice -p d") == ["default"]


def test_config_completes_its_keys(shell: Any) -> None:
    for verb in ("get", "set", "unset"):
        assert shell(f"alovoice config {verb} time") == ["timeout", "timezone"]
        assert "listen.forward-header" in shell(f"alovoice config {verb} listen.forw")
    assert "notify.telegram.api_url" in shell("alovoice config set notify.")
    assert [offer for offer in shell("alovoice config set timeout ") if not offer.startswith("-")] == []


def test_every_command_has_help_and_an_example_in_its_page(tree: Command) -> None:
    for command in tree.walk():
        assert command.summary, command.path
        assert command.shown or command.examples, command.path
