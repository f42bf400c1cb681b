"""The places of configuration and state, and a check of who else may change config.toml.

A user who may change it chooses the command that the program runs and the server that it contacts.
"""

import os
import stat
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from alovoice_cli.errors import BadConfigError, UsageError
from alovoice_cli.language import joined, tr

_NAME = "alovoice"
_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_HAS_ITS_OWN_WAY = sys.platform in ("win32", "cygwin", "darwin")

# Elsewhere the XDG rule is short enough to follow here: platformdirs costs 3 ms (a bare interpreter: 9 ms), and reads
# the process's environment only.
if _HAS_ITS_OWN_WAY:
    import platformdirs


class Paths(NamedTuple):
    """The two directories, both absolute; they may be missing. `home` ends the search for `.alovoice.toml`."""

    config: Path
    state: Path
    home: Path | None = None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Paths":
        """Returns `ALOVOICE_CONFIG_DIR` and `ALOVOICE_STATE_DIR`, else the system's usual places.

        Raises UsageError where neither these variables nor a home directory are known.
        """
        home = _home(environ)
        return cls(
            config=_chosen(environ, "ALOVOICE_CONFIG_DIR") or _standard(environ, home, "config"),
            state=_chosen(environ, "ALOVOICE_STATE_DIR") or _standard(environ, home, "state"),
            home=home,
        )

    def from_home(self, text: str) -> Path:
        """Returns the path; `~/` at its beginning is the home directory."""
        if self.home is not None and text.startswith(("~/", "~\\")):
            return self.home / Path(text[2:])
        return Path(text)

    @property
    def config_file(self) -> Path:
        """Profiles and defaults: the user's own file, edited by hand too."""
        return self.config / "config.toml"

    @property
    def tokens_file(self) -> Path:
        """Tokens by profile; only this program writes it."""
        return self.config / "tokens.toml"


def _chosen(environ: Mapping[str, str], variable: str) -> Path | None:
    text = environ.get(variable)
    return Path(text).absolute() if text else None


def _home(environ: Mapping[str, str]) -> Path | None:
    # Without HOME (cron, or a service with an empty environment) the user database gives the directory.
    home = Path(environ.get("HOME") or os.path.expanduser("~"))  # noqa: PTH111 - Path.home() raises where no home is known
    return home if home.is_absolute() else None


def _standard(environ: Mapping[str, str], home: Path | None, kind: str) -> Path:
    if _HAS_ITS_OWN_WAY:
        find = platformdirs.user_config_path if kind == "config" else platformdirs.user_state_path
        return find(_NAME, appauthor=False)
    # The XDG Base Directory Specification says to ignore a relative path in these variables.
    variable, fallback = {"config": ("XDG_CONFIG_HOME", ".config"), "state": ("XDG_STATE_HOME", ".local/state")}[kind]
    named = Path(environ.get(variable, ""))
    if named.is_absolute():
        return named / _NAME
    if home is None:
        raise UsageError(
            tr("no home directory is known"),
            hint=tr("set HOME, or set {variable} to a directory of yours", variable=f"ALOVOICE_{kind.upper()}_DIR"),
        )
    return home / fallback / _NAME


class OpenPlace(NamedTuple):
    """A file, link or directory on the way to config.toml that another user may change."""

    path: Path
    mode: int
    owner: int
    foreign: bool

    def __str__(self) -> str:
        return self.text

    @property
    def text(self) -> str:
        """Returns what is wrong with the place, in the language of the run."""
        facts = {"path": self.path, "mode": f"{self.mode:04o}", "owner": _user_name(self.owner)}
        if self.foreign:
            return tr("{path} belongs to another user (mode {mode}, owner {owner})", **facts)
        return tr("other users can change {path} (mode {mode}, owner {owner})", **facts)


def check_permissions(paths: Paths, consequence: str) -> None:
    """Raises BadConfigError with the consequence where another user than root may change config.toml."""
    if places := find_open_places(paths):
        hint = tr("{remedy}; for a file system without modes: --no-permission-check", remedy=_remedy(places))
        raise BadConfigError(joined(": ", (places[0].text, consequence)), hint=hint)


def warn_of_permissions(paths: Paths) -> str:
    """Returns a warning where another user than root may change config.toml, else ''."""
    places = find_open_places(paths)
    if not places:
        return ""
    return tr(
        "{problem}, and it contains the address of the server: {remedy}", problem=places[0].text, remedy=_remedy(places)
    )


def find_open_places(paths: Paths) -> list[OpenPlace]:
    """Returns the places that another user may change: config.toml, its directory, and all parents.

    In a sticky directory such as /tmp nobody can replace our file; our own directory must be writable for us alone.
    Windows gives no answer.
    """
    if os.name != "posix":
        return []
    # In a user namespace without root's uid, the owner of / counts as root.
    trusted = {0, os.geteuid(), Path("/").stat().st_uid}
    own = {paths.config.resolve(), paths.config_file.resolve().parent}
    places = []
    for path in _way(paths.config_file):
        try:
            status = path.lstat()
        except OSError:
            break  # missing or invisible: nothing is read from it
        foreign = status.st_uid not in trusted
        shared = stat.S_ISLNK(status.st_mode) or (status.st_mode & stat.S_ISVTX and path not in own)
        if foreign or (status.st_mode & _OTHERS and not shared):
            places.append(OpenPlace(path, stat.S_IMODE(status.st_mode), status.st_uid, foreign))
    return places[::-1]


def _way(path: Path) -> Iterator[Path]:
    """Yields every directory and link on the system's path to the file, and the file, each under its real name.

    The path leads to a file that was opened, or ends at a missing part: it has no endless links.
    """
    place, *parts = [Path(part) for part in path.absolute().parts]
    yield place
    while parts:
        part = parts.pop(0)
        step = place.parent if str(part) == ".." else place / part
        yield step
        if step.is_symlink():
            target = step.readlink()
            parts = [*(Path(piece) for piece in target.parts), *parts]
        else:
            place = step


def _remedy(places: list[OpenPlace]) -> str:
    import shlex

    names = " ".join(shlex.quote(str(place.path)) for place in places)
    foreign = [place for place in places if place.foreign]
    if not foreign:
        return tr("run `{command}`", command=f"chmod go-w {names}")
    taken = " ".join(shlex.quote(str(place.path)) for place in foreign)
    me, owner = _user_name(os.geteuid()), _user_name(foreign[0].owner)
    command = f"sudo chown {me} {taken} && chmod go-w {names}"
    return tr("run alovoice as {owner}, or run `{command}`", owner=owner, command=command)


def _user_name(uid: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
