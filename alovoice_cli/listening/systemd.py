"""Reports the service's state to systemd (sd_notify(3): a datagram to NOTIFY_SOCKET), and by a ready file."""

import asyncio
import os
import re
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from alovoice_cli.errors import UsageError
from alovoice_cli.language import tr

_BEAT_SECONDS = 0.5
_DEAD_SECONDS = 15.0
_SEND_SECONDS = 0.1  # seconds in a loop that others wait for: systemd's queue is short, and may be full


def notify(environ: Mapping[str, str], state: str) -> None:
    """Sends a state such as `READY=1`; does nothing without NOTIFY_SOCKET."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address or not hasattr(socket, "AF_UNIX"):
        return
    if address.startswith("@"):
        address = "\0" + address[1:]  # a socket without a file
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
        connection.settimeout(_SEND_SECONDS)
        connection.connect(address)
        connection.sendall(state.encode())


def watchdog_seconds(environ: Mapping[str, str]) -> float | None:
    """Returns the watchdog's interval in seconds, as sd_watchdog_enabled(3) defines it, or None."""
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    text = environ.get("WATCHDOG_USEC", "")
    return int(text) / 1_000_000 if re.fullmatch("[1-9][0-9]{0,17}", text) else None


class Heartbeat:
    """Beats in the listener's loop. While nothing is wrong, the ready file exists and systemd's watchdog is fed.

    `trouble` returns why the listener takes nothing now, or ''; `say` is called when that changes.
    """

    def __init__(
        self,
        trouble: Callable[[], str],
        environ: Mapping[str, str],
        ready_file: Path | None,
        say: Callable[[str], None],
    ) -> None:
        self._trouble, self._environ, self._say = trouble, environ, say
        self._ready_file, self._ready_text = ready_file, ""
        self._watchdog = watchdog_seconds(environ)
        self._watchdog_at = float("-inf")
        self._beat_at = time.monotonic()
        self._is_well = True

    @property
    def is_alive(self) -> bool:
        """Returns whether the loop has run recently; for any thread."""
        return time.monotonic() - self._beat_at < _DEAD_SECONDS

    def begin(self, ready_text: str) -> None:
        """Writes the ready file, and tells systemd that the start is complete. Raises UsageError."""
        self._ready_text = ready_text
        try:
            self._write_ready_file()
        except OSError as error:
            raise UsageError(
                tr(
                    "{path} cannot be written: {problem}",
                    path=f"--ready-file {self._ready_file}",
                    problem=error.strerror or error,
                ),
                hint=tr("choose a file in an existing directory"),
            ) from error
        notify(self._environ, "READY=1")

    async def run(self, is_ending: Callable[[], bool]) -> None:
        """Beats until the listener ends; then it is no longer ready."""
        pause = min(_BEAT_SECONDS, (self._watchdog or 1.0) / 4)
        while not is_ending():
            self._beat_at = time.monotonic()
            trouble = self._trouble()
            self._follow(trouble)
            if not trouble and self._beat_at >= self._watchdog_at and self._watchdog is not None:
                self._watchdog_at = self._beat_at + self._watchdog / 2 - pause
                notify(self._environ, "WATCHDOG=1")
            await asyncio.sleep(pause)
        self._remove_ready_file()

    def end(self) -> None:
        """Tells systemd, and removes the ready file if the start was complete."""
        notify(self._environ, "STOPPING=1")
        if self._ready_text:
            self._remove_ready_file()

    def _follow(self, trouble: str) -> None:
        """Creates or removes the ready file, and reports in one line when a trouble begins or ends."""
        if trouble:
            self._remove_ready_file()
        elif self._ready_file is not None and not self._ready_file.exists():
            with suppress(OSError):  # the disk is still full: the next beat tries again
                self._write_ready_file()
        if bool(trouble) == self._is_well:
            self._is_well = not trouble
            self._say(tr("not ready: {problem}", problem=trouble) if trouble else tr("ready again"))

    def _write_ready_file(self) -> None:
        """Writes the whole file at once, readable only by its owner: it contains the secret of the URLs."""
        if self._ready_file is None:
            return
        temporary = self._ready_file.with_name(f".{self._ready_file.name}.{os.getpid()}")
        try:
            temporary.unlink(missing_ok=True)  # in a container every listener has the same process id
            descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor has no path
                file.write(self._ready_text)
            temporary.replace(self._ready_file)
        except OSError:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise

    def _remove_ready_file(self) -> None:
        if self._ready_file is not None:
            with suppress(OSError):
                self._ready_file.unlink(missing_ok=True)
