"""What a machine needs round `alovoice listen`, as text: a systemd unit, a location for nginx. Nothing is written."""

import re
from collections.abc import Mapping, Sequence

from alovoice_cli.errors import UsageError

_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./\-]+")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}\$?|[0-9]{1,10}")
_PATH = re.compile(r"/[A-Za-z0-9_./~-]*")
_DRAIN_SECONDS = 20

_UNIT = """\
[Unit]
Description={description}
Wants=network-online.target
After=network-online.target

[Service]
Type=notify
NotifyAccess=main
ExecStart={command}
{directory}{environment}{user}Restart=on-failure
RestartSec=2
# SIGTERM drains: what was received is answered and stored, then it exits with 143.
SuccessExitStatus=143
TimeoutStopSec={drain}
UMask=0077
NoNewPrivileges=yes
PrivateTmp=yes
ProtectSystem=full

[Install]
WantedBy=multi-user.target
"""

_LOCATION = """\
# Inside the `server {{ … }}` block of the host that AloVoice calls. The secret in the path is the only
# defence, so it is not logged; start the listener with --trusted-proxy 127.0.0.1/32.
location {path} {{
    proxy_pass http://{upstream};
    proxy_http_version 1.1;
    proxy_set_header Host $host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    client_max_body_size 1m;
    proxy_connect_timeout 2s;
    proxy_read_timeout 15s;
    # A request that was sent once is never sent to the listener again: it would be a second delivery.
    proxy_next_upstream off;
    access_log off;
}}
"""


def systemd_unit(
    argv: Sequence[str],
    *,
    description: str = "AloVoice listener: receives what the PBX sends",
    user: str = "",
    environment: Mapping[str, str] | None = None,
    directory: str = "",
) -> str:
    """A unit that runs `argv` (its first word an absolute path), and starts it again when it can no longer work.

    `Type=notify`: the listener says by itself when a request went through it and back. Raises UsageError for words that
    no unit can hold. `environment` is for places, not for secrets: a unit is world-readable.
    """
    if not argv or not argv[0].startswith("/"):
        raise UsageError("systemd wants the program's whole path", hint="give it as `command -v alovoice` prints it")
    if user and not _USER.fullmatch(user):
        raise UsageError(f"{user!r} is no user's name")
    lines = [f"Environment={_variable(name, value)}\n" for name, value in (environment or {}).items()]
    return _UNIT.format(
        description=_one_line(description).replace("%", "%%"),
        command=" ".join(_word(word) for word in argv),
        directory=f"WorkingDirectory={_one_line(directory).replace('%', '%%')}\n" if directory else "",
        environment="".join(lines),
        user=f"User={user}\n" if user else "",
        drain=_DRAIN_SECONDS,
    )


def nginx_location(host: str, port: int, *, path: str = "/h/") -> str:
    """A location that hands everything under `path` to the listener, its body and path untouched.

    Raises UsageError for a path that a location cannot hold. An IPv6 host gets its brackets.
    """
    if not _PATH.fullmatch(path):
        raise UsageError(f"{path!r} is no path of plain letters", hint="give it as /h/")
    address = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return _LOCATION.format(path=path, upstream=f"{_one_line(address)}:{port}")


def _variable(name: str, value: str) -> str:
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no variable's name")
    return _quoted(f"{name}={value}".replace("%", "%%"))


def _word(word: str) -> str:
    """A word of ExecStart: `%` is systemd's own, `$` would be replaced, the rest as C has it."""
    escaped = word.replace("%", "%%").replace("$", "$$")
    return escaped if _PLAIN.fullmatch(escaped) else _quoted(escaped)


def _quoted(text: str) -> str:
    return '"' + _one_line(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise UsageError(f"{text!r} cannot stand in a configuration file")
    return text
