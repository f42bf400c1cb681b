"""A PBX that takes a token or refuses it, and the files of a home's configuration."""

from collections.abc import Callable
from pathlib import Path

from front_door import FrontDoor
from raw_server import Connection

LINES = b'["712037006", "712037007"]'
OUT = ("call", "out", "--from", "2424", "--to", "901234567", "--call-id", "7")

Act = Callable[[Connection], None]


def answering(status: str = "200 OK", body: bytes = LINES, *headers: str) -> Act:
    """Returns an act that answers one request so; a call is answered with `true` where the status is 200."""

    def answer(connection: Connection) -> None:
        seen = connection.read()
        if seen is not None:
            outcall = status == "200 OK" and seen.target.startswith("/outcall")
            connection.answer(status, b"true" if outcall else body, *headers)

    return answer


def write_config(home: FrontDoor, name: str, text: str) -> Path:
    """Writes a file of the configuration that is closed to others; returns its path."""
    path = home.home / "config" / name
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)
    return path
