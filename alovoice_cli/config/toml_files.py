"""Reads and writes the TOML files of this program: names the place of an error, locks, and replaces a file whole."""

import difflib
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from alovoice_cli.config.paths import Paths
from alovoice_cli.errors import FULL_DISK, BadConfigError, UsageError, reason_of
from alovoice_cli.language import joined, mark, tr

if TYPE_CHECKING:
    from filelock import FileLock

_LARGEST_BYTES = 256 << 10  # a thousand profiles
_MOST_DOTS = 64  # of a line; tomllib takes 6 seconds for a dotted key of 16,000 parts
_MOST_PARSES = 200
_LONGEST_SHOWN = 40
_MOVE = mark("move the file to another place")
_CORRECT = mark("correct the file by hand")
_PLACE = r" \(at (?:line (\d+), column (\d+)|end of document)\)$"


def read_text(path: Path, *, largest: int = _LARGEST_BYTES, hint: str = _MOVE) -> str | None:
    """Returns the file's text without a byte order mark; None without a file.

    Reads at most `largest` bytes. Raises BadConfigError, with the hint for a larger file.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise BadConfigError(tr("{path} is not a regular file", path=path), hint=tr(_MOVE))
        with path.open("rb") as file:
            content = file.read(largest + 1)
        if len(content) > largest:
            raise BadConfigError(tr("{path} is larger than {size} kB", path=path, size=largest >> 10), hint=tr(hint))
        return content.decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except UnicodeDecodeError as error:
        raise BadConfigError(
            tr("{path} is not UTF-8 text (byte {byte})", path=path, byte=error.start), hint=tr("save it as UTF-8")
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise BadConfigError(tr("{path} cannot be read: {problem}", path=path, problem=reason_of(error))) from error


def parse_toml(path: Path, text: str) -> dict[str, object]:
    """Parses the text as TOML. Raises BadConfigError with the path, and with line and column if known."""
    import tomllib

    for number, line in enumerate(text.split("\n"), start=1):
        if line.count(".") > _MOST_DOTS and not line.lstrip().startswith("#"):
            message = tr("{path}, line {line}: more than {n} dots", path=path, line=number, n=_MOST_DOTS)
            raise BadConfigError(message, hint=tr(_CORRECT))
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadConfigError(
            _placed(path, text, str(error)), hint=tr("correct the file by hand: it is TOML")
        ) from error
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits; `[` a thousand times
        raise BadConfigError(tr("{path} contains a value that is too large", path=path), hint=tr(_CORRECT)) from error


def complain(path: Path, text: str, keys: Sequence[str], trouble: str, *, hint: str = "") -> BadConfigError:
    """Returns the error for this key (given with the tables around it), with its line in the text."""
    line = _line_of(text, keys)
    if line is None:
        return BadConfigError(joined(": ", (str(path), trouble)), hint=hint)
    column = text.split("\n")[line - 1].find(keys[-1]) + 1
    return BadConfigError(_at(path, line, max(column, 1), trouble), hint=hint)


def _at(path: Path, line: int, column: int, trouble: str) -> str:
    return tr("{path}, line {line}, column {column}: {problem}", path=path, line=line, column=column, problem=trouble)


def shorten(key: str) -> str:
    """Returns a key of the file, short enough for a message."""
    return key if len(key) <= _LONGEST_SHOWN else f"{key[:_LONGEST_SHOWN]}…"


def nearest(word: str, known: Iterable[str]) -> str:
    """Returns `did you mean …?`, or '' where no known word is near."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return tr("did you mean {name}?", name=close[0]) if close else ""


def known_names(names: Iterable[str]) -> str:
    """Returns the hint that lists the known names."""
    return tr("known names: {names}", names=", ".join(names))


def _placed(path: Path, text: str, message: str) -> str:
    place = re.search(_PLACE, message)
    if place is None:
        return f"{path}: {message}"
    lines = text.split("\n")
    line, column = place.groups() if place[1] else (len(lines), len(lines[-1]) + 1)
    return _at(path, int(line), int(column), message[: place.start()])


def _line_of(text: str, keys: Sequence[str]) -> int | None:
    """Returns the line of the statement that defines the key, in every spelling: dotted, quoted, in braces.

    Returns None where there is none, or where the search would take too long. The search is a bisection over the
    beginnings of the text. A beginning that ends within a value of several lines does not parse.
    """
    if not _holds_key(text, keys):
        return None
    lines, parses = text.split("\n"), 0
    without, bound = 0, len(lines)
    while bound - without > 1:
        holds = None
        for count in range((without + bound) // 2, bound):
            parses += 1
            holds = _holds_key("\n".join(lines[:count]), keys)
            if holds is not None or parses > _MOST_PARSES:
                break
        if parses > _MOST_PARSES:
            return None
        if holds is False:
            without = count
        else:
            bound = (without + bound) // 2
    return without + 1


def _holds_key(text: str, keys: Sequence[str]) -> bool | None:
    """Returns whether the parsed text has the key in its tables; None where the text does not parse."""
    import tomllib

    try:
        table: object = tomllib.loads(text)
    except (ValueError, RecursionError):
        return None
    for key in keys:
        if not isinstance(table, dict) or key not in table:
            return False
        table = table[key]
    return True


_WAIT_SECONDS = 30.0  # seconds without any change in the directory: a writer needs a tenth of a second
_POLL_SECONDS = 0.01
_ONLY_HERE = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


@contextmanager
def locked(paths: Paths) -> Iterator[None]:
    """Holds `config.lock` during a read, a change and a write; makes the directory (0700) if it is missing.

    Removes files that a killed writer left. Raises UsageError when another writer keeps the lock, and BadConfigError
    for a directory that is not writable.
    """
    with _told(paths.config):
        _refuse_foreign_link(paths.config)
        for missing in [path for path in (*reversed(paths.config.parents), paths.config) if not path.exists()]:
            missing.mkdir(mode=0o700, exist_ok=True)
        lock = _acquire(paths.config)
        try:
            for path in (paths.config_file, paths.tokens_file):
                _temporary(path).unlink(missing_ok=True)
            yield
        finally:
            lock.release()


def _acquire(directory: Path) -> "FileLock":
    """Takes the directory's lock. Waits while other writers make progress, and `_WAIT_SECONDS` for a stuck one."""
    from filelock import FileLock, Timeout

    lock = FileLock(directory / "config.lock", timeout=_WAIT_SECONDS, poll_interval=_POLL_SECONDS, mode=0o600)
    while True:
        changed = directory.stat().st_mtime_ns
        try:
            lock.acquire()
        except Timeout:
            if directory.stat().st_mtime_ns == changed:
                raise UsageError(
                    tr("another process is writing to {directory}", directory=directory),
                    hint=tr("run it again when that process has finished"),
                ) from None
        else:
            return lock


def replace(contents: Mapping[Path, bytes], *, rehearse: bool = False) -> None:
    """Replaces each file's content, with mode 0600: all files, or none. The caller holds the lock.

    `rehearse` writes the contents beside the files and removes them again, which tests directory, links and disk space.
    A link of the user stays a link, and its target is replaced (dotfile managers link on purpose); a link of or to
    another user's file is refused. Raises BadConfigError.
    """
    staged: dict[Path, Path] = {}
    try:
        for path, content in contents.items():
            with _told(path):
                target = _refuse_foreign_link(path)
                staged[_temporary(target)] = target
                _write_private(_temporary(target), content)
        if rehearse:
            return
        for temporary, target in staged.items():
            with _told(target):
                temporary.replace(target)
                _sync_directory(target.parent)
    finally:
        for temporary in staged:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def _temporary(path: Path) -> Path:
    """Returns one fixed name a file: the lock's owner knows that a file of this name is a dead writer's."""
    return path.with_name(f".{path.name}.tmp")


def _write_private(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | _ONLY_HERE, 0o600)
    with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor has no path
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_directory(path: Path) -> None:
    """Syncs the directory: without it a power cut can restore the old name. Windows has no such call."""
    with suppress(PermissionError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _refuse_foreign_link(path: Path) -> Path:
    """Returns the target of a link, or the path itself. Raises BadConfigError for a link of another user."""
    if not path.is_symlink():
        return path
    target = path.resolve()
    holder = target if target.exists() else target.parent
    for place in (path, holder, target.parent):
        if not _is_ours(place):
            raise BadConfigError(
                tr(
                    "{path} is a link to {target}, and {place} belongs to another user: not written",
                    path=path,
                    target=target,
                    place=place,
                ),
                hint=tr("remove the link, or become the owner of its target"),
            )
    return target


def _is_ours(path: Path) -> bool:
    """Returns whether the path itself, not its target, belongs to the user.

    On Windows only administrators make links.
    """
    status = path.lstat()
    if not hasattr(os, "geteuid"):
        return True
    return status.st_uid == os.geteuid() and (stat.S_ISLNK(status.st_mode) or not status.st_mode & stat.S_IWOTH)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        hint = tr("make it writable, or set ALOVOICE_CONFIG_DIR to another directory")
        if error.errno in FULL_DISK:
            hint = tr("free some space on the disk, or set ALOVOICE_CONFIG_DIR to another directory")
        raise BadConfigError(
            tr("{path} cannot be written: {problem}", path=path, problem=reason_of(error)), hint=hint
        ) from error
