"""`listen --print-systemd` and `--print-nginx`: this very command line, as what runs it for good."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from alovoice_cli.commands.listen.options import ListenOptions
from alovoice_cli.errors import UsageError
from alovoice_cli.events.deployment import nginx_location, systemd_unit
from alovoice_cli.listening.listener import Plan
from alovoice_cli.session import Session

PRINTING = ("--print-systemd", "--print-nginx")
_PLACES = ("ALOVOICE_PROFILE", "ALOVOICE_CONFIG_DIR", "ALOVOICE_STATE_DIR", "XDG_CONFIG_HOME", "XDG_STATE_HOME")
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound


def print_deployment(session: Session, options: ListenOptions, plan: Plan, *, systemd: bool, nginx: bool) -> int:
    """Prints what is asked for of a line that was read without complaint. Raises UsageError."""
    if systemd and nginx:
        raise UsageError("--print-systemd and --print-nginx print a file each", hint="give one, then the other")
    session.display.write(_unit(session, options) if systemd else _location(plan))
    if systemd:
        session.note("save it as /etc/systemd/system/alovoice.service, then `systemctl enable --now alovoice`")
    return 0


def _unit(session: Session, options: ListenOptions) -> str:
    """A systemd unit that runs the line as this user, from this directory.

    Of the environment it names where things lie; the token it does not need, nor hold.
    """
    secrets = [
        ("--sign-secret", options.sign_secret or ""),
        *(("--forward-header", one) for one in options.forward_header),
    ]
    for option, secret in secrets:
        if secret and not secret.startswith("@") and any(secret in word for word in session.argv):
            raise UsageError(
                f"a unit can be read by everybody, and {option} is in the line",
                hint=f"put the secret into a file, and give {option} @FILE",
            )
    words = [word for word in session.argv if word not in PRINTING]
    places = {name: session.environ[name] for name in _PLACES if session.environ.get(name)}
    return systemd_unit([*_program(), *words], user=_user(), environment=places, directory=str(session.cwd))


def _location(plan: Plan) -> str:
    """An nginx location that leads to the listener."""
    if plan.port == 0:
        raise UsageError("nginx must know the port", hint="give --port N")
    if plan.tls is not None:
        raise UsageError("behind nginx the listener speaks plain http", hint="leave --tls-cert and --tls-key to nginx")
    host = _ANY_ADDRESS.get(plan.host, plan.host)
    return nginx_location(host, plan.port, path="/" if plan.door.secret is None else "/h/")


def _program() -> Sequence[str]:
    """The words that start this program from anywhere: as it was started, where that is a file."""
    started = Path(sys.argv[0]).absolute()
    if started.stem == "alovoice" and os.access(started, os.X_OK):
        return [str(started)]
    return [sys.executable, "-m", "alovoice_cli"]


def _user() -> str:
    """The user whose profile and store these are; a system without users' names needs no unit."""
    try:
        import pwd  # noqa: PLC0415 - not there on Windows

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):
        return ""
