"""The targets of events: the words of `--forward` and `--exec`."""

import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlsplit

from alovoice_cli.errors import UsageError
from alovoice_cli.events.event import CALL_TYPES, PBX_TYPES, Delivery, EventType, TargetType
from alovoice_cli.language import tr
from alovoice_cli.masking import disarm

_TOLD_TO_ALL: tuple[EventType, ...] = ("callstart", "callend", "result")
"""The types that targets without a type receive. Only targets that name `route` receive route questions."""

EventReader = Callable[[Delivery], Mapping[str, object]]
"""Returns the event of a stored delivery as JSON, for programs, and with `--forward-json` also for URLs."""

_CHAT = r"-?[1-9][0-9]{0,19}|@[A-Za-z][A-Za-z0-9_]{3,63}"
_HEADER_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?")
_OWN_PREFIXES = ("webhook-", "x-alovoice-", "content-")
_OWN_HEADERS = ("connection", "expect", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade")


@dataclass(frozen=True, slots=True)
class Target:
    """One `--forward`, `--exec` or `--notify`: its name in the outbox, and the types that it receives.

    `url` for a forward, `command` (an argument list) for a program, `chat` for Telegram; `label` is its name in
    messages.
    """

    name: str
    kinds: tuple[TargetType, ...]
    label: str
    url: str = ""
    command: tuple[str, ...] = ()
    chat: str = ""
    is_named: bool = False
    """Whether a type was named: `callstart=URL` also asks the CRM for its answer."""


def parse_forward(text: str, option: str = "--forward") -> Target:
    """Returns the target of `[TYPE=]URL`. Raises UsageError."""
    kinds, url = _kinds(text)
    try:
        parts = urlsplit(url)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # for example `http://[::1`, or a port over 65535
        is_url = False
    if not is_url:
        place = shown(url) if "//" in url else shown(url).partition("/")[0]
        raise UsageError(
            tr("{option} {value} is not a valid URL", option=option, value=repr(place)),
            hint=tr("for example: https://crm.example.com/hook, or callend=…"),
        )
    if parts.username or parts.password:
        raise UsageError(
            tr("{option}: the URL contains a user or a password", option=option), hint=tr("leave them out")
        )
    is_named = kinds != _TOLD_TO_ALL
    # The path may contain a key; their types distinguish two targets of one host.
    label = f"{parts.scheme}://{parts.netloc}" + (f" ({', '.join(kinds)})" if is_named else "")
    return Target(_name("forward", kinds, url), kinds, label, url, is_named=is_named)


def parse_exec(text: str, option: str = "--exec") -> Target:
    """Returns the target of `[TYPE=]CMD`, split into words like a shell does; no shell runs them. Raises UsageError."""
    kinds, command = _kinds(text)
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise UsageError(
            tr(
                "{option} {value} cannot be split into words ({problem})",
                option=option,
                value=repr(shown(command)),
                problem=error,
            ),
            hint=tr("check the quotes"),
        ) from None
    if not words:
        raise UsageError(
            tr("{option} names no program", option=option), hint=tr("for example: {command}", command="'./on-event.sh'")
        )
    return Target(_name("exec", kinds, command), kinds, words[0], command=words, is_named=command != text)


def parse_notify(text: str, option: str = "--notify") -> Target:
    """Returns the target of `telegram:CHAT`, `exec:CMD` or `https://…`. Raises UsageError."""
    text = text.strip()
    scheme, _, rest = text.partition(":")
    name = _name("notify", ("missed",), text)
    if scheme == "telegram":
        if not re.fullmatch(_CHAT, rest):
            raise UsageError(
                tr("{option} {value} is not a valid chat", option=option, value=repr(disarm(text))),
                hint=tr("give its id, telegram:-1001234567890, or telegram:@NAME"),
            )
        return Target(name, ("missed",), text, chat=rest)
    if scheme == "exec":
        program = parse_exec(rest, option)
        return Target(name, ("missed",), f"exec:{program.label}", command=program.command)
    if scheme not in ("http", "https"):
        raise UsageError(
            tr("{option} {value} is not a messenger", option=option, value=repr(shown(text))),
            hint=tr("give telegram:CHAT, exec:CMD or https://chat.example.com/hook"),
        )
    place = parse_forward(text, option)
    return Target(name, ("missed",), place.label, url=place.url)


def shown(words: str) -> str:
    """Returns the words of a target without possible keys: scheme and host of a URL, else the first word."""
    first = re.split(r"[?#\s]", words.strip(), maxsplit=1)[0]
    scheme, slashes, rest = first.partition("//")
    return scheme + slashes + rest.partition("/")[0].rpartition("@")[2]


def parse_headers(lines: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Returns the headers of `Name: value` lines, with lower-case names.

    Each line comes with its place for error messages. Empty lines and `#` lines are ignored. Raises UsageError, which
    never contains a line: its value is a secret.
    """
    headers: dict[str, str] = {}
    for place, line in lines:
        if not line.strip() or line.startswith("#"):
            continue
        name, colon, value = line.partition(":")
        name, value = name.strip().lower(), value.strip()
        if not colon or not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            raise UsageError(
                tr("{place}: this is not a valid header", place=place),
                hint=tr("give 'NAME: VALUE' in ASCII, such as 'X-Api-Key: …'"),
            )
        if name in _OWN_HEADERS or name.startswith(_OWN_PREFIXES):
            raise UsageError(
                tr("{place}: the listener sets {header} itself", place=place, header=name), hint=tr("leave it out")
            )
        if name in headers:
            raise UsageError(
                tr("{place}: {header} is given twice", place=place, header=name), hint=tr("give each header once")
            )
        headers[name] = value
    return headers


def _kinds(text: str) -> tuple[tuple[TargetType, ...], str]:
    word, sign, rest = text.partition("=")
    named: Sequence[TargetType] = [kind for kind in (*PBX_TYPES, *CALL_TYPES) if sign and kind == word.strip()]
    return (tuple(named), rest.strip()) if named else (_TOLD_TO_ALL, text.strip())


def _name(sort: str, kinds: Sequence[TargetType], what: str) -> str:
    """Returns a name that is the same at the next start; the original may contain a key, and is not stored."""
    return f"{sort} {'+'.join(kinds)} {sha256(what.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
