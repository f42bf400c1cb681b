"""A project's `.alovoice.toml` says which profile is meant, and nothing else."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.config.profiles import Pin, find_pin
from alovoice_cli.errors import BadConfigError


@pytest.fixture
def project(tmp_path: Path) -> Path:
    project = tmp_path / "home" / "work" / "project"
    project.mkdir(parents=True)
    return project


def test_the_nearest_file_upwards_counts(project: Path, tmp_path: Path) -> None:
    (tmp_path / "home" / ".alovoice.toml").write_text('profile = "far"')
    (project.parent / ".alovoice.toml").write_text('profile = "near"')
    assert find_pin(project, tmp_path / "home") == Pin("near", project.parent / ".alovoice.toml")


def test_the_search_ends_at_home(project: Path, tmp_path: Path) -> None:
    (tmp_path / ".alovoice.toml").write_text('profile = "outside"')
    assert find_pin(project, tmp_path / "home") is None
    assert find_pin(project, None) == Pin("outside", tmp_path / ".alovoice.toml")


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ('profile = "a"\ntoken = "x"\n', "line 2, column 1: token is not allowed here"),
        ('base_url = "https://evil.example"\n', "line 1, column 1: base_url is not allowed here"),
        ('[profiles.a]\nbase_url = "https://evil.example"\n', "profiles is not allowed here"),
        ('profile = "../a"\n', "the file of a project contains"),
        ("profile = 5\n", "line 1, column 1: the file of a project contains"),
        ("", "the file of a project contains"),
        ("profile = \n", "line 1, column 11"),
    ],
)
def test_it_may_name_a_profile_and_nothing_else(project: Path, text: str, trouble: str) -> None:
    (project / ".alovoice.toml").write_text(text)
    with pytest.raises(BadConfigError, match=r"\.alovoice\.toml") as caught:
        find_pin(project, None)
    assert trouble in caught.value.message


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a file away")
def test_another_users_file_does_not_choose_the_pbx(project: Path) -> None:
    (project / ".alovoice.toml").write_text('profile = "a"')
    os.chown(project / ".alovoice.toml", 12345, -1)
    with pytest.raises(BadConfigError, match="another user"):
        find_pin(project, None)


@given(st.text(max_size=30) | st.sampled_from(["profile", "=", '"a"', "\n"]))
@examples(60)
def test_any_file_is_a_pin_or_a_named_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    project = tmp_path_factory.mktemp("project")
    (project / ".alovoice.toml").write_text(text, "utf-8", "backslashreplace")
    with pytest.raises(BadConfigError):
        find_pin(project, project)
