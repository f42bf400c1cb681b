"""Where configuration and state live, by the environment that was given."""

import os
import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest

from alovoice_cli.config.paths import Paths
from alovoice_cli.errors import UsageError

on_xdg = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the system has another rule")


def test_the_variables_of_the_program_win() -> None:
    paths = Paths.from_environ({"ALOVOICE_CONFIG_DIR": "/a/b", "ALOVOICE_STATE_DIR": "/c", "XDG_CONFIG_HOME": "/x"})
    assert (paths.config_file, paths.tokens_file) == (Path("/a/b/config.toml"), Path("/a/b/tokens.toml"))
    assert paths.state == Path("/c")


def test_a_relative_directory_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Paths.from_environ({"ALOVOICE_CONFIG_DIR": "conf", "HOME": "/h"}).config == tmp_path / "conf"


@on_xdg
def test_the_given_environment_counts_not_that_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/elsewhere")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/elsewhere/too")
    paths = Paths.from_environ({"HOME": "/h"})
    assert (paths.config, paths.state) == (Path("/h/.config/alovoice"), Path("/h/.local/state/alovoice"))
    assert paths.home == Path("/h")


@on_xdg
@pytest.mark.parametrize("named", [{}, {"XDG_CONFIG_HOME": "/x/c", "XDG_STATE_HOME": "/x/s"}])
def test_the_directories_are_those_of_platformdirs(monkeypatch: pytest.MonkeyPatch, named: dict[str, str]) -> None:
    environ = {"HOME": "/h", **named}
    for variable in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environ.items():
        monkeypatch.setenv(variable, value)
    paths = Paths.from_environ(environ)
    assert paths.config == platformdirs.user_config_path("alovoice", appauthor=False)
    assert paths.state == platformdirs.user_state_path("alovoice", appauthor=False)


@on_xdg
def test_a_relative_xdg_directory_is_ignored() -> None:
    assert Paths.from_environ({"HOME": "/h", "XDG_CONFIG_HOME": "conf"}).config == Path("/h/.config/alovoice")


@on_xdg
def test_without_a_home_the_user_database_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    pwd = pytest.importorskip("pwd")
    monkeypatch.delenv("HOME")
    assert Paths.from_environ({}).home == Path(pwd.getpwuid(os.getuid()).pw_dir)


@on_xdg
def test_without_any_home_the_error_names_the_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    with pytest.raises(UsageError, match="no home directory") as caught:
        Paths.from_environ({})
    assert "ALOVOICE_CONFIG_DIR" in caught.value.hint


@on_xdg
def test_finding_the_directories_loads_no_library_for_it() -> None:
    script = (
        "import sys; from alovoice_cli.config.paths import Paths; Paths.from_environ({'HOME': '/h'});"
        "import alovoice_cli.config.settings;"
        "print(sorted({'platformdirs', 'tomlkit', 'tomli_w', 'filelock', 'sqlite3', 'zoneinfo'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
