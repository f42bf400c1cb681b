"""Keeps tokens out of the logs of a program that uses this package as a library and turns logging on."""

import logging

from alovoice_cli.masking import Masker

_NAMES = (
    "httpx",
    "httpcore.connection",
    "httpcore.connection_pool",
    "httpcore.http11",
    "httpcore.proxy",
    "httpcore.socks",
)
_MASKER = Masker()


class _Hide(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = _MASKER.hide(record.getMessage()), ()
        return True


_HIDE = _Hide()


def hide_in_logs(secret: str) -> None:
    """From now on no log record of the HTTP libraries shows this secret. A logger's filter is not inherited: each."""
    _MASKER.learn(secret)
    for name in _NAMES:
        logging.getLogger(name).addFilter(_HIDE)  # adding it twice is adding it once
