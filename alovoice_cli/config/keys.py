"""The keys of a profile: each with its check, for TOML and for the words of `config set`."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from alovoice_cli.config.urls import check_base_url
from alovoice_cli.language import LANGUAGES, Language, mark, tr
from alovoice_cli.masking import mask

Value = str | int | float | bool | tuple[str, ...]

ENCODINGS = ("json", "multipart", "form", "vendor-curl")

_LONGEST_TIMEOUT = 86_400.0  # a day, in seconds: more is a typing error
_TIMEOUT_FORM = mark("must be a number of seconds, above 0 and at most 86400")
_TIMEZONE = r"(?:utc\s*)?[+-]\d{1,2}(?::?\d\d)?|utc|[a-z_]+(?:/[a-z0-9_+-]+)*"
_QUIET = r"none|([01]?\d|2[0-3]):[0-5]\d\s*-\s*([01]?\d|2[0-3]):[0-5]\d"
_MOST = 1_000_000_000
_ALL_PERCENT = 100
_LONGEST_SECONDS = 604_800  # a week
_NO_SECRETS = ("auto", "none")  # words that stand for a secret
_PREFIX = r"\+?[0-9]{1,15}"
_TRUNK = r"\+?[0-9]{1,20}"


class Key(NamedTuple):
    """One key. `check` takes a TOML value, `parse` converts a word to it; both raise ValueError ("must be …").

    The value of a `secret` key is masked in all output, except an `@FILE` with the secret.
    """

    name: str
    check: Callable[[object], Value]
    parse: Callable[[str], object] = str
    default: Value | None = None
    secret: bool = False

    def shown(self, value: Value | None) -> Value | None:
        """Returns the value for display: a secret is masked."""
        if not self.secret or value is None:
            return value
        texts = value if isinstance(value, tuple) else (str(value),)
        masked = tuple(text if text in _NO_SECRETS or text.startswith("@") else mask(text) for text in texts)
        return masked if isinstance(value, tuple) else masked[0]


def check_timeout(value: object) -> float:
    """Returns the value: seconds, above 0 and at most a day. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= _LONGEST_TIMEOUT:
        raise ValueError(tr(_TIMEOUT_FORM))
    return float(value)


def check_encoding(value: object) -> str:
    """Returns one of ENCODINGS. Raises ValueError."""
    if value not in ENCODINGS:
        raise ValueError(tr("must be one of {names}", names=", ".join(ENCODINGS)))
    return str(value)


def check_language(value: object) -> Language:
    """Returns one of LANGUAGES. Raises ValueError."""
    if value not in LANGUAGES:
        raise ValueError(tr("must be one of {names}", names=", ".join(LANGUAGES)))
    return value


def check_timezone(value: object) -> str:
    """Returns `utc +5`, `+05:00` or an IANA name, checked only by its form. Raises ValueError."""
    if not isinstance(value, str) or not re.fullmatch(_TIMEZONE, value.strip(), re.ASCII | re.IGNORECASE):
        raise ValueError(tr("must have a form such as `utc +5`, `+05:00` or `Asia/Tashkent`"))
    return value.strip()


def _check_base_url(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(tr("must be a URL in quotes"))
    # http is checked when the profile is used: `insecure` may follow, or be set next.
    return check_base_url(value, insecure=True)


def check_bool(value: object) -> bool:
    """Returns true or false. Raises ValueError."""
    if not isinstance(value, bool):
        raise ValueError(tr("must be true or false"))
    return value


def check_command(value: object) -> str:
    """Returns a command line without line ends. Raises ValueError."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ValueError(tr("must be a command in one line, in quotes"))
    import shlex

    try:
        shlex.split(value)
    except ValueError as error:
        raise ValueError(tr("must be a command that a shell can read ({problem})", problem=error)) from None
    return value


def _check_store(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ValueError(
            tr(
                "must be a file, or a URL such as sqlite:////var/lib/alovoice/events.db or postgresql://host/db,"
                " in quotes"
            )
        )
    # A relative path would name another file in each directory, and split the listener's history.
    if "://" not in value and not value.startswith("~") and not Path(value).is_absolute():
        raise ValueError(
            tr("must be an absolute path (not {path}), or a URL such as sqlite:////path/to/events.db", path=repr(value))
        )
    return check_kept_store(value.strip())


def check_kept_store(text: str) -> str:
    """Returns the name of a store that a file keeps. Raises ValueError for a URL that holds a password."""
    if "://" in text:
        from alovoice_cli.store_urls import check_stored_url

        return check_stored_url(text)
    return text


def _check_peer_names(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ValueError(tr("must be a file such as /etc/alovoice/extensions.csv, in quotes"))
    if not value.startswith("~") and not Path(value).is_absolute():
        raise ValueError(
            tr("must be an absolute path (not {path}), such as /etc/alovoice/extensions.csv", path=repr(value))
        )
    return value.strip()


def _check_trunks(value: object) -> tuple[str, ...]:
    if value == ["all"]:
        return ("all",)
    if not isinstance(value, list) or not all(isinstance(item, str) and re.fullmatch(_TRUNK, item) for item in value):
        raise ValueError(tr('must be a list of line numbers in quotes, such as ["712037006", "712037007"], or ["all"]'))
    return tuple(value)


def _check_quiet_hours(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(_QUIET, value.strip(), re.ASCII | re.IGNORECASE):
        raise ValueError(tr('must have a form such as "21:00-08:00", or be "none"'))
    begin, _, end = value.partition("-")
    if begin.strip() == end.strip():
        raise ValueError(tr('must not end at the minute when it begins; such as "21:00-08:00"'))
    return value.strip()


def _whole_number(name: str, least: int = 1, default: int | None = None) -> Key:
    """Returns a key that takes a whole number."""

    def form() -> str:
        return tr("must be a whole number, {least} or more", least=least)

    def check(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= _MOST:
            raise ValueError(form())
        return value

    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit()):
            raise ValueError(form())
        return int(text)

    return Key(name, check, parse, default)


def _check_duration_counts(value: object) -> str:
    if value not in ("talk", "total"):
        raise ValueError(tr('must be "talk" (only the talk) or "total" (with the ringing)'))
    return str(value)


def _percent(name: str) -> Key:
    """Returns a key that takes a percentage."""

    def form() -> str:
        return tr("must be a percentage, 0 to 100")

    def check(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= _ALL_PERCENT:
            raise ValueError(form())
        return float(value)

    def parse(text: str) -> float:
        if not re.fullmatch(r"[0-9]{1,3}(?:\.[0-9]{1,3})?\s*%?", text.strip(), re.ASCII):
            raise ValueError(form())
        return float(text.strip().rstrip("%"))

    return Key(name, check, parse)


def _seconds(name: str, least: int = 1, default: int | None = None) -> Key:
    """Returns a key that takes whole seconds; as a word also a span such as `15m`."""

    def form() -> str:
        return tr(
            "must be whole seconds, {least} to {most}, or a length of time such as 30s, 15m or 2h",
            least=least,
            most=_LONGEST_SECONDS,
        )

    def check(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= _LONGEST_SECONDS:
            raise ValueError(form())
        return value

    def parse(text: str) -> int:
        match = re.fullmatch(r"([0-9]{1,7})\s*([smh]?)", text.strip().lower(), re.ASCII)
        if match is None:
            raise ValueError(form())
        return int(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]]

    return Key(name, check, parse, default)


def _check_prefixes(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and re.fullmatch(_PREFIX, item) for item in value):
        raise ValueError(tr('must be a list of prefixes in quotes, such as ["998"] or ["99890", "99891"]'))
    if not value:
        raise ValueError(tr('must contain at least one prefix, such as ["998"]'))
    return tuple(item.removeprefix("+") for item in value)


def parse_bool(text: str) -> bool:
    """Returns the value of `true` or `false`. Raises ValueError."""
    if text not in ("true", "false"):
        raise ValueError(tr("must be true or false"))
    return text == "true"


def _parse_seconds(text: str) -> int | float:
    try:
        return int(text) if text.isascii() and text.isdigit() else float(text)
    except ValueError:
        raise ValueError(tr(_TIMEOUT_FORM)) from None


def _parse_list(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


KEYS = {
    key.name: key
    for key in (
        Key("base_url", _check_base_url),
        Key("encoding", check_encoding, default=ENCODINGS[0]),
        Key("timezone", check_timezone, default="utc +5"),  # of campaigns
        Key("lang", check_language, default="en"),  # of messages, tables and help pages
        Key("timeout", check_timeout, _parse_seconds, default=30.0),  # seconds that a command may talk to the PBX
        Key("token_command", check_command),
        Key("trunks", _check_trunks, _parse_list, default=()),  # lines that campaigns dial by
        Key("store", _check_store),
        Key("peer_names", _check_peer_names),  # a file with the extensions' names
        Key("quiet_hours", _check_quiet_hours, default="21:00-08:00"),
        _whole_number("max_recipients"),  # of one campaign
        Key("allowed_prefixes", _check_prefixes, _parse_list),
        _whole_number("confirm_above", default=100),  # people above whom --yes is not enough
        _whole_number("max_calls_per_run"),
        _whole_number("max_calls_per_day"),
        _whole_number("ai_budget_per_day"),
        _whole_number("trunk_lines"),  # calls that a trunk can carry at once
        _whole_number("reserve_lines", least=0),  # how many of trunk_lines batches leave free
        _whole_number("max_campaigns_per_day"),
        _seconds("service_seconds", default=20),  # the target of the service level
        _seconds("short_abandon_seconds", least=0, default=5),  # who hung up earlier is not counted as abandoned
        Key("duration_counts", _check_duration_counts),  # what the `duration` of a call's end counts: talk or total
        _percent("target_service_level"),  # the targets of `day` and `top`
        _percent("target_answer_rate"),
        _percent("target_abandon_rate"),
        _seconds("target_wait"),
        _whole_number("target_owed", least=0),  # callers who are owed a call
        _seconds("target_callback"),
        Key("insecure", check_bool, parse_bool, default=False),  # http:// to another machine
        Key("require_profile", check_bool, parse_bool, default=False),  # -p is obligatory for dialling
    )
}
"""The keys of a profile and their defaults. The default of `base_url` depends on the profile."""
