"""The files that a machine needs around `alovoice listen`: a systemd unit, a location for nginx. Writes nothing."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from alovoice_cli.errors import UsageError
from alovoice_cli.language import tr

_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./\-]+")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}\$?|[0-9]{1,10}")
_PATH = re.compile(r"/[A-Za-z0-9_./~-]*")
_UNIT_NAME = re.compile(r"[A-Za-z0-9_-]{1,200}")

_UNIT = """\
[Unit]
Description={description}
Wants=network-online.target
After=network-online.target
# A full disk or a lost port must not end it for good: what is not received is gone.
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart={command}
{directory}{environment}# Further ALOVOICE_LISTEN_… variables; systemd reads the file, which may be root's alone.
EnvironmentFile=-/etc/alovoice/{name}.env
{credentials}{user}StateDirectory=alovoice
StateDirectoryMode=0700
RuntimeDirectory={name}
{writable}UMask=0077

# The listener reports only while it can store what comes; after 30 s without a report it is started anew.
WatchdogSec=30
TimeoutStartSec=600
Restart=on-failure
RestartSec=5
# SIGTERM drains: what was received is answered and stored, then it exits with 143.
SuccessExitStatus=143
TimeoutStopSec=40

# What the listener may do, and a program of --exec too; ReadWritePaths= opens a directory to both.
{capabilities}{memory}NoNewPrivileges=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectSystem=strict
ProtectHome=read-only
ProtectProc=invisible
ProcSubset=pid
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
LockPersonality=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
"""

_LOCATION = """\
# Inside the `server {{ … }}` block of the host that AloVoice calls, https alone, and best of no other host's. The
# secret in the path is the only defence, and nginx writes requests into both of its logs: they are off, here for
# requests that reach no location. Start the listener with --trusted-proxy 127.0.0.1/32.
access_log off;
error_log /dev/null emerg;

location {path} {{
    proxy_pass http://{upstream};
    proxy_http_version 1.1;
    proxy_set_header Host $host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    # The listener answers bodies over its limit by itself: a caller with a long route question gets a step, not 413.
    client_max_body_size 64m;
    client_body_buffer_size 1m;
    proxy_connect_timeout 2s;
    proxy_read_timeout {read_seconds}s;
{next_upstream}    access_log off;
    error_log /dev/null emerg;
}}
"""


_NEVER_AGAIN = """\
    # A request that was sent once is never sent to the listener again: it would be a second delivery.
    proxy_next_upstream off;
"""
_NEXT_LISTENER = """\
    # What one listener did not answer, or could not store, is sent to another: the store that they share knows a
    # delivery that comes twice, and gives the first one's answer.
    proxy_next_upstream error timeout http_503 non_idempotent;
    proxy_next_upstream_tries 2;
"""
_UPSTREAM = """\
# Before the `server` block: the listeners that share a store, a line each. A listener that is down refuses at once, and
# the next is asked; it is not put aside, so that never all of them are.
upstream {name} {{
{servers}}}
"""
SHARED_NAME = "alovoice"
"""The name of the group of listeners, for nginx."""


@dataclass(frozen=True, slots=True)
class ServiceUnit:
    """A systemd service. `name` is without `.service`; `argv` begins with the absolute path of the program.

    `environment` is for paths, not for secrets: everybody can read a unit. `credentials` are files by name; systemd
    reads them as root and shows them to the service alone, in `credential_path`. `writable` are directories besides the
    service's own two. `low_port`: it binds a port below 1024. `programs`: it starts other programs, which may generate
    code while they run.
    """

    argv: Sequence[str]
    name: str = "alovoice"
    description: str = "AloVoice listener: receives what the PBX sends"
    user: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: str = ""
    credentials: Mapping[str, str] = field(default_factory=dict)
    writable: Sequence[str] = ()
    low_port: bool = False
    programs: bool = False


def credential_path(unit_name: str, credential: str) -> str:
    """Returns the path under which a service finds a credential of its unit."""
    return f"/run/credentials/{unit_name}.service/{credential}"


def systemd_unit(unit: ServiceUnit) -> str:
    """Returns the text of the unit, which restarts the service when it can no longer work.

    `Type=notify`: the listener reports that it is ready after a test request has arrived in its store. Raises
    UsageError for words that a unit cannot contain.
    """
    if not unit.argv or not unit.argv[0].startswith("/"):
        raise UsageError(
            tr("systemd needs the full path of the program"),
            hint=tr("start it with the path that {command} prints", command="`command -v alovoice`"),
        )
    if unit.user and not _USER.fullmatch(unit.user):
        raise UsageError(tr("{name} is not a valid user name", name=repr(unit.user)))
    if not _UNIT_NAME.fullmatch(unit.name):
        raise UsageError(tr("{name} is not a valid unit name", name=repr(unit.name)))
    capability = "CAP_NET_BIND_SERVICE" if unit.low_port else ""
    return _UNIT.format(
        name=unit.name,
        description=_one_line(unit.description).replace("%", "%%"),
        command=" ".join(_word(word) for word in unit.argv),
        directory=f"WorkingDirectory={_path(unit.directory)}\n" if unit.directory else "",
        environment="".join(f"Environment={_variable(name, value)}\n" for name, value in unit.environment.items()),
        credentials="".join(f"LoadCredential={name}:{_path(path)}\n" for name, path in unit.credentials.items()),
        user=f"User={unit.user}\n" if unit.user else "",
        writable="".join(f"ReadWritePaths={_quoted(_path('-' + path))}\n" for path in unit.writable),
        # Its own user namespace would take away the right to a low port.
        capabilities=f"CapabilityBoundingSet={capability}\n"
        + (f"AmbientCapabilities={capability}\n" if unit.low_port else "PrivateUsers=yes\n"),
        memory="" if unit.programs else "MemoryDenyWriteExecute=yes\n",
    )


def nginx_location(host: str, port: int, *, path: str = "/h/", read_seconds: int = 15) -> str:
    """Returns a location that passes everything under `path` to the listener, with body and path unchanged.

    Raises UsageError for a path that a location cannot contain. An IPv6 host gets brackets.
    """
    return _location(_address(host, port), _NEVER_AGAIN, path, read_seconds)


def nginx_shared_location(*, path: str = "/h/", read_seconds: int = 15) -> str:
    """Returns the location for several listeners on one store, which `nginx_upstream` names."""
    return _location(SHARED_NAME, _NEXT_LISTENER, path, read_seconds)


def nginx_upstream(listeners: Sequence[tuple[str, int]]) -> str:
    """Returns the group of listeners, by host and port, for `nginx_shared_location`."""
    servers = "".join(f"    server {_address(host, port)} max_fails=0;\n" for host, port in listeners)
    return _UPSTREAM.format(name=SHARED_NAME, servers=servers)


def _location(upstream: str, next_upstream: str, path: str, read_seconds: int) -> str:
    if not _PATH.fullmatch(path):
        raise UsageError(
            tr("{path} is not a valid path", path=repr(path)), hint=tr("for example: {command}", command="/h/")
        )
    return _LOCATION.format(path=path, upstream=upstream, read_seconds=read_seconds, next_upstream=next_upstream)


def _address(host: str, port: int) -> str:
    return f"{_one_line(f'[{host}]' if ':' in host and not host.startswith('[') else host)}:{port}"


def _path(text: str) -> str:
    return _one_line(text).replace("%", "%%")


def _variable(name: str, value: str) -> str:
    if not _NAME.fullmatch(name):
        raise UsageError(tr("{name} is not a valid variable name", name=repr(name)))
    return _quoted(f"{name}={value}".replace("%", "%%"))


def _word(word: str) -> str:
    """Returns a word of ExecStart: `%` and `$` are escaped for systemd, all other characters as in C."""
    escaped = word.replace("%", "%%").replace("$", "$$")
    return escaped if _PLAIN.fullmatch(escaped) else _quoted(escaped)


def _quoted(text: str) -> str:
    return '"' + _one_line(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise UsageError(tr("{value} cannot be written to a configuration file", value=repr(text)))
    return text
