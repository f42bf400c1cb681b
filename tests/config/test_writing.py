"""Files of ours on the disk: private from the first byte, whole or not there, one writer at a time, no link followed
to somebody else's file."""

import os
import re
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from machine import needs_strace

from alovoice_cli.config import edits, toml_files
from alovoice_cli.config.edits import Login, keep_login
from alovoice_cli.config.paths import Paths
from alovoice_cli.config.profiles import read_config
from alovoice_cli.config.settings import known_profiles
from alovoice_cli.errors import BadConfigError, UsageError

SERVER = "https://cld.alovoice.uz"
TOKEN = "11111111-2222-3333-4444-555555555555"
on_posix = pytest.mark.skipif(os.name != "posix", reason="modes, links and forks are POSIX's")


@pytest.fixture
def umask() -> Iterator[Callable[[int], int]]:
    old = os.umask(0)
    yield os.umask
    os.umask(old)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@on_posix
@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_files_and_directories_are_private_whatever_the_umask(
    paths: Paths, umask: Callable[[int], int], mask: int
) -> None:
    umask(mask)
    edits.set_value(paths, "a.timeout", "5")
    keep_login(paths, Login("a", SERVER), TOKEN)
    assert {path.name: _mode(path) for path in paths.config.iterdir()} == {
        "config.toml": 0o600,
        "tokens.toml": 0o600,
        "config.lock": 0o600,
    }
    assert (_mode(paths.config), _mode(paths.config.parent)) == (0o700, 0o700)


@pytest.mark.floors
@on_posix
def test_a_wide_file_is_private_after_the_next_writing(paths: Paths) -> None:
    keep_login(paths, Login("a", SERVER), TOKEN)
    paths.tokens_file.chmod(0o644)
    keep_login(paths, Login("b", SERVER), TOKEN)
    assert _mode(paths.tokens_file) == 0o600


@needs_strace
def test_no_file_is_ever_created_wider_than_its_owner(paths: Paths, tmp_path: Path) -> None:
    script = (
        "import os, sys; os.umask(0); from pathlib import Path; from alovoice_cli.config.paths import Paths\n"
        "from alovoice_cli.config.edits import Login, keep_login\n"
        "paths = Paths(Path(sys.argv[1]), Path(sys.argv[1])); print('up', flush=True)\n"
        f"keep_login(paths, Login('a', '{SERVER}'), '{TOKEN}'); keep_login(paths, Login('b', '{SERVER}'), '{TOKEN}')\n"
    )
    trace = tmp_path / "trace"
    calls = "trace=open,openat,mkdir,mkdirat,rename,renameat,renameat2,fsync"
    done = subprocess.run(
        ["strace", "-f", "-y", "-e", calls, "-o", str(trace), sys.executable, "-c", script, str(paths.config)],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == b"up\n", done.stderr
    lines = [line for line in trace.read_text().splitlines() if str(paths.config) in line]
    modes = {int(mode, 8) for line in lines if "O_CREAT" in line for mode in re.findall(r", (0\d+)\)", line)}
    assert modes == {0o600}
    assert all(", 0700)" in line for line in lines if "mkdir" in line and "EEXIST" not in line)
    # Both the new bytes and the new name are on the disk before `login` says that they are.
    order = [match[1] for line in lines if (match := re.search(r" (fsync|rename)", line))]
    assert order == ["fsync", "fsync", "rename", "fsync", "rename", "fsync"] * 2


@on_posix
def test_a_killed_writer_leaves_a_whole_file_and_the_next_one_sweeps_up(paths: Paths) -> None:
    script = (
        "import os, random, signal, sys, time; from pathlib import Path; from alovoice_cli.config import edits\n"
        "from alovoice_cli.config.paths import Paths; from alovoice_cli.config.profiles import read_config\n"
        "paths = Paths(Path(sys.argv[1]), Path(sys.argv[1])); cut = 0\n"
        "edits.set_value(paths, 'a.trunks', '0')\n"
        "for turn in range(25):\n"
        "    child = os.fork()\n"
        "    if not child:\n"
        "        while True: edits.set_value(paths, 'a.trunks', ','.join([str(turn)] * 400))\n"
        "    time.sleep(random.uniform(0.001, 0.06)); os.kill(child, signal.SIGKILL); os.waitpid(child, 0)\n"
        "    cut += (paths.config / '.config.toml.tmp').exists()\n"
        "    trunks = read_config(paths.config_file).profiles['a']['trunks']\n"
        "    assert len(set(trunks)) == 1 and len(trunks) in (1, 400), trunks\n"
        "edits.set_value(paths, 'a.trunks', '7')\n"
        "print(cut, sorted(path.name for path in paths.config.iterdir()))\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(paths.config)], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert done.stdout.partition(" ")[2] == "['config.lock', 'config.toml']\n"


def test_a_dead_writers_temporary_file_is_swept_whichever_file_is_written(paths: Paths) -> None:
    keep_login(paths, Login("a", SERVER), TOKEN)
    left = paths.config / ".tokens.toml.tmp"
    left.write_text(TOKEN)
    edits.set_value(paths, "a.timeout", "5")
    assert not left.exists()


def test_a_failed_writing_leaves_the_old_file_and_no_temporary_one(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_login(paths, Login("a", SERVER), TOKEN)
    before = paths.tokens_file.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BadConfigError, match="No space left") as caught:
        keep_login(paths, Login("b", SERVER), TOKEN)
    assert TOKEN not in str(caught.value.as_json())
    assert paths.tokens_file.read_bytes() == before
    assert not list(paths.config.glob(".*"))


@pytest.mark.soak
def test_eight_writers_lose_nothing_and_readers_never_see_a_broken_file(paths: Paths) -> None:
    script = (
        "import sys; from pathlib import Path; from alovoice_cli.config import edits\n"
        "from alovoice_cli.config.paths import Paths; from alovoice_cli.config.edits import Login, keep_login\n"
        "paths = Paths(Path(sys.argv[1]), Path(sys.argv[1]))\n"
        "for number in range(3): edits.set_value(paths, f'p{sys.argv[2]}-{number}.timeout', '5')\n"
        f"keep_login(paths, Login(f'p{{sys.argv[2]}}', '{SERVER}'), '{TOKEN}')\n"
    )
    edits.set_value(paths, "first.timeout", "5")
    done, seen = threading.Event(), []

    def read_on() -> None:
        while not done.is_set():
            seen.append(len(read_config(paths.config_file).profiles))

    reader = threading.Thread(target=read_on)
    reader.start()
    writers = [
        subprocess.Popen([sys.executable, "-c", script, str(paths.config), str(number)], stderr=subprocess.PIPE)
        for number in range(8)
    ]
    told = [writer.communicate(timeout=120)[1] for writer in writers]
    done.set()
    reader.join()
    assert told == [b""] * 8
    assert len(known_profiles(read_config(paths.config_file), paths)) == len({"default", "sandbox", "first"}) + 8 * 4
    assert seen == sorted(seen)
    assert seen[0] >= 1


@pytest.mark.floors
def test_a_lock_that_is_not_given_up_is_told(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toml_files, "_WAIT_SECONDS", 0.05)
    paths.config.mkdir(parents=True)
    with FileLock(paths.config / "config.lock"), pytest.raises(UsageError, match="another process is writing"):
        edits.set_value(paths, "a.timeout", "5")


def test_a_writer_waits_for_as_long_as_others_get_on(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toml_files, "_WAIT_SECONDS", 2.0)
    edits.set_value(paths, "first.timeout", "5")
    waiting, served = threading.Event(), []

    def write_on() -> None:
        with FileLock(paths.config / "config.lock"):
            waiting.set()
            for number in range(60):  # three seconds of other people's changes
                (paths.config / ".other.tmp").write_text(str(number))
                (paths.config / ".other.tmp").unlink()
                threading.Event().wait(0.05)
            served.append("others")

    writer = threading.Thread(target=write_on)
    writer.start()
    assert waiting.wait(60)
    edits.set_value(paths, "a.timeout", "5")
    served.append("we")
    writer.join()
    assert served == ["others", "we"]
    assert set(known_profiles(read_config(paths.config_file), paths)) >= {"first", "a"}


@on_posix
def test_a_link_of_ones_own_stays_a_link(paths: Paths, tmp_path: Path) -> None:
    dotfiles = tmp_path / "dotfiles"
    dotfiles.mkdir()
    (dotfiles / "alovoice.toml").write_text("# mine\n")
    (dotfiles / "alovoice.toml").chmod(0o644)
    paths.config.mkdir(parents=True)
    paths.config_file.symlink_to(dotfiles / "alovoice.toml")
    edits.set_value(paths, "a.timeout", "5")
    assert paths.config_file.readlink() == dotfiles / "alovoice.toml"
    assert (dotfiles / "alovoice.toml").read_text() == "# mine\n\n[profiles.a]\ntimeout = 5\n"
    assert _mode(dotfiles / "alovoice.toml") == 0o600
    assert [path.name for path in dotfiles.iterdir()] == ["alovoice.toml"]


@on_posix
def test_a_directory_may_be_a_link_of_ones_own(paths: Paths, tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    paths.config.parent.mkdir()
    paths.config.symlink_to(tmp_path / "dotfiles")
    edits.set_value(paths, "a.timeout", "5")
    assert (tmp_path / "dotfiles" / "config.toml").exists()


@on_posix
@pytest.mark.parametrize("whose", ["file", "link", "directory"])
def test_a_link_to_or_of_somebody_else_is_refused(paths: Paths, tmp_path: Path, whose: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    victim = theirs / "passwd"
    victim.write_text("root")
    paths.config.mkdir(parents=True)
    paths.tokens_file.symlink_to(victim)
    os.chown({"file": victim, "link": paths.tokens_file, "directory": theirs}[whose], 12345, -1, follow_symlinks=False)
    with pytest.raises(BadConfigError, match="belongs to another user"):
        toml_files.replace({paths.tokens_file: b"x"})
    assert victim.read_text() == "root"
    assert sorted(path.name for path in theirs.iterdir()) == ["passwd"]


@on_posix
def test_a_linked_directory_of_somebody_else_is_refused(paths: Paths, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a directory away")
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    os.chown(theirs, 12345, -1)
    paths.config.parent.mkdir()
    paths.config.symlink_to(theirs)
    with pytest.raises(BadConfigError, match="belongs to another user"):
        keep_login(paths, Login("a", SERVER), TOKEN)
    assert list(theirs.iterdir()) == []


@on_posix
def test_a_link_to_what_is_no_file_is_refused(paths: Paths) -> None:
    paths.config.mkdir(parents=True)
    paths.tokens_file.symlink_to(paths.config)
    with pytest.raises(BadConfigError, match="cannot be written"):
        toml_files.replace({paths.tokens_file: b"x"})


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadConfigError, match="cannot be written"):
        keep_login(Paths(tmp_path / "file" / "config", tmp_path), Login("a", SERVER), TOKEN)
