"""The tour's day: a listener, and a simulated PBX that calls it back, each in a process of its own, for a moment."""

import contextlib
import json
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from alovoice_cli.errors import ServerError

_LISTEN = "alovoice -p sandbox listen --port 0 --fallback queue:6000 --ready-file urls"
_SERVE = (
    "alovoice sandbox serve --events-to {base} --state day.db --day 2026-03-02 --inbound 12/h --speed 100000 --seed 7"
)
_READY_SECONDS = 20.0


def play_day(folder: Path, environ: Mapping[str, str], tell: Callable[[str], None]) -> None:
    """Plays the day to its end; `tell` gets each command line before it runs. Raises ServerError where one ends early.

    Both listen on loopback, on free ports, and are gone afterwards; what was heard stays in the folder's store.
    """
    tell(f"{_LISTEN} &")
    with _running(_LISTEN, folder, environ) as listener:
        serve = _SERVE.format(base=_base(folder / "urls", listener))
        tell(f"{serve} &")
        with _running(serve, folder, environ) as pbx:
            told = [json.loads(line) for _, line in zip(range(2), pbx.stdout or (), strict=False)]
    if len(told) < 2:
        raise ServerError("the demo stopped: the simulated PBX ended before its day was over", sent="no")


def _base(urls: Path, listener: subprocess.Popen[bytes]) -> str:
    """What the listener's URLs share, once it is ready."""
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and listener.poll() is None:
        with contextlib.suppress(OSError):
            return str(json.loads(urls.read_text("utf-8"))["urls"]["callstart"]).removesuffix("/callstart")
        time.sleep(0.05)
    raise ServerError("the demo stopped: its listener was not ready", sent="no")


@contextlib.contextmanager
def _running(line: str, folder: Path, environ: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A command in the background, its JSON on a pipe or nowhere."""
    words = [sys.executable, "-m", "alovoice_cli", *shlex.split(line)[1:], "--json", "--quiet"]
    kept = subprocess.PIPE if "serve" in words else subprocess.DEVNULL
    with subprocess.Popen(  # noqa: S603 - our own words, no shell
        words, cwd=folder, env=dict(environ), stdin=subprocess.DEVNULL, stdout=kept
    ) as process:
        try:
            yield process
        finally:
            process.terminate()
