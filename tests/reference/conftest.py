"""A small command tree with every kind of word in it, and three real shells that complete its command lines."""

import os
import select
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import typer
from typer.main import get_command
from waiting import wait_until

from alovoice_cli.reference import FILE_NAMES
from alovoice_cli.reference.tree import Command, read_tree
from alovoice_cli.reference_pages import WRITERS

Complete = Callable[..., list[str]]
"""What TAB offers at the end of a line, sorted; `environ` goes before the shell's own."""

app = typer.Typer(help="A PBX in the shell: it's [not] $(real) `at all`: 100% \\toy.", add_completion=False)
autorule = typer.Typer(help="Auto-dial campaigns.")
config = typer.Typer(help="Profiles and their settings.")
app.add_typer(autorule, name="autorule")
app.add_typer(config, name="config")


@autorule.command(
    "create", epilog="Examples:\n\n$ alovoice autorule create --record it\\'s.mp3\n\n$ .alovoice\n\nMore: see it."
)
def create(
    record: Annotated[Path, typer.Option("--record", help="The .mp3 (`ffmpeg` makes one): it's [needed] & 'ўқ'.")],
    recipient: Annotated[list[str] | None, typer.Option("--recipient", metavar="NUMBER", help="One number.")] = None,
    into: Annotated[Path | None, typer.Option("--into", file_okay=False, help="Where.")] = None,
    paused: Annotated[bool, typer.Option("--paused/--no-paused", help="Wait.")] = False,
    encoding: Annotated[Literal["json", "form", "vendor-curl"], typer.Option("--encoding", help="How.")] = "json",
    tries: Annotated[int, typer.Option("--tries", "-t", min=1, envvar="TRIES", help="How often")] = 2,
    secret: Annotated[str, typer.Option(hidden=True)] = "",
) -> None:
    """Create a campaign. It rings.

    .A second paragraph, with a dot before it and 'quotes'.

      $ kept   as it is
    """


@autorule.command("get")
def get(id: str) -> None:
    """Show one campaign."""


@config.command("use")
def use(profile: Annotated[str, typer.Argument(metavar="PROFILE", help="Its name.")]) -> None:
    """Choose a profile."""


@app.command("logout")
def logout(profile: Annotated[str | None, typer.Argument(metavar="[PROFILE]")] = None) -> None:
    """Forget a token."""


@app.command("trunks")
def trunks() -> None:
    """List the lines."""


@app.command("completion")
def completion(shell: Annotated[Literal["bash", "zsh", "fish"], typer.Argument()]) -> None:
    """Print a script."""


@app.command("copy")
def copy(
    how: Annotated[Literal["fast", "slow"], typer.Argument()],
    files: Annotated[list[Path], typer.Argument(metavar="FILES...")],
) -> None:
    """Copy files."""


@app.command("hidden", hidden=True)
def hidden() -> None:
    """Not to be seen."""


def _everywhere(
    profile: Annotated[str | None, typer.Option("--profile", "-p", metavar="NAME", help="Which PBX.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    color: Annotated[Literal["auto", "never"] | None, typer.Option("--color", help="When.")] = None,
    timeout: Annotated[float | None, typer.Option("--timeout", metavar="SECONDS", help="How long.")] = None,
) -> None:
    """Only a signature."""


def _add(command: Any, options: list[Any]) -> None:
    command.params = [*command.params, *options]
    for below in getattr(command, "commands", {}).values():
        _add(below, options)


@pytest.fixture(scope="session")
def toy() -> Command:
    group = get_command(app)
    common = typer.Typer(add_completion=False)
    common.command()(_everywhere)
    _add(group, get_command(common).params)
    return read_tree(group)


@pytest.fixture(scope="session")
def scripts(toy: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the three scripts of the toy."""
    return write_scripts(toy, tmp_path_factory.mktemp("scripts"))


def write_scripts(tree: Command, directory: Path) -> Path:
    for shell, name in FILE_NAMES.items():
        (directory / name.replace("alovoice", tree.name)).write_text(WRITERS[shell](tree), encoding="utf-8")
    return directory


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """Where the shells stand: a home with a configuration, and some files."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text(
        'profile = "tashkent"\n[profiles.tashkent]\n timeout = 3\n[profiles.tashkent.deeper]\n'
        '  [ profiles . samarkand ] # a comment\n[profiles."Бухоро 2"]\n[other.nukus]\n# [profiles.commented]\n'
    )
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "sed").symlink_to(shutil.which("sed") or "/bin/sed")
    files = tmp_path / "files"
    (files / "folder").mkdir(parents=True)
    for name in ("hello.mp3", "help me.mp3", "list.csv"):
        (files / name).touch()
    return files


@pytest.fixture
def bash(scripts: Path, desk: Path) -> Complete:
    return Bash(scripts, desk).complete


@pytest.fixture
def zsh(scripts: Path, desk: Path) -> Complete:
    return Zsh(scripts, desk).complete


@pytest.fixture
def fish(scripts: Path, desk: Path) -> Complete:
    return Fish(scripts, desk).complete


class Shell:
    """A shell without the user's own settings, and with sed as its only program: neither Python nor alovoice."""

    name = ""

    def __init__(self, scripts: Path | None, desk: Path) -> None:
        """Without `scripts` the shell reads the files of its user, as every shell does that is opened."""
        path = shutil.which(self.name)
        if path is None:
            pytest.skip(f"{self.name} is not installed")
        self.path, self.scripts, self.desk = path, scripts, desk

    def environ(self, extra: dict[str, str]) -> dict[str, str]:
        home = self.desk.parent
        plain = {"HOME": str(home), "PATH": str(home / "bin"), "TERM": "dumb", "LC_ALL": "C.UTF-8"}
        return plain | {"ALOVOICE_CONFIG_DIR": str(home / "config")} | extra

    def complete(self, line: str, **extra: str) -> list[str]:
        """Returns what TAB offers at the end of the line."""
        raise NotImplementedError


class Fish(Shell):
    name = "fish"

    def complete(self, line: str, **extra: str) -> list[str]:
        begin, load = (["--no-config"], f"source {self.scripts}/alovoice.fish;") if self.scripts else ([], "")
        done = subprocess.run(
            [self.path, *begin, "-c", f"{load} complete -C $LINE"],
            env=self.environ({"LINE": line} | extra),
            cwd=self.desk,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert done.stderr == ""
        return sorted(offer.partition("\t")[0] for offer in done.stdout.splitlines())


class OnTerminal(Shell):
    """A shell that completes only when it is interactive: its line editor writes what it offers to a file."""

    def run(self, command: list[str], setup: str, line: str, keys: str, extra: dict[str, str]) -> list[str]:
        pty = pytest.importorskip("pty")
        out = self.desk.parent / "offers"
        out.unlink(missing_ok=True)
        master, slave = pty.openpty()
        process = subprocess.Popen(
            command, env=self.environ({"OUT": str(out)} | extra), cwd=self.desk, stdin=slave, stdout=slave, stderr=slave
        )
        os.close(slave)
        try:
            os.write(master, f"{setup}; echo rea''dy\n".encode())
            seen = until(master, lambda text: "\nready" in text.replace("\r", ""))
            os.write(master, (line + keys).encode())
            seen += until(master, lambda _: out.exists() and out.read_text().endswith("\0"))
        finally:
            process.kill()
            process.wait()
            os.close(master)
        assert "rror" not in seen, seen
        return sorted(filter(None, out.read_text().rstrip("\0").split("\n")))


def until(terminal: int, done: Callable[[str], bool]) -> str:
    """What the terminal shows until it is done; a minute at most."""
    seen = ""

    def is_done() -> bool:
        nonlocal seen
        if select.select([terminal], [], [], 0.02)[0]:
            seen += os.read(terminal, 65536).decode(errors="replace")
        return done(seen)

    wait_until(is_done, lambda: seen, pause=0)
    return seen


class Bash(OnTerminal):
    name = "bash"

    def complete(self, line: str, **extra: str) -> list[str]:
        # Escape-star inserts all that TAB would offer; the key after it writes the line out, one word a line.
        shown = r"""bind -x '"\C-xp": printf "%s\n" "$READLINE_LINE" >"$OUT"; printf "\0" >>"$OUT"'"""
        begin, load = (["--norc", "--noprofile"], f"source {self.scripts}/alovoice.bash;") if self.scripts else ([], "")
        setup = f"PS1=; set +o history; {load} {shown}"
        words = self.run([self.path, *begin, "-i"], setup, line, "\x1b*\x18p", extra)
        written = words[0] if words else ""
        given = line[: max(map(line.rfind, " =")) + 1]
        assert written.startswith(given), written
        offered = sorted(split_words(written.removeprefix(given)))
        return [] if offered == [line.removeprefix(given)] else offered  # nothing fitted: the word stands as typed


def split_words(text: str) -> Iterator[str]:
    """The words of a command line, each as it is written there, with its quotes."""
    word = ""
    for character in text:
        if character == " " and not word.endswith("\\"):
            if word:
                yield word
            word = ""
        else:
            word += character
    if word:
        yield word


class Zsh(OnTerminal):
    name = "zsh"

    def dump(self, scripts: Path) -> Path:
        """What zsh has found out about its own functions and ours: once for these scripts, for it takes a while."""
        path = scripts.with_suffix(".zcompdump")
        if not path.exists():
            dumping = f"fpath=({scripts} $fpath); autoload -Uz compinit; compinit -C -u -d {path}"
            subprocess.run([self.path, "-f", "-c", dumping], env={**os.environ, "HOME": str(path.parent)}, check=True)
        return path

    def complete(self, line: str, **extra: str) -> list[str]:
        # Every match passes through compadd: asked with -O it tells the matches instead of taking them.
        spy = (
            'compadd() { local -a told; builtin compadd -O told "$@"; print -rl -- $told >>$OUT; '
            'builtin compadd "$@" }; '
            "tell() { _main_complete; print -rn -- $'\\0' >>$OUT; }; zle -C tell list-choices tell; bindkey '^Xp' tell"
        )
        begin, load = [], ""
        if self.scripts is not None:
            compinit = f"autoload -Uz compinit; compinit -C -u -d {self.dump(self.scripts)};"
            begin, load = ["-f"], f"fpath=({self.scripts} $fpath); {compinit}"
        setup = f"PS1=; unsetopt beep zle_bracketed_paste; {load} {spy}"
        return sorted(set(self.run([self.path, *begin, "-i"], setup, line, "\x18p", extra)))
