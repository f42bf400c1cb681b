"""config.toml: the profiles, and which of them is the current one.

profile = "tashkent"

[profiles.tashkent]
base_url = "https://cld.alovoice.uz"
timeout = 30                          # seconds
trunks = ["712037006", "712037007"]

[profiles.tashkent.listen]            # the options of `alovoice listen`
port = 8787
"""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from alovoice_cli.config.keys import KEYS, Key
from alovoice_cli.config.listen_options import LISTEN, LISTEN_KEYS, NOTIFY, TELEGRAM, TELEGRAM_KEYS
from alovoice_cli.config.toml_files import complain, known_names, nearest, parse_toml, read_text, shorten
from alovoice_cli.config.urls import is_loopback_url
from alovoice_cli.errors import BadConfigError, UsageError
from alovoice_cli.language import joined, mark, text_of, tr

NAME = ".alovoice.toml"
_LARGEST_BYTES = 4096
_SAYS = mark('the file of a project contains profile = "NAME" and nothing else')


class Pin(NamedTuple):
    """The profile that a project names, and the file with that name."""

    profile: str
    path: Path


def find_pin(cwd: Path, home: Path | None) -> Pin | None:
    """Returns the nearest pin from `cwd` upwards, up to the home directory or the root.

    Raises BadConfigError for a file larger than 4 kB, with anything but `profile = "NAME"`, or of another user.
    """
    for directory in (cwd, *cwd.parents):
        path = directory / NAME
        text = read_text(path, largest=_LARGEST_BYTES, hint=_SAYS)
        if text is not None:
            return _read(path, text)
        if directory == home:
            break
    return None


def _read(path: Path, text: str) -> Pin:
    # In a directory that everybody may write to, such as /tmp, another user could choose the PBX.
    if hasattr(os, "geteuid") and path.stat().st_uid not in (0, os.geteuid()):
        raise BadConfigError(tr("{path} belongs to another user", path=path), hint=tr("name the profile with -p"))
    table = parse_toml(path, text)
    for key in table:
        if key != "profile":
            raise complain(path, text, [key], tr("{key} is not allowed here", key=shorten(key)), hint=tr(_SAYS))
    profile = table.get("profile")
    if not isinstance(profile, str) or not is_profile_name(profile):
        raise complain(path, text, ["profile"], tr('the file of a project contains profile = "NAME"'))
    return Pin(profile, path)


BASE_URL = "https://cld.alovoice.uz"
SANDBOX_URL = "http://sandbox.localhost"
DEFAULT = "default"
SANDBOX = "sandbox"
BUILT_IN = (DEFAULT, SANDBOX)
"""Built-in profiles, which need no entry in the file."""

_TOP = ("profile", "profiles", "require_profile")
_NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"

NAME_FORM = mark("the name of a profile has letters, digits, `-` and `_`")
SANDBOX_STAYS = mark("the profile sandbox is the simulated PBX: its address must be on this computer")


Profile = Mapping[str, Any]
"""One profile of the file: values by the names of KEYS, `timeout` in seconds; under LISTEN, the options of
`alovoice listen` by the names of LISTEN_KEYS; under NOTIFY, under TELEGRAM, those of TELEGRAM_KEYS."""


class Config(NamedTuple):
    """The whole file. `profile` is the current profile's name; that profile may be missing."""

    profile: str | None = None
    require_profile: bool | None = None
    profiles: Mapping[str, Profile] = {}

    def __repr__(self) -> str:
        return f"<configuration of {', '.join(self.profiles)}>"  # no token command


def configured_url(config: Config, name: str) -> str:
    """Returns the profile's base URL in the file, without flag and environment; the default if missing."""
    url: str | None = config.profiles.get(name, {}).get("base_url")
    return url or (SANDBOX_URL if name == SANDBOX else BASE_URL)


def is_profile_name(name: str) -> bool:
    """Returns whether this may be the name of a profile."""
    return re.fullmatch(_NAME, name) is not None


def unknown_profile(name: str, known: Sequence[str], *, named_by: str = "") -> UsageError:
    """Returns the error that lists the known profiles; `named_by` is the file or variable with the name."""
    message = tr("there is no profile {name}; known profiles: {known}", name=name, known=", ".join(known))
    if named_by:
        message = tr(
            "there is no profile {name} (named by {place}); known profiles: {known}",
            name=name,
            place=named_by,
            known=", ".join(known),
        )
    hint = tr("`alovoice login -p {name}` creates it", name=name) if is_profile_name(name) else tr(NAME_FORM)
    near = nearest(name, known)
    return UsageError(message, hint=joined(" ", (near, hint)) if near else hint)


def bad_profile_name(name: str) -> UsageError:
    """Returns the error for a name that no profile can have."""
    return UsageError(tr("a profile cannot have the name {name}", name=repr(name)), hint=tr(NAME_FORM))


def read_config(path: Path) -> Config:
    """Returns the file's content; an empty Config without a file. Raises BadConfigError."""
    text = read_text(path)
    return Config() if text is None else parse_config(path, text)


def parse_config(path: Path, text: str) -> Config:
    """Parses the text as configuration; `path` is for errors. Raises BadConfigError for unknown content."""
    return _Reader(path, text).config()


class _Reader:
    """One reading: the text, and the errors with their places in the text."""

    def __init__(self, path: Path, text: str) -> None:
        self._path, self._text = path, text

    def config(self) -> Config:
        table = parse_toml(self._path, self._text)
        for key in table:
            if key not in _TOP:
                hint = nearest(key, _TOP)
                if key in KEYS:
                    hint = tr("{key} belongs under {table}", key=key, table="[profiles.NAME]")
                raise complain(self._path, self._text, [key], _unknown_key(key), hint=hint)
        profiles = table.get("profiles", {})
        if not isinstance(profiles, dict):
            raise complain(self._path, self._text, ["profiles"], tr("profiles must be a table: [profiles.NAME]"))
        current = table.get("profile")
        if current is not None and not (isinstance(current, str) and is_profile_name(current)):
            raise complain(self._path, self._text, ["profile"], tr("profile must be the name of a profile in quotes"))
        return Config(
            profile=current,
            require_profile=self._checked([], "require_profile", table, KEYS),
            profiles={name: self._profile(name, profile) for name, profile in profiles.items()},
        )

    def _profile(self, name: str, table: object) -> Profile:
        keys = ["profiles", name]
        if not is_profile_name(name):
            error = bad_profile_name(shorten(name))
            raise complain(self._path, self._text, keys, error.message, hint=error.hint)
        if not isinstance(table, dict):
            raise complain(self._path, self._text, keys, _no_table(keys))
        plain = {key: value for key, value in table.items() if key not in (LISTEN, NOTIFY)}
        profile = self._values(keys, plain, KEYS)
        if LISTEN in table:
            profile[LISTEN] = self._inner(keys, LISTEN, table[LISTEN], LISTEN_KEYS)
        if NOTIFY in table:
            profile[NOTIFY] = self._notify([*keys, NOTIFY], table[NOTIFY])
        if name == SANDBOX and "base_url" in profile and not is_loopback_url(profile["base_url"]):
            raise complain(self._path, self._text, [*keys, "base_url"], SANDBOX_STAYS)
        return profile

    def _notify(self, keys: list[str], table: object) -> dict[str, dict[str, Any]]:
        if not isinstance(table, dict) or table.keys() - {TELEGRAM}:
            trouble = tr(
                "{name} can contain only the table {table}", name=NOTIFY, table=f"[{'.'.join(keys)}.{TELEGRAM}]"
            )
            raise complain(self._path, self._text, keys, trouble)
        return {name: self._inner(keys, name, inner, TELEGRAM_KEYS) for name, inner in table.items()}

    def _inner(self, keys: list[str], name: str, table: object, known: Mapping[str, Key]) -> dict[str, Any]:
        keys = [*keys, name]
        if not isinstance(table, dict):
            raise complain(self._path, self._text, keys, _no_table(keys))
        return self._values(keys, table, known)

    def _values(self, tables: list[str], table: Mapping[str, object], known: Mapping[str, Key]) -> dict[str, Any]:
        """Returns the values of one table, each checked by its key."""
        for key in table:
            if key not in known:
                raise complain(self._path, self._text, [*tables, key], _unknown_key(key), hint=_hint(key, known))
        return {key: self._checked(tables, key, table, known) for key in table}

    def _checked(self, tables: list[str], name: str, table: Mapping[str, object], known: Mapping[str, Key]) -> Any:
        if name not in table:
            return None
        try:
            return known[name].check(table[name])
        except ValueError as error:
            trouble = joined(" ", (name, text_of(error)))
            raise complain(self._path, self._text, [*tables, name], trouble) from error


def _unknown_key(key: str) -> str:
    return tr("unknown key {key}", key=shorten(key))


def _no_table(keys: Sequence[str]) -> str:
    return tr("{name} must be a table: {table}", name=keys[-1], table=f"[{'.'.join(keys)}]")


def _hint(key: str, known: Mapping[str, Key]) -> str:
    if key in LISTEN_KEYS and known is KEYS:
        return tr("{key} belongs under {table}", key=key, table=f"[profiles.NAME.{LISTEN}]")
    return nearest(key, known) or known_names(known)
