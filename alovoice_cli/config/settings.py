"""The settings of this run: flag, then environment, then profile, then default; and the source of each."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, NamedTuple

from alovoice_cli.config import tokens
from alovoice_cli.config.keys import KEYS, Value, check_timeout
from alovoice_cli.config.language_choice import VARIABLE, language_of_environment
from alovoice_cli.config.listen_options import LISTEN, NOTIFY, TELEGRAM, TELEGRAM_KEYS
from alovoice_cli.config.paths import Paths, check_permissions, warn_of_permissions
from alovoice_cli.config.profiles import (
    BASE_URL,
    BUILT_IN,
    DEFAULT,
    SANDBOX,
    SANDBOX_STAYS,
    Config,
    bad_profile_name,
    configured_url,
    find_pin,
    is_profile_name,
    read_config,
    unknown_profile,
)
from alovoice_cli.config.tokens import run_token_command
from alovoice_cli.config.urls import check_base_url, is_loopback_url, origin_of
from alovoice_cli.errors import BadConfigError, UsageError
from alovoice_cli.language import Language, joined, text_of, tr
from alovoice_cli.masking import mask

_REAL_ONES = ("ALOVOICE_BASE_URL", "ALOVOICE_TOKEN")  # a real PBX's


class Flags(NamedTuple):
    """The command line's values; None where not given. `timeout` is in seconds."""

    profile: str | None = None
    base_url: str | None = None
    timeout: float | None = None
    no_permission_check: bool = False
    lang: Language | None = None


class Token(NamedTuple):
    """A token and its source: `environment ALOVOICE_TOKEN`, `tokens.toml` or `token_command`."""

    value: str
    source: str

    def __str__(self) -> str:
        return mask(self.value)

    def __repr__(self) -> str:
        return str(self)


class Settings(NamedTuple):
    """The settings in force. `timeout` is in seconds; `trunks` are the lines of campaigns that name none.
    `store` is where the profile keeps its events, if it says so: `event_store_url` has the whole rule. `peer_names` is
    the file of the extensions' names. `listen` are the options of `alovoice listen` that the profile gives, `telegram`
    its keys of that messenger.

    `origin` says for each of them where it came from: `flag`, `environment ALOVOICE_…`, `profile NAME`, `config.toml`,
    `project FILE` or `default`. `profile_conflict` is one line for commands that dial, or empty.
    """

    profile: str
    base_url: str
    timeout: float
    encoding: str
    timezone: str
    lang: Language
    trunks: tuple[str, ...]
    store: str | None
    peer_names: str | None
    quiet_hours: str
    max_recipients: int | None
    allowed_prefixes: tuple[str, ...] | None
    max_campaigns_per_day: int | None
    confirm_above: int
    max_calls_per_run: int | None
    max_calls_per_day: int | None
    ai_budget_per_day: int | None
    trunk_lines: int | None
    reserve_lines: int | None
    service_seconds: int
    short_abandon_seconds: int
    duration_counts: Literal["talk", "total"] | None
    target_service_level: float | None
    target_answer_rate: float | None
    target_abandon_rate: float | None
    target_wait: int | None
    target_owed: int | None
    target_callback: int | None
    insecure: bool
    require_profile: bool
    listen: Mapping[str, Value]
    telegram: Mapping[str, Value]
    origin: Mapping[str, str]
    profile_conflict: str
    configured_url: str
    """The profile's base URL, before flag and environment."""
    permission_check: bool
    token_command: str | None
    paths: Paths
    environ: Mapping[str, str]

    def __repr__(self) -> str:
        return f"<settings of the profile {self.profile}>"  # neither its token command nor the environment

    @property
    def embedded(self) -> bool:
        """Returns whether the PBX is the simulated one in this process: the profile sandbox without another address."""
        return self.profile == SANDBOX and self.origin["base_url"] == "default"

    @property
    def ignored(self) -> tuple[str, ...]:
        """Returns the variables that are set, and that the profile sandbox ignores."""
        names = _REAL_ONES if self.profile == SANDBOX else ()
        return tuple(name for name in names if self.environ.get(name))

    def event_store_url(self, flag: str | None = None) -> str:
        """Returns the event store: `--store`, else the profile's `store`, else the profile's file in the state
        directory.

        A value is `sqlite:///FILE` or a path alone; `~` is the home directory of `paths`.
        """
        named = flag or self.store
        if named is None:
            return self.own_file_url
        return str(self.paths.from_home(named)) if named.startswith("~") else named

    @property
    def own_file_url(self) -> str:
        """Returns the event store of a profile without `store`."""
        return f"sqlite:///{self._own_file('events', 'db')}"

    @property
    def override_path(self) -> Path:
        """Returns the file of override switches; it may be missing."""
        return self._own_file("override", "json")

    @property
    def told_names_path(self) -> Path:
        """Returns the file of the extensions' names that the PBX told last; it may be missing."""
        return self._own_file("extensions", "json")

    def _own_file(self, stem: str, suffix: str) -> Path:
        """Returns a file of this profile in the state directory."""
        return self.paths.state / (f"{stem}.{suffix}" if self.profile == DEFAULT else f"{stem}-{self.profile}.{suffix}")

    def find_token(self) -> Token | None:
        """Returns the token of the profile, or None.

        The sandbox ignores ALOVOICE_TOKEN: it is a real PBX's. Raises UsageError for a malformed token and for a token
        of another server, BadConfigError for an unreadable tokens.toml or an untrusted token command, and
        TokenMissingError when that command fails.
        """
        given = self.environ.get("ALOVOICE_TOKEN")
        if given and self.profile != SANDBOX:
            return Token(tokens.check_token(given, "ALOVOICE_TOKEN"), "environment ALOVOICE_TOKEN")
        stored = tokens.read(self.paths, self.profile)
        if stored is not None:
            if stored.origin is None and self.configured_url != BASE_URL:
                self.check_permissions(tr("its base_url is not trusted with a token that an older version stored"))
            self._check_origin(stored.origin or origin_of(self.configured_url))
            return Token(stored.value, "tokens.toml")
        if self.token_command is not None:
            self.check_permissions(tr("its token_command is not run"))
            self._check_origin(origin_of(self.configured_url), is_command=True)
            return Token(run_token_command(self.token_command, self.environ, self.timeout), "token_command")
        return None

    @property
    def telegram_url(self) -> str:
        """Returns the base URL of the Bot API."""
        return str(self.telegram.get("api_url") or TELEGRAM_KEYS["api_url"].default)

    def token_origin(self) -> str | None:
        """Returns the only server that the profile's own token may be sent to.

        Returns None with ALOVOICE_TOKEN, which goes to the server of its run, and without a token.
        """
        source = self.token_source()
        if source not in ("tokens.toml", "token_command"):
            return None
        stored = tokens.read_all(self.paths).get(self.profile) if source == "tokens.toml" else None
        return (stored and stored.origin) or origin_of(self.configured_url)

    def warn_of_permissions(self) -> str:
        """Returns a warning where others may change config.toml, else ''."""
        return warn_of_permissions(self.paths) if self.permission_check else ""

    def check_permissions(self, consequence: str) -> None:
        """Raises BadConfigError with the consequence where others may change config.toml, unless that is agreed to."""
        if self.permission_check:
            check_permissions(self.paths, consequence)

    def _check_origin(self, origin: str, *, is_command: bool = False) -> None:
        """Raises UsageError where this run's server is not the token's server."""
        if origin_of(self.base_url) == origin:
            return
        raise tokens.foreign_server(
            self.profile,
            origin,
            self.base_url,
            self.origin["base_url"].removeprefix("environment "),
            is_command=is_command,
        )

    def token_source(self) -> str:
        """Returns the token's source, or ''; does not run the token command, and accepts a broken tokens.toml."""
        if self.environ.get("ALOVOICE_TOKEN") and self.profile != SANDBOX:
            return "environment ALOVOICE_TOKEN"
        try:
            stored = self.profile in tokens.read_all(self.paths)
        except BadConfigError:
            return ""
        return "tokens.toml" if stored else "token_command" if self.token_command else ""


def resolve(
    flags: Flags, environ: Mapping[str, str], paths: Paths, cwd: Path, *, allow_new_profile: bool = False
) -> Settings:
    """Returns the settings of this run. A project's `.alovoice.toml` is searched from `cwd` upwards.

    Raises BadConfigError for a malformed file, and UsageError for an unknown profile (unless `allow_new_profile`: for
    `login`), a bad flag or variable, or a base URL that would send the token unencrypted.
    """
    config = read_config(paths.config_file)
    name, origin = _choose_profile(flags, environ, paths, cwd, config)
    _check_profile_name(name, origin, config, paths, allow_new=allow_new_profile)
    return _Choice(flags, environ, paths, config, name, origin).settings()


def resolve_leniently(
    flags: Flags, environ: Mapping[str, str], paths: Paths, cwd: Path
) -> tuple[Settings, BadConfigError | None]:
    """Resolves as `resolve` does; for a malformed file returns defaults, and the error."""
    try:
        return resolve(flags, environ, paths, cwd), None
    except BadConfigError as problem:
        name, origin = _choose_profile_leniently(flags, environ, paths, cwd)
        return _Choice(flags, environ, paths, Config(), name, origin).settings(), problem


def _choose_profile_leniently(flags: Flags, environ: Mapping[str, str], paths: Paths, cwd: Path) -> tuple[str, str]:
    """Chooses as `_choose_profile` does; a malformed file names no profile."""
    config = Config()
    with suppress(BadConfigError):
        config = read_config(paths.config_file)
    try:
        return _choose_profile(flags, environ, paths, cwd, config)
    except BadConfigError:
        return (config.profile, "config.toml") if config.profile else (DEFAULT, "default")


def known_profiles(config: Config, paths: Paths) -> list[str]:
    """Returns the profiles' names, sorted: built-in, of config.toml, and those with a token only."""
    try:
        with_token = tokens.read_all(paths).keys()
    except BadConfigError:
        with_token = {}.keys()
    return sorted({*BUILT_IN, *config.profiles, *with_token})


def _choose_profile(
    flags: Flags, environ: Mapping[str, str], paths: Paths, cwd: Path, config: Config
) -> tuple[str, str]:
    """Returns the profile's name, and the source of the name."""
    if flags.profile is not None:
        return flags.profile, "flag"
    if named := environ.get("ALOVOICE_PROFILE"):
        return named, "environment ALOVOICE_PROFILE"
    if pin := find_pin(cwd, paths.home):
        return pin.profile, f"project {pin.path}"
    if config.profile is not None:
        return config.profile, "config.toml"
    return DEFAULT, "default"


def _check_profile_name(name: str, origin: str, config: Config, paths: Paths, *, allow_new: bool) -> None:
    if name in BUILT_IN or name in config.profiles:
        return
    if not is_profile_name(name):
        raise bad_profile_name(name)
    known = known_profiles(config, paths)
    if allow_new or name in known:
        return
    error = unknown_profile(name, known, named_by="" if origin == "flag" else origin.removeprefix("environment "))
    if origin == "flag" or origin.startswith("environment"):
        raise error
    another = tr("`alovoice config use NAME` chooses another profile")
    raise BadConfigError(error.message, hint=joined("; ", (error.hint, another)))


class _Choice:
    """Takes each setting from the first source that has it, and remembers the source."""

    def __init__(
        self, flags: Flags, environ: Mapping[str, str], paths: Paths, config: Config, name: str, origin: str
    ) -> None:
        self._flags, self._environ, self._paths, self._config = flags, environ, paths, config
        self._name = name
        self._profile = config.profiles.get(name, {})
        self._origin = {"profile": origin}

    def settings(self) -> Settings:
        own_rule = ("base_url", "lang", "timeout", "require_profile", "token_command")
        plain = {name: self._of_profile(name, key.default) for name, key in KEYS.items() if name not in own_rule}
        no_check = self._flags.no_permission_check or self._environ.get("ALOVOICE_NO_PERMISSION_CHECK") == "1"
        return Settings(
            **plain,
            profile=self._name,
            base_url=self._base_url(insecure=plain["insecure"]),
            timeout=self._timeout(),
            lang=self._lang(),
            require_profile=self._require_profile(),
            listen=self._profile.get(LISTEN, {}),
            telegram=self._profile.get(NOTIFY, {}).get(TELEGRAM, {}),
            origin=self._origin,
            profile_conflict=self._conflict(),
            configured_url=configured_url(self._config, self._name),
            permission_check=not no_check,
            token_command=self._profile.get("token_command"),
            paths=self._paths,
            environ=self._environ,
        )

    def _base_url(self, *, insecure: bool) -> str:
        # The sandbox ignores the environment: ALOVOICE_BASE_URL is a real PBX's address.
        variable = self._environ.get("ALOVOICE_BASE_URL") if self._name != SANDBOX else None
        if self._flags.base_url is not None:
            url, place, self._origin["base_url"] = self._flags.base_url, "--base-url", "flag"
        elif variable:
            url, place = variable, "ALOVOICE_BASE_URL"
            self._origin["base_url"] = f"environment {place}"
        else:
            url = self._of_profile("base_url", configured_url(self._config, self._name))
            place = f"profiles.{self._name}.base_url"
        try:
            url = check_base_url(url, insecure=insecure)
        except ValueError as error:
            kind = BadConfigError if self._origin["base_url"] == f"profile {self._name}" else UsageError
            message = joined(" ", (place, text_of(error)))
            raise kind(message, hint=tr("such as {example}", example=BASE_URL)) from None
        if self._name == SANDBOX and not is_loopback_url(url):
            raise UsageError(tr(SANDBOX_STAYS), hint=tr("name the profile of the real PBX with -p"))
        return url

    def _timeout(self) -> float:
        given = self._flags.timeout
        if given is None:
            return float(self._of_profile("timeout", KEYS["timeout"].default))
        self._origin["timeout"] = "flag"
        try:
            return check_timeout(given)
        except ValueError as error:
            raise UsageError(joined(" ", ("--timeout", text_of(error)))) from None

    def _lang(self) -> Language:
        if self._flags.lang is not None:
            self._origin["lang"] = "flag"
            return self._flags.lang
        if named := language_of_environment(self._environ):
            self._origin["lang"] = f"environment {VARIABLE}"
            return named
        lang: Language = self._of_profile("lang", KEYS["lang"].default)
        return lang

    def _of_profile(self, name: str, default: Value | None) -> Any:
        self._origin[name] = f"profile {self._name}" if name in self._profile else "default"
        return self._profile.get(name, default)

    def _require_profile(self) -> bool:
        if "require_profile" not in self._profile and self._config.require_profile is not None:
            self._origin["require_profile"] = "config.toml"
            return self._config.require_profile
        return bool(self._of_profile("require_profile", default=False))

    def _conflict(self) -> str:
        named = self._environ.get("ALOVOICE_PROFILE")
        if self._flags.profile is None or not named or named == self._name:
            return ""
        return tr("profile {name} (from -p) has priority over {other} (ALOVOICE_PROFILE)", name=self._name, other=named)
