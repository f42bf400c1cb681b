"""The options of `listen` that a profile ([profiles.NAME.listen]) or the environment (ALOVOICE_LISTEN_…) may give."""

import re
from collections.abc import Mapping
from pathlib import Path

from alovoice_cli.config.keys import Key, Value, check_bool, parse_bool
from alovoice_cli.config.toml_files import nearest
from alovoice_cli.errors import UsageError

LISTEN = "listen"
"""The table of a profile that holds the keys."""
_VARIABLE = "ALOVOICE_LISTEN_"
_LOG_FORMATS = ("text", "json")
_FORWARD_SECONDS = (0.05, 30.0)


def _check_text(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ValueError("must be a text in one line")
    return value.strip()


def _check_file(value: object) -> str:
    """A path that is the same from every directory: a service has another one than the shell."""
    text = _check_text(value)
    if not text.startswith("~") and not Path(text).is_absolute():
        raise ValueError(f"must be a whole path (not {text!r})")
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
        raise ValueError("must be a port, 0 to 65535")
    return value


def _check_forward_timeout(value: object) -> float:
    least, most = _FORWARD_SECONDS
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise ValueError(f"must be a number of seconds, {least} to {most:.0f}")
    return float(value)


def _check_list(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
        raise ValueError('must be a list of texts in quotes, such as ["…", "…"]')
    return tuple(map(_check_text, value))


def _check_log_format(value: object) -> str:
    if value not in _LOG_FORMATS:
        raise ValueError(f"must be one of {', '.join(_LOG_FORMATS)}")
    return str(value)


def _parse_number(text: str) -> object:
    try:
        return int(text) if text.isascii() and text.isdigit() else float(text)
    except ValueError:
        return text  # the check says what it must be


def _parse_words(text: str) -> list[str]:
    return text.split()


def _parse_networks(text: str) -> list[str]:
    return [word for word in re.split(r"[\s,]+", text) if word]


def _parse_lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


LISTEN_KEYS = {
    key.name: key
    for key in (
        Key("host", "the address to listen on", _check_text),
        Key("port", "0 picks a free one", _check_port, _parse_number),
        Key("store", "where events are kept: a file, or sqlite:////path", _check_text),
        Key("secret", "auto | none | STR | @FILE", _check_secret, secret=True),
        Key("forward", "[TYPE=]URL, several apart by spaces", _check_list, _parse_words),
        Key("forward-timeout", "seconds that a callstart waits for the CRM", _check_forward_timeout, _parse_number),
        Key("forward-header", "NAME: VALUE, or @FILE, one a line", _check_headers, _parse_lines, secret=True),
        Key("forward-json", "true forwards events as JSON, whatever came", check_bool, parse_bool),
        Key("sign-secret", "whsec_…, or @FILE", _check_secret, secret=True),
        Key("exec", "[TYPE=]CMD, one a line", _check_list, _parse_lines),
        Key("rules", "the rules file", _check_file),
        Key("fallback", "a step, such as queue:6000", _check_text),
        Key("deadline", "how long a caller waits for the rules: 700ms", _check_text),
        Key("shadow", "a rules file whose answers are noted", _check_file),
        Key("allow-from", "networks that may deliver", _check_list, _parse_networks),
        Key("trusted-proxy", "networks whose X-Forwarded-For is believed", _check_list, _parse_networks),
        Key("tls-cert", "the certificate's file", _check_file),
        Key("tls-key", "its key's file", _check_file),
        Key("no-dedupe", "true passes repeated deliveries on", check_bool, parse_bool),
        Key("ready-file", "the URLs as JSON, there while all works", _check_file),
        Key("admin", "ADDRESS:PORT of /live, /ready and /metrics", _check_text),
        Key("log-format", " | ".join(_LOG_FORMATS), _check_log_format),
    )
}


LISTEN_DEFAULTS: Mapping[str, Value] = {
    "host": "127.0.0.1",
    "port": 8787,
    "secret": "auto",
    "forward": (),
    "forward-timeout": 2.0,
    "forward-header": (),
    "forward-json": False,
    "exec": (),
    "deadline": "700ms",
    "allow-from": (),
    "trusted-proxy": (),
    "no-dedupe": False,
}
"""What holds where nothing is said; the others are then left out."""


def listen_variable(name: str) -> str:
    """The variable of an option: `forward-timeout` is ALOVOICE_LISTEN_FORWARD_TIMEOUT."""
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
            hint = nearest(variable, known) or f"known are {', '.join(known)}"
            raise UsageError(f"{variable} is no option of `alovoice listen`", hint=hint)
        key = known[variable]
        check = _check_text if key.check in (_check_file, _check_secret) else key.check
        try:
            values[key.name] = check(key.parse(text))
        except ValueError as error:
            raise UsageError(f"{variable} {error}") from None
    return values
