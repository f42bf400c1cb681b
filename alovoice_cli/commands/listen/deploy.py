"""`listen --print-systemd` and `--print-nginx`: this very command line, as what runs it for good."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from alovoice_cli.errors import UsageError
from alovoice_cli.events.deployment import nginx_location, systemd_unit
from alovoice_cli.session import Session

PRINTING = ("--print-systemd", "--print-nginx")
_PLACES = ("ALOVOICE_PROFILE", "ALOVOICE_CONFIG_DIR", "ALOVOICE_STATE_DIR", "XDG_CONFIG_HOME", "XDG_STATE_HOME")
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound


def print_unit(session: Session, sign_secret: str | None) -> int:
    """Prints a systemd unit that runs the line as this user, from this directory. Raises UsageError.

    Of the environment it names where things lie; the token it does not need, nor hold.
    """
    if sign_secret is not None and not sign_secret.startswith("@"):
        raise UsageError(
            "a unit can be read by everybody, and --sign-secret is in the line",
            hint="put the secret into a file, and give --sign-secret @FILE",
        )
    words = [word for word in session.argv if word not in PRINTING]
    places = {name: session.environ[name] for name in _PLACES if session.environ.get(name)}
    unit = systemd_unit([*_program(), *words], user=_user(), environment=places, directory=str(session.cwd))
    session.display.write(unit)
    session.note("save it as /etc/systemd/system/alovoice.service, then `systemctl enable --now alovoice`")
    return 0


def print_location(session: Session, host: str, port: int, *, is_tls: bool, has_secret: bool) -> int:
    """Prints an nginx location that leads to the listener. Raises UsageError for one that nginx cannot find."""
    if port == 0:
        raise UsageError("nginx must know the port", hint="give --port N")
    if is_tls:
        raise UsageError("behind nginx the listener speaks plain http", hint="leave --tls-cert and --tls-key to nginx")
    session.display.write(nginx_location(_ANY_ADDRESS.get(host, host), port, path="/h/" if has_secret else "/"))
    return 0


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
