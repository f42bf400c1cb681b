"""`alovoice demo`: the main job on the embedded PBX, each command as an operator would type it."""

import contextlib
import json
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.resources import as_file, files
from pathlib import Path

import typer

from alovoice_cli.commands.command_classes import CommandApp
from alovoice_cli.commands.options import examples
from alovoice_cli.errors import ServerError, UsageError
from alovoice_cli.language import mark, tr
from alovoice_cli.output.messages import wrap_words
from alovoice_cli.session import Session

app = CommandApp()
EXAMPLES = examples("alovoice demo")
_DATA = ("announcement.mp3", "recipients.csv")
_CALL = "903"
_STEPS = (
    (mark("Which lines does this PBX have, and which extensions?"), "alovoice -p sandbox trunks"),
    ("", "alovoice -p sandbox peers"),
    (
        mark("A campaign: who is called, what they hear, when, and from which lines."),
        "alovoice -p sandbox autorule create --name 'Delivery reminder' --record announcement.mp3 "
        "--recipients recipients.csv --from today --to +2d --fromtime 09:00 --totime 20:59 --trunks all --maxline 3 "
        "--night-ok --yes",
    ),
    (mark("What does the PBX say about it?"), "alovoice -p sandbox autorule get 124"),
    (
        mark("One call: the first number is called and, when it answers, connected to the first other that answers."),
        f"alovoice -p sandbox call conference --from 712037006 --to 994412860:ru --to 977076909:uz --extid {_CALL}",
    ),
    (
        mark("What was said? Request an analysis of the recording, then read it."),
        f"alovoice -p sandbox ai send {_CALL}",
    ),
    ("", f"alovoice -p sandbox ai result {_CALL}"),
)
_AFTER_THE_DAY = (
    "alovoice -p sandbox events stats --by status",
    "alovoice -p sandbox events missed --not-returned --limit 3",
)
_ANALYSIS_SECONDS = 1.0


@app.command("demo", epilog=EXAMPLES)
def run_tour(ctx: typer.Context) -> None:
    """Take a tour of the main tasks on a simulated PBX.

    It needs no network and no token, and touches none of your files.
    """
    session: Session = ctx.obj
    if session.options.json:
        raise UsageError(tr("the demo has no JSON output"), hint=tr("leave --json out"))
    with tempfile.TemporaryDirectory(prefix="alovoice-demo-") as name:
        folder = Path(name)
        _lay_out(folder)
        environ = {
            **session.environ,
            "ALOVOICE_CONFIG_DIR": str(folder / "config"),
            "ALOVOICE_STATE_DIR": str(folder / "state"),
        }
        for remark, line in _STEPS:
            if remark:
                _remark(session, tr(remark))
            _tell(session, line)
            if "ai result" in line:
                time.sleep(_ANALYSIS_SECONDS)
            _run(line, folder, environ, session)
        _remark(session, tr("All events of the PBX are recorded: a listener receives a day of calls, in seconds."))
        play_day(folder, environ, lambda line: _tell(session, line))
        for line in _AFTER_THE_DAY:
            _tell(session, line)
            _run(line, folder, environ, session)
    last = tr("To do the same on a real PBX, run `alovoice login` and leave `-p sandbox` out.")
    session.display.write(f"\n{last}\n")


def _remark(session: Session, text: str) -> None:
    width = session.display.width - len("# ") if session.stdout.isatty() else 0
    session.display.write("\n" + "".join(f"# {line}\n" for line in wrap_words(text, width)))


def _tell(session: Session, line: str) -> None:
    session.display.write(f"\n$ {line}\n")
    session.stdout.flush()


def _lay_out(folder: Path) -> None:
    for name in _DATA:
        with as_file(files("alovoice_cli.sandbox") / "scenarios" / name) as source:
            shutil.copyfile(source, folder / name)


def _run(line: str, folder: Path, environ: dict[str, str], session: Session) -> None:
    words = shlex.split(line)[1:]
    done = subprocess.run(  # noqa: S603 - our own words, no shell
        [sys.executable, "-m", "alovoice_cli", *words],
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=session.stdout,
        stderr=session.stderr,
        check=False,
    )
    if done.returncode != 0:
        message = tr("the demo stopped: `{command}` ended with exit code {code}", command=line, code=done.returncode)
        raise ServerError(message, sent="no")


# --- the day: a listener, and a simulated PBX that calls it back, each in a process of its own, for a moment ---------

_LISTEN = "alovoice -p sandbox listen --port 0 --fallback queue:6000 --ready-file urls"
_SERVE = (
    "alovoice sandbox serve --events-to {base} --state day.db --day 2026-03-02 --inbound 12/h --speed 100000 --seed 7"
)
_READY_SECONDS = 60.0


def play_day(folder: Path, environ: Mapping[str, str], tell: Callable[[str], None]) -> None:
    """Plays the day to its end; `tell` gets each command line before it runs. Raises ServerError where one fails.

    Both programs listen on loopback, on free ports, and end afterwards; the received events stay in the folder's store.
    """
    tell(f"{_LISTEN} &")
    with _running(_LISTEN, folder, environ) as listener:
        serve = _SERVE.format(base=_base(folder / "urls", listener))
        tell(f"{serve} &")
        with _running(serve, folder, environ) as pbx:
            told = [json.loads(line) for _, line in zip(range(2), pbx.stdout or (), strict=False)]
    if len(told) < 2:
        raise ServerError(tr("the demo stopped: the simulated PBX ended before its day was over"), sent="no")


def _base(urls: Path, listener: subprocess.Popen[bytes]) -> str:
    """Returns the common part of the listener's URLs, once it is ready."""
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and listener.poll() is None:
        with contextlib.suppress(OSError):
            return str(json.loads(urls.read_text("utf-8"))["urls"]["callstart"]).removesuffix("/callstart")
        time.sleep(0.05)
    raise ServerError(tr("the demo stopped: its listener was not ready"), sent="no")


@contextlib.contextmanager
def _running(line: str, folder: Path, environ: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a command in the background, with its JSON on a pipe or nowhere."""
    words = [sys.executable, "-m", "alovoice_cli", *shlex.split(line)[1:], "--json", "--quiet"]
    kept = subprocess.PIPE if "serve" in words else subprocess.DEVNULL
    with subprocess.Popen(  # noqa: S603 - our own words, no shell
        words, cwd=folder, env=dict(environ), stdin=subprocess.DEVNULL, stdout=kept
    ) as process:
        try:
            yield process
        finally:
            process.terminate()
