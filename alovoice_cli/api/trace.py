"""The lines of `--verbose`, without token, secrets and whole phone numbers; HTTP libraries' logs without tokens."""

import logging
import re
from collections.abc import Callable

from alovoice_cli.api.address import Address
from alovoice_cli.api.reply import Reply, readable
from alovoice_cli.api.request import Encoded, Flat, Request, target
from alovoice_cli.masking import DOTS, Masker, disarm

_LONG_NUMBER = r"(?<![0-9a-fA-F-])\+?[0-9]{3,}([0-9]{4})(?![0-9a-fA-F-])"
_WRITTEN_NUMBER = r"\+998 [0-9]{2} [0-9]{3}-([0-9]{2}-[0-9]{2})"  # as messages to people have it
_BODY = 1000


class Trace:
    """Writes lines to `tell`; writes nothing without it."""

    def __init__(self, tell: Callable[[str], None] | None, masker: Masker, *, show_numbers: bool = False) -> None:
        self._tell, self._masker, self._show_numbers = tell, masker, show_numbers

    def line(self, text: str) -> None:
        """Writes one line, masked."""
        if self._tell is not None:
            self._tell(disarm(self._masker.hide(text)))

    def sent(self, address: Address, request: Request, token: str, body: Encoded) -> None:
        """Writes the request."""
        if self._tell is None:
            return
        self.line(f"→ {request.method} {address.url}{target(request, token)}")
        if isinstance(body, Flat):
            self.line(f"  {body.content_type}: {self.body(body.content)}")
        elif body is not None:
            shown = [f"{name}={value if isinstance(value, str) else value.filename}" for name, value in body]
            self.line(f"  multipart/form-data: {self._numbers(', '.join(shown))}")

    def came(self, reply: Reply) -> None:
        """Writes the answer."""
        if self._tell is None:
            return
        kind = reply.header("Content-Type").partition(";")[0] or "no type"
        size = len(reply.body) or reply.header("Content-Length") or 0  # the body of a download is in its file
        self.line(f"← {reply.status} {reply.reason} {reply.seconds * 1000:.0f} ms {kind} {size} bytes")
        if reply.body:
            self.line(f"  {self.body(reply.body)}")

    def lost(self, words: str) -> None:
        """Writes that no answer came."""
        self.line(f"← {words}")

    def body(self, body: bytes) -> str:
        """Writes a body: masked, numbers shortened, cut if long."""
        return self._numbers(readable(body, self._masker, _BODY))

    def _numbers(self, text: str) -> str:
        if self._show_numbers:
            return text
        return re.sub(_WRITTEN_NUMBER, rf"{DOTS}\1", re.sub(_LONG_NUMBER, rf"{DOTS}\1", text))


_LOGGERS = (
    "httpx",
    "httpcore.connection",
    "httpcore.connection_pool",
    "httpcore.http11",
    "httpcore.proxy",
    "httpcore.socks",
)
_LOG_MASKER = Masker()


class _LogMask(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = _LOG_MASKER.hide(record.getMessage()), ()
        return True


_LOG_MASK = _LogMask()


def hide_in_logs(secret: str) -> None:
    """Masks the secret in the log records of the HTTP libraries. Loggers inherit no filters: each gets its own."""
    _LOG_MASKER.learn(secret)
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_LOG_MASK)  # a second addition has no effect
