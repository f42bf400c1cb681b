"""Tells systemd how the service is (sd_notify(3)): one datagram to the socket that NOTIFY_SOCKET names."""

import socket
from collections.abc import Mapping
from contextlib import suppress


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
