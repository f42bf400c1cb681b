"""What may be uploaded: regular files that hold something."""

import errno
import io
import os
import pwd
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from alovoice_cli.campaigns.files import made_list, open_list, open_regular
from alovoice_cli.errors import UsageError


def test_a_regular_file_is_open_at_its_start(tmp_path: Path) -> None:
    path = tmp_path / "салом.csv"
    path.write_bytes(b"\r\n998901234567")
    with open_regular(path) as file:
        assert file.read() == b"\r\n998901234567"
        assert file.seekable()


def test_a_link_to_a_file_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"x")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with open_regular(tmp_path / "link") as file:
        assert file.read() == b"x"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing", "there is no file"),
        ("folder", "is a directory"),
        ("empty", "is empty"),
        ("loop", "cannot be opened"),
    ],
)
def test_what_cannot_be_sent_is_a_usage_error(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty").touch()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(UsageError, match=message):
        open_regular(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_a_pipe_is_refused_at_once_instead_of_waiting_for_its_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="is a pipe"):
        open_regular(tmp_path / "pipe")


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="no devices here")
def test_a_device_is_refused() -> None:
    with pytest.raises(UsageError, match="is a device"):
        open_regular(Path("/dev/null"))


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no Unix sockets here")
def test_a_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path may have about 100 bytes
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("plug")
        with pytest.raises(UsageError):
            open_regular(Path("plug"))


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000, "\ud800"])
def test_a_name_that_no_file_can_have_is_a_usage_error(name: str) -> None:
    with pytest.raises(UsageError):
        open_regular(Path(name))


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_an_unreadable_file_says_why(as_nobody: Path) -> None:
    path = as_nobody / "shut"
    path.write_bytes(b"x")
    path.chmod(0)
    with pytest.raises(UsageError, match="denied"):
        open_regular(path)


@pytest.fixture
def as_nobody() -> Iterator[Path]:
    """A folder of this test's own; the superuser, who reads everything, is another user meanwhile."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        if os.geteuid() != 0:
            yield Path(name)
            return
        nobody = pwd.getpwnam("nobody").pw_uid
        os.chown(name, nobody, -1)
        os.seteuid(nobody)
        try:
            yield Path(name)
        finally:
            os.seteuid(0)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")
def test_a_refused_file_leaves_no_descriptor_open(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        with pytest.raises(UsageError):
            open_regular(tmp_path / "empty")
        with pytest.raises(UsageError):
            open_regular(tmp_path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_list_without_room_on_the_disk_is_a_usage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    path = tmp_path / "long.csv"
    path.write_bytes(b"998901234567\n" * 3_000_000)
    with pytest.raises(UsageError, match="the list cannot be stored temporarily: No space left on device"):
        open_list(str(path), None, io.TextIOWrapper(io.BytesIO()))
    with pytest.raises(UsageError, match="the list cannot be stored temporarily"):
        made_list([["998901234567" * 10]] * 300_000, ",")
