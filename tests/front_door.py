"""The front door: `alovoice("trunks", "--json")` runs one command line in this process and says what came out."""

import contextlib
import copy
import io
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from warm_start import start_alovoice

from alovoice_cli import main
from alovoice_cli.commands import command_tree
from alovoice_cli.language import language_in_use
from alovoice_cli.main import run
from alovoice_cli.output.terminal import make_readable
from alovoice_cli.session import Session


def _kept(build: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a builder of commands that builds each once in a language, and gives every run a copy of its own.

    Typer needs a fifth to a third of a run for it, and here run thousands.
    """
    built: dict[object, Any] = {}

    def give(*about: Any) -> Any:
        key = (language_in_use(), about)
        if key not in built:
            built[key] = build(*about)
        command = copy.copy(built[key])
        for name in ("commands", "builders"):  # of a group: what a run builds, it puts there
            if hasattr(command, name):
                setattr(command, name, dict(getattr(command, name)))
        return command

    return give


_tree, _main = cast(Any, command_tree), cast(Any, main)
_tree._build_noun, _tree._build_verb = _kept(command_tree._build_noun), _kept(command_tree._build_verb)
_tree.build_tree = _main.build_tree = _kept(command_tree.build_tree)

TOKEN = "cafe0000-dead-4eef-8bad-f00dfeed0042"


@dataclass(frozen=True)
class Result:
    """What one run left: exit code, stdout, stderr."""

    code: int
    out: str
    err: str


class Stream(io.TextIOWrapper):
    """A text stream over bytes, on a terminal or not."""

    def __init__(self, terminal: bool, encoding: str = "utf-8", text: str = "") -> None:
        self.bytes = io.BytesIO(text.encode(encoding))
        self._terminal = terminal
        super().__init__(self.bytes, encoding=encoding, write_through=True)
        make_readable(self)

    def isatty(self) -> bool:
        return self._terminal

    def content(self) -> str:
        self.flush()
        return self.bytes.getvalue().decode(self.encoding, "replace")


@dataclass
class FrontDoor:
    """One user's home: configuration, state and environment of its own."""

    home: Path
    environ: dict[str, str] = field(default_factory=dict)
    ahead: timedelta = timedelta(0)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    transport: Any = None
    server_store: str = ""

    @property
    def store_url(self) -> str:
        """The event store of the profile `default`: its own file, or the database that the configuration names."""
        return self.server_store or f"sqlite:///{self.home / 'state' / 'events.db'}"

    def share_store(self, profile: str) -> None:
        """Lets another profile use the server of `default`, if it has one: receipts lie beside the events."""
        if self.server_store:
            assert self("config", "set", "store", self.server_store, "-p", profile).code == 0

    def __call__(
        self,
        *words: str,
        stdin: str = "",
        terminal: bool = False,
        encoding: str = "utf-8",
        environ: Mapping[str, str] | None = None,
        one_screen: bool = False,
    ) -> Result:
        """Runs the words in this process. `terminal` makes all three streams a terminal of 80 columns.

        With `one_screen`, `out` has what both streams wrote, in its order.
        """
        out = Stream(terminal, encoding)
        err = out if one_screen else Stream(terminal, encoding)
        session = Session(
            list(words),
            stdin=Stream(terminal, encoding, stdin),
            stdout=out,
            stderr=err,
            environ={**self.environ, **(environ or {})},
            cwd=self.home,
            now=lambda: self.clock() + self.ahead,
            transport=self.transport,
        )
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), contextlib.chdir(self.home):
            code = run(session)
        return Result(int(code), out.content(), err.content())

    def later(self, **time: float) -> None:
        """Puts this home's clock forward (`minutes=10`), for runs in this process."""
        self.ahead += timedelta(**time)

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
            timeout=600,
            check=False,
            **more,
        )

    def run_shell(self, words: list[str]) -> subprocess.CompletedProcess[bytes]:
        """Runs a shell's words with this home's environment."""
        return subprocess.run(words, capture_output=True, env=self.environ, cwd=self.home, timeout=60, check=False)

    def start(self, *words: str, streams: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
        """Starts the words as a process of its own; the caller ends it, and reads its streams where it has any."""
        return start_alovoice(
            *words, stdin=subprocess.DEVNULL, stdout=streams, stderr=streams, env=self.environ, cwd=self.home
        )
