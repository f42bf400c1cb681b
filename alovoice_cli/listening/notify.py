"""Tells others how the service is: systemd (sd_notify(3)), by a datagram to the socket that NOTIFY_SOCKET names; and
whoever waits for a file."""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path


def notify(environ: Mapping[str, str], state: str) -> None:
    """Sends a state such as `READY=1`; does nothing where nobody asked for it."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address or not hasattr(socket, "AF_UNIX"):
        return
    if address.startswith("@"):
        address = "\0" + address[1:]  # a socket without a file
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
        connection.connect(address)
        connection.sendall(state.encode())


def write_ready_file(path: Path, text: str) -> None:
    """Puts the text there whole, readable by its owner alone: it holds the secret of the URLs. Raises OSError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor has no path
        file.write(text)
    temporary.replace(path)
