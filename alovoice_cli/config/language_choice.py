"""Chooses the language of a run before the command tree is built: it is also used for help pages and errors of parsing.

The order is `--lang`, ALOVOICE_LANG, the profile's `lang`, English. `LANG` is ignored: terminals of operators often
have a language that nobody there reads.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from alovoice_cli.config.paths import Paths
from alovoice_cli.errors import UsageError
from alovoice_cli.language import LANGUAGES, Language, tr

VARIABLE = "ALOVOICE_LANG"
OWN_LANG = ("call", "ivr")
"""The command with its own `--lang`, the voice menu's language: after these words `--lang` is not the program's."""

_VALUED = ("--profile", "--columns", "--color", "--timeout", "--base-url", "--lang")
_LARGEST_BYTES = 256 << 10  # of a configuration file
_SHORT_FLAGS = "hqvVy"
"""Short options without a value, which may stand before `p` in one word."""


class _Said(NamedTuple):
    """The values of the command line; None if not given."""

    lang: str | None
    profile: str | None


def choose_language(argv: Sequence[str], environ: Mapping[str, str], cwd: Path) -> Language:
    """Returns the language of these words in this environment.

    A wrong `--lang` is English: the command tree refuses it. So is a configuration file that cannot be read: the
    command that needs it says so. Raises UsageError for a wrong ALOVOICE_LANG.
    """
    said = _read_words(argv)
    if said.lang is not None:
        return said.lang if said.lang in LANGUAGES else "en"
    return language_of_environment(environ) or _of_profile(said.profile, environ, cwd)


def language_of_environment(environ: Mapping[str, str]) -> Language | None:
    """Returns the language of ALOVOICE_LANG, None where it is not set. Raises UsageError for another word."""
    named = environ.get(VARIABLE)
    if not named:
        return None
    if named not in LANGUAGES:
        message = tr("{variable} must be one of {names}", variable=VARIABLE, names=", ".join(LANGUAGES))
        raise UsageError(message, hint=tr("set it to one of these, or unset it"))
    return named


def _read_words(argv: Sequence[str]) -> _Said:
    """Reads `--lang` and `-p` off the words, wherever they stand."""
    said: dict[str, str] = {}
    place: list[str] = []  # the noun and the verb
    words = iter(argv)
    for word in words:
        if word == "--":
            break
        flag, equals, value = word.partition("=")
        if not word.startswith("--") and word.startswith("-"):
            flags, p, rest = word[1:].partition("p")
            if p and not flags.strip(_SHORT_FLAGS):
                said["--profile"] = rest or next(words, "")
        elif flag in _VALUED:
            if flag != "--lang" or tuple(place[:2]) != OWN_LANG:
                said[flag] = value if equals else next(words, "")
        elif not word.startswith("-"):
            place.append(word)
    return _Said(said.get("--lang"), said.get("--profile"))


def _has_word(path: Path) -> bool:
    """Returns whether the file, as far as it is read at all, says anything of a language."""
    if not path.is_file():  # a pipe would wait for its writer
        return False
    with path.open("rb") as file:
        return b"lang" in file.read(_LARGEST_BYTES)


def _of_profile(profile: str | None, environ: Mapping[str, str], cwd: Path) -> Language:
    """Returns the `lang` of the profile in use. Parses config.toml only where the word stands in it."""
    try:
        paths = Paths.from_environ(environ)
        if not _has_word(paths.config_file):
            return "en"
    except (OSError, ValueError, UsageError):  # ValueError: a NUL in the path
        return "en"
    from alovoice_cli.config.settings import Flags, resolve_leniently

    try:
        return resolve_leniently(Flags(profile=profile), environ, paths, cwd)[0].lang
    except UsageError:
        return "en"
