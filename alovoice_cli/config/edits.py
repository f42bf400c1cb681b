"""Changes single values of config.toml and keeps everything else: comments, order and blank lines are the user's.

A key is written `[PROFILE.]NAME`: `tashkent.timeout`. Without a profile it belongs to the current profile, except
`profile` and `require_profile`, which stand at the top of the file. `[PROFILE.]listen.NAME` is an option of `listen`,
`[PROFILE.]notify.telegram.NAME` a key of that messenger.
"""

import copy
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import tomlkit
import tomlkit.exceptions

from alovoice_cli.config.keys import KEYS, Key, Value
from alovoice_cli.config.listen_options import LISTEN, LISTEN_KEYS, NOTIFY, TELEGRAM, TELEGRAM_KEYS
from alovoice_cli.config.paths import Paths
from alovoice_cli.config.profiles import (
    DEFAULT,
    SANDBOX,
    SANDBOX_STAYS,
    Config,
    bad_profile_name,
    configured_url,
    is_profile_name,
    parse_config,
    read_config,
    unknown_profile,
)
from alovoice_cli.config.settings import known_profiles
from alovoice_cli.config.tokens import LONGEST_TOKEN, StoredToken, bound_tokens, check_token, tokens_text
from alovoice_cli.config.toml_files import known_names, locked, nearest, parse_toml, read_text, replace
from alovoice_cli.config.urls import check_base_url, is_loopback_url, origin_of
from alovoice_cli.errors import BadConfigError, UsageError
from alovoice_cli.language import joined, text_of, tr

_AT_THE_TOP = ("profile", "require_profile")
_TABLES: Mapping[tuple[str, ...], Mapping[str, Key]] = {
    (): KEYS,
    (LISTEN,): LISTEN_KEYS,
    (NOTIFY, TELEGRAM): TELEGRAM_KEYS,
}
"""The keys of a profile by the tables in which they stand."""


@dataclass(frozen=True, slots=True)
class TomlPlace:
    """The place of a key: at the top of the file (`profile` is None), in a profile, or in one of its tables."""

    name: str
    profile: str | None
    tables: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """Returns the key, behind the names of the tables around it."""
        if self.profile is None:
            return (self.name,)
        return ("profiles", self.profile, *self.tables, self.name)

    @property
    def key(self) -> Key:
        """Returns the definition of the key."""
        return _TABLES[self.tables][self.name]

    def shown(self, value: Value | None) -> Value | None:
        """Returns the value for display: a secret is masked."""
        return value if self.profile is None else self.key.shown(value)

    @property
    def label(self) -> str:
        """Returns the name of the key for messages."""
        return ".".join((*self.tables, self.name))


@dataclass(frozen=True, slots=True)
class ConfigChange:
    """The result of `set_value`. `created`: the profile did not exist before.

    `token_origin` is the server of the profile's stored token, if the new base URL is another server.
    """

    place: TomlPlace
    value: Value
    created: bool
    token_origin: str | None = None


def get_value(paths: Paths, key: str, *, profile: str | None = None) -> Value | None:
    """Returns the key's value in the file, or None. `profile` is the owner of a bare key. Raises UsageError."""
    config = read_config(paths.config_file)
    place = find_place(key, config, profile)
    value: Value | None
    if place.profile is None:
        value = getattr(config, place.name)
        return value
    held: Any = config.profiles.get(place.profile, {})
    for table in place.tables:
        held = held.get(table, {})
    value = held.get(place.name)
    return value


def set_value(paths: Paths, key: str, text: str, *, profile: str | None = None, rehearse: bool = False) -> ConfigChange:
    """Sets the key to the value of the word; creates a new profile. `rehearse` only checks.

    Raises UsageError for an unknown key or a bad value, and BadConfigError for a broken or unreachable file.
    """
    with locked(paths):
        source = read_text(paths.config_file) or ""
        config = parse_config(paths.config_file, source)
        place = find_place(key, config, profile)
        if place.keys == ("profile",) and text not in (known := known_profiles(config, paths)):
            raise unknown_profile(text, known)
        plain = _parse(place, text)
        value = _check(place, plain, config)
        tokens = _bound_tokens(paths, place, config)
        if not rehearse:
            _write(paths, _changed(paths, source, lambda table: _put(table, place.keys, plain)), tokens)
    created = place.profile is not None and place.profile not in known_profiles(config, paths)
    stored = tokens.get(place.profile or "")
    foreign = stored is not None and stored.origin != origin_of(str(value))
    return ConfigChange(place, value, created, stored.origin if stored and foreign else None)


def unset_value(paths: Paths, key: str, *, profile: str | None = None) -> bool:
    """Removes the key; returns False if it was not set. A profile without keys stays known.

    Raises UsageError for an unknown key, and BadConfigError for a broken or unreachable file.
    """
    with locked(paths):
        source = read_text(paths.config_file) or ""
        config = parse_config(paths.config_file, source)
        place = find_place(key, config, profile)
        table: object = parse_toml(paths.config_file, source)
        for step in place.keys:
            if not isinstance(table, dict) or step not in table:
                return False
            table = table[step]
        tokens = _bound_tokens(paths, place, config)
        _write(paths, _changed(paths, source, lambda table: _remove(table, place.keys)), tokens)
    return True


def with_profile(paths: Paths, source: str, name: str, values: Mapping[str, str]) -> bytes:
    """Returns config.toml with these values in `[profiles.NAME]`, which is created if missing.

    Raises UsageError for a bad name or value, and BadConfigError for a broken file.
    """
    if not is_profile_name(name):
        raise bad_profile_name(name)
    config = parse_config(paths.config_file, source)
    for key, text in values.items():
        _check(TomlPlace(key, name), text, config)

    def change(table: dict[str, object]) -> None:
        if name not in config.profiles:
            _put(table, ("profiles", name), {})
        for key, text in values.items():
            _put(table, ("profiles", name, key), text)

    return _changed(paths, source, change)


def setting_names() -> tuple[str, ...]:
    """Returns every key that `config set` knows, as it is typed without a profile: `timeout`, `listen.forward`."""
    names = (".".join((*tables, name)) for tables, keys in _TABLES.items() for name in keys)
    return tuple(dict.fromkeys((*_AT_THE_TOP, *names)))


def find_place(key: str, config: Config, profile: str | None) -> TomlPlace:
    """Returns the place of the key in the file. Raises UsageError for an unknown key and a bad profile name."""
    owner, dot, name = key.rpartition(".")
    if not dot and name in _AT_THE_TOP:
        return TomlPlace(name, None)
    # A profile may be called `listen`, and have a `store`.
    is_profile = owner in config.profiles and name in KEYS
    tables = () if is_profile else next((one for one in _TABLES if one and _ends_with(owner, one)), ())
    if tables:
        owner = ".".join(owner.split(".")[: -len(tables)])
    if name not in _TABLES[tables]:
        raise _unknown(".".join((*tables, name)), [".".join((*tables, key)) for key in _TABLES[tables]])
    if not owner and not key.startswith("."):
        owner = profile or config.profile or DEFAULT
    if not is_profile_name(owner):
        raise bad_profile_name(owner)
    return TomlPlace(name, owner, tables)


def _ends_with(owner: str, tables: tuple[str, ...]) -> bool:
    return tuple(owner.split(".")[-len(tables) :]) == tables


def _unknown(name: str, known: Collection[str]) -> UsageError:
    return UsageError(tr("there is no setting {name}", name=name), hint=nearest(name, known) or known_names(known))


def _parse(place: TomlPlace, text: str) -> object:
    if place.keys == ("profile",):
        return text
    try:
        return place.key.parse(text)
    except ValueError as error:
        raise UsageError(joined(" ", (place.label, text_of(error)))) from None


def _check(place: TomlPlace, plain: object, config: Config) -> Value:
    """Returns the value of the key. Stricter than reading: a zone must exist, http must be agreed to."""
    if place.keys == ("profile",):
        return str(plain)
    held = config.profiles.get(place.profile or "", {})
    try:
        value = place.key.check(plain)
        if place.name == "base_url":
            check_base_url(str(value), insecure=held.get("insecure", False))
        if place.name == "timezone":
            _check_zone(str(value))
    except ValueError as error:
        raise UsageError(joined(" ", (place.label, text_of(error)))) from None
    if place.name == "base_url" and place.profile == SANDBOX and not is_loopback_url(str(value)):
        raise UsageError(
            tr(SANDBOX_STAYS), hint=tr("set it for another profile: `alovoice config set NAME.base_url URL`")
        )
    return value


def _check_zone(name: str) -> None:
    if name.lower().startswith("utc") or name.startswith(("+", "-")):
        return
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError) as error:  # OSError: `Asia` is a directory of zones
        raise ValueError(tr("{name} is not a known time zone; such as Asia/Tashkent or +05:00", name=name)) from error


def _bound_tokens(paths: Paths, place: TomlPlace, config: Config) -> dict[str, StoredToken]:
    """Returns the stored tokens with their servers, as before the base URL changes; None if no token changes."""
    return bound_tokens(paths, config) if place.name == "base_url" else {}


def _write(paths: Paths, config_text: bytes, tokens: Mapping[str, StoredToken]) -> None:
    contents = {paths.tokens_file: tokens_text(tokens)} if tokens else {}
    replace({**contents, paths.config_file: config_text})


def _changed(paths: Paths, source: str, change: Callable[[dict[str, object]], None]) -> bytes:
    """Returns the user's text with the change. Raises BadConfigError where the result would have another meaning."""
    path = paths.config_file
    meant = copy.deepcopy(parse_toml(path, source))
    change(meant)
    try:
        document = tomlkit.parse(source)
        change(document)
        result = tomlkit.dumps(document)
        done = parse_toml(path, result) == meant
    except (tomlkit.exceptions.TOMLKitError, BadConfigError, ValueError, KeyError, TypeError, RecursionError):
        done = False
    if not done:
        raise BadConfigError(
            tr("{path} has a form that cannot be changed safely", path=path), hint=tr("change it by hand")
        )
    parse_config(path, result)
    return result.encode()


def _put(table: dict[str, object], keys: tuple[str, ...], value: object) -> None:
    for position, key in enumerate(keys[:-1]):
        if key not in table:
            # `profiles` needs no header of its own: [profiles.NAME] implies it.
            table[key] = tomlkit.table(is_super_table=position == 0) if _is_document(table) else {}
        table = _subtable(table, key)
    if value == {}:
        value = tomlkit.table() if _is_document(table) else {}
    table[keys[-1]] = value


def _remove(table: dict[str, object], keys: tuple[str, ...]) -> None:
    for key in keys[:-1]:
        table = _subtable(table, key)
    del table[keys[-1]]


def _subtable(table: Mapping[str, object], key: str) -> dict[str, object]:
    inner = table[key]
    if not isinstance(inner, dict):
        raise TypeError(f"{key} is no table")
    return inner


def _is_document(table: object) -> bool:
    """Returns whether tomlkit, not tomllib, made this table."""
    return type(table).__module__.startswith("tomlkit")


@dataclass(frozen=True, slots=True)
class Login:
    """A profile, the base URL for its token, and whether this URL becomes the profile's `base_url`."""

    profile: str
    base_url: str
    changes_base_url: bool = False
    token_command: str | None = field(default=None, repr=False)

    def describe_place(self, paths: Paths) -> str:
        """Returns where the token will be stored."""
        if self.token_command is not None:
            return tr(
                "the command, not the token, will be stored for profile {profile} in {path}",
                profile=self.profile,
                path=paths.config_file,
            )
        return tr(
            "the token of profile {profile} will be stored in {path}, as plain text that only you can read;"
            " --token-command takes it from another program",
            profile=self.profile,
            path=paths.tokens_file,
        )


def check_place(paths: Paths, login: Login) -> None:
    """Checks that the login can be stored: directory, lock, links, disk space, readable files.

    Raises BadConfigError and UsageError, as `keep_login` does.
    """
    _keep(paths, login, "x" * LONGEST_TOKEN, rehearse=True)


def keep_login(paths: Paths, login: Login, token: str) -> None:
    """Stores the token, or a command in its place, and a changed base URL: everything or nothing.

    Raises UsageError for a bad name or token, BadConfigError for a file that is broken or not writable.
    """
    _keep(paths, login, check_token(token, tr("the input")), rehearse=False)


def _keep(paths: Paths, login: Login, token: str, *, rehearse: bool) -> None:
    with locked(paths):
        source = read_text(paths.config_file) or ""
        config = parse_config(paths.config_file, source)
        before = bound_tokens(paths, config)
        values: dict[str, str] = {}
        tokens = {name: stored for name, stored in before.items() if name != login.profile}
        if login.token_command is None:
            tokens[login.profile] = StoredToken(token, origin_of(login.base_url))
        else:
            values["token_command"] = login.token_command
        if login.changes_base_url or (login.token_command and _moves(config, login)):
            values["base_url"] = login.base_url
        contents = {paths.config_file: with_profile(paths, source, login.profile, values)}
        if contents[paths.config_file] == source.encode():
            contents = {}
        if login.token_command is None or tokens != before:
            contents = {paths.tokens_file: tokens_text(tokens), **contents}
        replace(contents, rehearse=rehearse)


def _moves(config: Config, login: Login) -> bool:
    """Returns whether the server differs from the profile's own, the only server that gets a command's token."""
    return origin_of(configured_url(config, login.profile)) != origin_of(login.base_url)
