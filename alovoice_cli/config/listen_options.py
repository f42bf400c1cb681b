"""The options of `listen` that a profile ([profiles.NAME.listen]) or the environment (ALOVOICE_LISTEN_…) may give."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from alovoice_cli.config.keys import Key, Value, check_bool, check_command, check_kept_store, parse_bool
from alovoice_cli.config.toml_files import known_names, nearest
from alovoice_cli.config.urls import InsecureError, check_base_url
from alovoice_cli.errors import UsageError
from alovoice_cli.language import joined, text_of, tr

if TYPE_CHECKING:
    from alovoice_cli.config.settings import Settings

_T = TypeVar("_T")
LISTEN = "listen"
"""The table of a profile that holds the keys."""
NOTIFY, TELEGRAM = "notify", "telegram"
"""The tables of a profile, one in the other, that hold the keys of a messenger."""
_VARIABLE = "ALOVOICE_LISTEN_"
_LOG_FORMATS = ("text", "json")
_FORWARD_SECONDS = (0.05, 30.0)


def _check_text(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ValueError(tr("must be a text in one line"))
    return value.strip()


def _check_file(value: object) -> str:
    """Returns a path that is the same from every directory: a service has another directory than the shell.

    Raises ValueError.
    """
    text = _check_text(value)
    if not text.startswith("~") and not Path(text).is_absolute():
        raise ValueError(tr("must be an absolute path (not {path})", path=repr(text)))
    return text


def _check_secret(value: object) -> str:
    text = _check_text(value)
    if text.startswith("@"):
        return "@" + _check_file(text[1:])
    return text


def _check_headers(value: object) -> tuple[str, ...]:
    return tuple(map(_check_secret, _check_list(value)))


def _check_port(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 65535:
        raise ValueError(tr("must be a port, 0 to 65535"))
    return value


def _check_forward_timeout(value: object) -> float:
    least, most = _FORWARD_SECONDS
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise ValueError(tr("must be a number of seconds, {least} to {most}", least=least, most=f"{most:.0f}"))
    return float(value)


def _check_list(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
        raise ValueError(tr('must be a list of texts in quotes, such as ["…", "…"]'))
    return tuple(map(_check_text, value))


def _check_store(value: object) -> str:
    return check_kept_store(_check_text(value))


def _check_log_format(value: object) -> str:
    if value not in _LOG_FORMATS:
        raise ValueError(tr("must be one of {names}", names=", ".join(_LOG_FORMATS)))
    return str(value)


def _check_notify_on(value: object) -> str:
    if value != "missed":
        raise ValueError(tr("must be `missed`"))
    return "missed"


def _check_api_url(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(tr("must be a URL in quotes"))
    try:
        return check_base_url(value)
    except InsecureError:  # the profile's `insecure` is only about the PBX
        raise ValueError(tr("must be https://: with http:// others can read the token on the network")) from None


def _parse_number(text: str) -> object:
    try:
        return int(text) if text.isascii() and text.isdigit() else float(text)
    except ValueError:
        return text  # the caller's check explains the allowed form


def _parse_words(text: str) -> list[str]:
    return text.split()


def _parse_networks(text: str) -> list[str]:
    return [word for word in re.split(r"[\s,]+", text) if word]


def _parse_lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


LISTEN_KEYS = {
    key.name: key
    for key in (
        Key("host", _check_text, default="127.0.0.1"),
        Key("port", _check_port, _parse_number, default=8787),
        Key("store", _check_store),
        Key("secret", _check_secret, secret=True, default="auto"),
        Key("forward", _check_list, _parse_words, default=()),
        Key("forward-timeout", _check_forward_timeout, _parse_number, default=2.0),
        Key("forward-header", _check_headers, _parse_lines, default=(), secret=True),
        Key("forward-json", check_bool, parse_bool, default=False),
        Key("sign-secret", _check_secret, secret=True),
        Key("exec", _check_list, _parse_lines, default=()),
        Key("notify", _check_list, _parse_lines, default=()),
        Key("notify-on", _check_notify_on, default="missed"),
        Key("grace", _check_text, default="90s"),
        Key("rules", _check_file),
        Key("fallback", _check_text),
        Key("deadline", _check_text, default="700ms"),
        Key("shadow", _check_file),
        Key("allow-from", _check_list, _parse_networks, default=()),
        Key("trusted-proxy", _check_list, _parse_networks, default=()),
        Key("tls-cert", _check_file),
        Key("tls-key", _check_file),
        Key("no-dedupe", check_bool, parse_bool, default=False),
        Key("ready-file", _check_file),
        Key("admin", _check_text),
        Key("log-format", _check_log_format),
    )
}

TELEGRAM_KEYS = {
    key.name: key
    for key in (
        Key("token_command", check_command),
        Key("api_url", _check_api_url, default="https://api.telegram.org"),  # or one's own Bot API server
    )
}
"""The keys of [profiles.NAME.notify.telegram]."""


def listen_variable(name: str) -> str:
    """Returns the variable of an option: `forward-timeout` is ALOVOICE_LISTEN_FORWARD_TIMEOUT."""
    return _VARIABLE + name.upper().replace("-", "_")


def listen_values(environ: Mapping[str, str]) -> dict[str, Value]:
    """What the environment says of the options, by their names; a variable that is empty says nothing.

    Raises UsageError for a variable that no option has, and for a bad value. A file may be named from where the program
    is started: only a profile's must be a whole path.
    """
    known = {listen_variable(name): key for name, key in LISTEN_KEYS.items()}
    values: dict[str, Value] = {}
    for variable, text in environ.items():
        if not variable.startswith(_VARIABLE) or not text.strip():
            continue
        if variable not in known:
            hint = nearest(variable, known) or known_names(known)
            raise UsageError(tr("{variable} is not an option of `alovoice listen`", variable=variable), hint=hint)
        key = known[variable]
        check = _check_text if key.check in (_check_file, _check_secret) else key.check
        try:
            values[key.name] = check(key.parse(text))
        except ValueError as error:
            raise UsageError(joined(" ", (variable, text_of(error)))) from None
    return values


class ListenSettings(NamedTuple):
    """The options of `listen` in the environment and the profile, by their names."""

    environment: Mapping[str, Value]
    profile: Mapping[str, Value]
    profile_name: str

    @classmethod
    def of(cls, settings: "Settings") -> "ListenSettings":
        """Raises UsageError for a variable ALOVOICE_LISTEN_… that no option has, or that holds a bad value."""
        return cls(listen_values(settings.environ), settings.listen, settings.profile)

    def first(self, name: str, flag: _T | None) -> _T:
        """Returns the option by its flag, else from the environment, the profile, or the default; None without any."""
        value: Any = flag if flag is not None else self.find(name)[0]
        return cast(_T, value)  # the key's own check gives the type; None for an optional option

    def all(self, name: str, flags: Sequence[str] | None) -> tuple[str, ...]:
        """Returns all values of an option that may be given several times; they all come from one place."""
        return self.first(name, tuple(flags) if flags else None)

    def find(self, name: str) -> tuple[Value | None, str]:
        """Returns the option without its flag, and its source."""
        if name in self.environment:
            return self.environment[name], f"environment {listen_variable(name)}"
        if name in self.profile:
            return self.profile[name], f"profile {self.profile_name}"
        return LISTEN_KEYS[name].default, "default"
