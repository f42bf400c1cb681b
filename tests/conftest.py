"""The front door: `alovoice("trunks", "--json")` runs one command line in this process and says what came out."""

import contextlib
import io
import ipaddress
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alovoice_cli.main import run
from alovoice_cli.session import Session

TOKEN = "cafe0000-dead-4eef-8bad-f00dfeed0042"


@dataclass(frozen=True)
class Result:
    """What one run left: exit code, stdout, stderr."""

    code: int
    out: str
    err: str


class _Stream(io.TextIOWrapper):
    """A text stream over bytes, on a terminal or not."""

    def __init__(self, terminal: bool, encoding: str, text: str = "") -> None:
        self.bytes = io.BytesIO(text.encode(encoding))
        self._terminal = terminal
        super().__init__(self.bytes, encoding=encoding, errors="backslashreplace", write_through=True)

    def isatty(self) -> bool:
        return self._terminal

    def content(self) -> str:
        self.flush()
        return self.bytes.getvalue().decode(self.encoding)


@dataclass
class FrontDoor:
    """One user's home: configuration, state and environment of its own."""

    home: Path
    environ: dict[str, str] = field(default_factory=dict)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    transport: Any = None

    def __call__(
        self,
        *words: str,
        stdin: str = "",
        terminal: bool = False,
        encoding: str = "utf-8",
        environ: Mapping[str, str] | None = None,
    ) -> Result:
        """Runs the words in this process. `terminal` makes all three streams a terminal of 80 columns."""
        out, err = _Stream(terminal, encoding), _Stream(terminal, encoding)
        session = Session(
            stdin=_Stream(terminal, encoding, stdin),
            stdout=out,
            stderr=err,
            environ={**self.environ, **(environ or {})},
            cwd=self.home,
            now=self.now,
            transport=self.transport,
        )
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(list(words), session)
        return Result(int(code), out.content(), err.content())

    def process(
        self, *words: str, stdin: bytes = b"", environ: Mapping[str, str] | None = None, **more: Any
    ) -> subprocess.CompletedProcess[bytes]:
        """Runs the words as a process of its own, with this home's environment and nothing else."""
        return subprocess.run(
            [sys.executable, "-m", "alovoice_cli", *words],
            input=stdin,
            capture_output=True,
            env={**self.environ, **(environ or {})},
            cwd=more.pop("cwd", self.home),
            timeout=60,
            check=False,
            **more,
        )


@pytest.fixture
def alovoice(tmp_path: Path) -> FrontDoor:
    """A fresh home: no configuration, no token, the sandbox at hand."""
    home = tmp_path / "home"
    home.mkdir()
    environ = {
        "HOME": str(home),
        "PATH": os.environ.get("PATH", ""),
        "ALOVOICE_CONFIG_DIR": str(home / "config"),
        "ALOVOICE_STATE_DIR": str(home / "state"),
        "COLUMNS": "80",
        "TERM": "xterm-256color",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return FrontDoor(home, environ)


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test reaches further than this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not ipaddress.ip_address(address[0]).is_loopback:
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    yield
