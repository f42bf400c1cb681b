"""A config.toml that others may change runs no command; a file of absurd size or depth costs nothing."""

import json
import os
import resource
from pathlib import Path

import pytest
from front_door import TOKEN, FrontDoor
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.config.paths import Paths, find_open_places
from alovoice_cli.config.toml_files import complain, parse_toml
from alovoice_cli.errors import BadConfigError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes and owners are POSIX's")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
STRANGER = 12345
STATUS = ("status", "--offline", "--json", "-p", "a")


@pytest.fixture
def config(alovoice: FrontDoor) -> Path:
    """A config.toml whose token command leaves a trace."""
    path = alovoice.home / "config" / "config.toml"
    path.parent.mkdir(mode=0o700)
    command = f"sh -c 'touch {alovoice.home}/ran; echo {TOKEN}'"
    path.write_text(f"[profiles.a]\ntoken_command = {json.dumps(command)}\n")
    path.chmod(0o600)
    return path


def _ran(home: FrontDoor) -> bool:
    return (home.home / "ran").exists()


@pytest.mark.parametrize(("place", "mode"), [("file", 0o666), ("file", 0o620), ("directory", 0o777), ("home", 0o777)])
def test_what_others_may_write_runs_no_command(alovoice: FrontDoor, config: Path, place: str, mode: int) -> None:
    opened = {"file": config, "directory": config.parent, "home": alovoice.home}[place]
    old = opened.stat().st_mode
    opened.chmod(mode)
    for words in (STATUS, ("trunks", "-p", "a"), ("login", "-p", "a", "--token-command", f"touch {alovoice.home}/ran")):
        result = alovoice(*words)
        assert result.code == 2, result.err
        assert str(opened) in result.err
        assert f"(mode {mode:04o}, owner" in result.err
        assert f"chmod go-w {opened}" in result.err
        assert not _ran(alovoice)
    assert json.loads(alovoice(*STATUS).out)["token_from"] == "token_command"
    opened.chmod(old)
    assert alovoice(*STATUS).code == 0
    assert _ran(alovoice)


@pytest.mark.parametrize("how", ["flag", "environment"])
def test_the_check_can_be_turned_off(alovoice: FrontDoor, config: Path, how: str) -> None:
    config.chmod(0o666)
    words, environ = ((*STATUS, "--no-permission-check"), {}) if how == "flag" else (STATUS, {})
    if how == "environment":
        environ = {"ALOVOICE_NO_PERMISSION_CHECK": "1"}
    result = alovoice(*words, environ=environ)
    assert (result.code, result.err, _ran(alovoice)) == (0, "", True)


def test_without_a_command_it_is_a_warning(alovoice: FrontDoor, config: Path) -> None:
    config.chmod(0o666)
    result = alovoice(*STATUS, environ={"ALOVOICE_TOKEN": TOKEN})
    assert result.code == 0, result.err
    assert "warning" in result.err
    assert f"chmod go-w {config}" in result.err


@as_root
@pytest.mark.parametrize("place", ["file", "directory", "link", "target"])
def test_what_belongs_to_another_user_runs_no_command(alovoice: FrontDoor, config: Path, place: str) -> None:
    target = alovoice.home / "dotfiles" / "alovoice.toml"
    if place in ("link", "target"):
        target.parent.mkdir(mode=0o700)
        config.rename(target)
        config.symlink_to(target)
        assert alovoice(*STATUS).code == 0, "a link of one's own is followed"
        (alovoice.home / "ran").unlink()
    given = {"file": config, "directory": config.parent, "link": config, "target": target}[place]
    os.chown(given, STRANGER, -1, follow_symlinks=False)
    result = alovoice(*STATUS)
    assert (result.code, _ran(alovoice)) == (2, False), result.err
    assert f"{given} belongs to another user" in result.err
    assert f"owner {STRANGER}" in result.err
    assert f"chmod go-w {given}" in result.err


@as_root
def test_a_sticky_directory_is_trusted_above_ones_own_and_a_users_directory_is_not_by_root(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    mine = shared / "config"
    mine.mkdir(mode=0o755)
    (mine / "config.toml").write_text("")
    assert find_open_places(Paths(mine, mine)) == []
    os.chown(mine, STRANGER, -1)
    assert [place.path for place in find_open_places(Paths(mine, mine))] == [mine], "root runs on a user's directory"
    shared.chmod(0o777)
    assert shared in [place.path for place in find_open_places(Paths(mine, mine))]


def test_an_open_directory_behind_a_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "open" / "deep").mkdir(mode=0o700)
    (tmp_path / "config").symlink_to("open/../open/deep")
    paths = Paths(tmp_path / "config", tmp_path)
    assert {place.path for place in find_open_places(paths)} == {tmp_path / "open"}


# --- size and depth --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["a." * 16_000 + "a = 1\n", "#\n" * 16_000, "x = " + "[" * 16_000, 'profile = "' + "a" * 8_000 + '"\n'],
    ids=["dotted key", "comment lines", "nested", "long value"],
)
def test_a_pin_of_more_than_4_kb_is_not_read(alovoice: FrontDoor, text: str) -> None:
    (alovoice.home / ".alovoice.toml").write_text(text)
    result = alovoice("config", "get", "timeout")
    assert result.code == 2
    assert ".alovoice.toml is larger than 4 kB" in result.err
    assert 'profile = "NAME"' in result.err


@pytest.mark.parametrize(
    "text",
    [
        "a." * 2_040 + "a = 1\n",
        "#\n" * 2_040 + "token = 1\n",
        "x = " + "[" * 2_000 + "]" * 2_000,
        "x = " + "{a = " * 800,
        'x = """' + "\n" * 4_000 + '"""\n',
        "a" * 4_000 + " = 1\n",
    ],
    ids=["dotted key", "comment lines", "nested", "tables", "lines in a value", "long key"],
)
def test_a_pin_of_4_kb_is_judged_at_once_and_in_a_short_sentence(alovoice: FrontDoor, text: str) -> None:
    (alovoice.home / ".alovoice.toml").write_text(text)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    result = alovoice("config", "get", "timeout")
    assert result.code == 2
    assert len(result.err) < 500
    assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - used < 5, "CPU seconds"


@pytest.mark.parametrize("name", ["config.toml", "tokens.toml"])
@pytest.mark.parametrize("kind", ["sparse", "dotted", "lines"])
def test_files_of_ours_of_absurd_size_or_depth_are_refused(alovoice: FrontDoor, name: str, kind: str) -> None:
    path = alovoice.home / "config" / name
    path.parent.mkdir(mode=0o700)
    with path.open("w") as file:
        file.write({"sparse": "", "dotted": "a." * 30_000 + "a = 1", "lines": "#\n" * 100_000 + "nonsense = 1\n"}[kind])
        if kind == "sparse":
            file.truncate(1 << 36)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    result = alovoice("trunks")
    assert result.code == 2, result.err
    assert name in result.err
    assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - used < 10, "CPU seconds"


@given(st.lists(st.sampled_from(["# a", "", "b = 1", "c = [", "1,", "]", '"d" = 2', "[e]", "e.f = 3"]), max_size=12))
@examples(200)
def test_the_line_of_a_key_is_the_first_that_makes_the_text_hold_it(lines: list[str]) -> None:
    text = "\n".join(lines)
    try:
        table = parse_toml(Path("x"), text)
    except BadConfigError:
        return
    for key in table:
        told = str(complain(Path("x"), text, [key], "trouble"))
        if key in ("b", "d"):
            assert f"line {lines.index('b = 1' if key == 'b' else chr(34) + 'd' + chr(34) + ' = 2') + 1}," in told
