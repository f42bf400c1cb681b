"""`listen --print-systemd` and `--print-nginx`: this command line as a service."""

import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from alovoice_cli.commands.listen.options import ListenOptions
from alovoice_cli.config.listen_options import LISTEN_KEYS, listen_variable
from alovoice_cli.config.profiles import DEFAULT
from alovoice_cli.errors import UsageError
from alovoice_cli.events.deployment import (
    ServiceUnit,
    credential_path,
    nginx_location,
    nginx_shared_location,
    nginx_upstream,
    systemd_unit,
)
from alovoice_cli.language import tr
from alovoice_cli.listening.listener import Plan
from alovoice_cli.session import Session
from alovoice_cli.store_urls import HOW_TO_LOG_IN, holds_password, is_server_url
from alovoice_cli.stores.event_sqlite import sqlite_path

_PRINTING = ("--print-systemd", "--print-nginx")
_PLACES = ("ALOVOICE_PROFILE", "ALOVOICE_CONFIG_DIR", "ALOVOICE_STATE_DIR", "XDG_CONFIG_HOME", "XDG_STATE_HOME")
_SERVER_PLACES = (
    "PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSFILE", "PGSERVICE", "PGSERVICEFILE", "PGSSLMODE",
    "PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY",
)  # fmt: skip
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound
_STATE = "/var/lib/alovoice"
_FIRST_FREE_PORT = 1024
_NO_SECRETS = ("auto", "none")
_READ_SECONDS, _SPARE_SECONDS = 15, 5


def print_deployment(session: Session, options: ListenOptions, plan: Plan, *, systemd: bool, nginx: bool) -> int:
    """Prints what is asked for of a line that was read without complaint. Raises UsageError."""
    if systemd and nginx:
        raise UsageError(
            tr("--print-systemd and --print-nginx cannot be used together"), hint=tr("run the command once with each")
        )
    if nginx:
        session.display.write(_location(plan))
        return 0
    unit = _unit(session, options, plan)
    session.display.write(systemd_unit(unit))
    session.note(
        tr(
            "save it as {path}, then run {command}",
            path=f"/etc/systemd/system/{unit.name}.service",
            command=f"`systemctl enable --now {unit.name}`",
        )
    )
    if unit.environment["ALOVOICE_STATE_DIR"] == _STATE:
        session.note(
            tr(
                "its events and overrides are in {folder}: run {command} where you read them; the files in {old} are"
                " not moved",
                folder=_STATE,
                command=f"`export ALOVOICE_STATE_DIR={_STATE}`",
                old=session.paths.state,
            )
        )
    if unit.user == "root":
        session.note(tr("the unit runs as root: print it as the user who will run the listener"))
    return 0


def _location(plan: Plan) -> str:
    """Returns an nginx location that leads to the listener, or to all listeners that share the store."""
    if plan.port == 0:
        raise UsageError(tr("nginx needs a fixed port"), hint=tr("give --port N"))
    if plan.tls is not None:
        raise UsageError(
            tr("behind nginx the listener uses plain HTTP"), hint=tr("use the certificate and key in nginx instead")
        )
    host = _ANY_ADDRESS.get(plan.host, plan.host)
    read_seconds = max(_READ_SECONDS, round(plan.forward_timeout) + _SPARE_SECONDS)
    path = "/" if plan.door.secret is None else "/h/"
    if not is_server_url(plan.store_url):
        return nginx_location(host, plan.port, path=path, read_seconds=read_seconds)
    location = nginx_shared_location(path=path, read_seconds=read_seconds)
    return f"{nginx_upstream([(host, plan.port)])}\n{location}"


def _unit(session: Session, options: ListenOptions, plan: Plan) -> ServiceUnit:
    """Returns a systemd unit that runs the command line as this user, from this directory.

    It contains the directories and the options of `listen` from the environment, but not the token, which it does not
    need.
    """
    profile = session.settings.profile
    name = "alovoice" if profile == DEFAULT else f"alovoice-{profile}"
    secrets = _Secrets(session, name)
    environment = {name: session.environ[name] for name in _PLACES if session.environ.get(name)}
    if is_server_url(plan.store_url):
        environment |= {name: session.environ[name] for name in _SERVER_PLACES if session.environ.get(name)}
    environment.setdefault("ALOVOICE_CONFIG_DIR", str(session.paths.config))
    environment.setdefault("ALOVOICE_STATE_DIR", _STATE)
    environment |= secrets.taken_from_environment()
    if options.ready_file is None:
        environment[listen_variable("ready-file")] = f"/run/{name}/ready"
    words = [word for word in secrets.taken_from(session.argv) if word not in _PRINTING]
    return ServiceUnit(
        [*_program(), *words],
        name=name,
        user=_user(),
        environment=environment,
        directory=str(session.cwd),
        credentials=secrets.credentials,
        writable=list(dict.fromkeys(_writable(session, options, environment["ALOVOICE_STATE_DIR"]))),
        low_port=0 < options.port < _FIRST_FREE_PORT,
        # A chat needs the profile's token command.
        programs=bool(options.exec) or any(not one.url for one in plan.notify.targets),
    )


@dataclass(frozen=True, slots=True)
class _Secrets:
    """The secrets of words and environment: a file becomes a credential of the unit, a text is refused."""

    session: Session
    unit_name: str
    credentials: dict[str, str] = field(default_factory=dict)

    def taken_from(self, words: Sequence[str]) -> Iterator[str]:
        """Yields the words, with credentials in place of files with secrets. Raises UsageError."""
        option = ""
        for word in words:
            flag, sign, value = word.partition("=")
            if option:
                yield self._taken(option, word)
            elif sign and self._is_secret(flag):
                yield f"{flag}={self._taken(flag, value)}"
            else:
                _refuse_key_in_url(word)
                _refuse_password(value if sign else word)
                yield word
            option = word if not option and self._is_secret(word) else ""

    def taken_from_environment(self) -> Mapping[str, str]:
        """Returns the options of `listen` in the environment."""
        environ = self.session.environ
        given = {name: environ[listen_variable(name)] for name in LISTEN_KEYS if environ.get(listen_variable(name))}
        for name in ("forward", "notify"):
            _refuse_key_in_url(given.get(name, ""))
        return {
            listen_variable(name): self._taken(f"--{name}", text) if self._is_secret(f"--{name}") else text
            for name, text in given.items()
        }

    @staticmethod
    def _is_secret(flag: str) -> bool:
        key = LISTEN_KEYS.get(flag.removeprefix("--"))
        return flag.startswith("--") and key is not None and key.secret

    def _taken(self, option: str, value: str) -> str:
        if value in _NO_SECRETS:
            return value
        if not value.startswith("@"):
            raise UsageError(
                tr("every user can read a unit, and it would contain {option}", option=option),
                hint=tr("put the secret into a file and give {option} @FILE", option=option),
            )
        name = option.removeprefix("--") + (f"-{len(self.credentials) + 1}" if self.credentials else "")
        self.credentials[name] = str(self.session.cwd / self.session.paths.from_home(value[1:]))
        return "@" + credential_path(self.unit_name, name)


def _refuse_key_in_url(words: str) -> None:
    if re.search(r"https?://([^/?#\s]*@|[^?#\s]*\?)", words):
        raise UsageError(
            tr("every user can read a unit, and the URL of a target contains a user or a query, which may be a key"),
            hint=tr("keep targets in the profile (`alovoice config set listen.forward URL`) and leave them out here"),
        )


def _refuse_password(store: str) -> None:
    if is_server_url(store) and holds_password(store):
        raise UsageError(
            tr("every user can read a unit, and the URL of the event store contains a password"), hint=tr(HOW_TO_LOG_IN)
        )


def _writable(session: Session, options: ListenOptions, state: str) -> Iterator[str]:
    """Yields the directories in which the listener writes, besides those that systemd creates for it."""
    if state != _STATE:
        yield state
    named = options.store or session.settings.store
    if named is not None and not is_server_url(named):
        yield str((session.cwd / sqlite_path(session.settings.event_store_url(options.store))).parent)
    if options.ready_file is not None:
        yield str((session.cwd / session.paths.from_home(options.ready_file)).parent)


def _program() -> Sequence[str]:
    """Returns the words that start this program from any directory."""
    started = Path(sys.argv[0]).absolute()
    if started.stem == "alovoice" and os.access(started, os.X_OK):
        return [str(started)]
    return [sys.executable, "-m", "alovoice_cli"]


def _user() -> str:
    """Returns the user of this profile and store; a system without user names needs no unit."""
    try:
        import pwd  # noqa: PLC0415 - not there on Windows

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):
        return ""
