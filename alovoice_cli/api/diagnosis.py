"""What an exception of the network means: which ones heal by themselves, and how each is said in words."""

import ssl
from collections.abc import Iterator
from socket import gaierror

import httpx

from alovoice_cli.api.deadline import AnswerTooLongError, Lost
from alovoice_cli.api.files import FileShrankError
from alovoice_cli.masking import disarm

# Raised before anything is written: our own mistake, or words that cannot be sent.
LOCAL = (httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.LocalProtocolError)
_HANDSHAKE_CUT = (ssl.SSLEOFError, ssl.SSLZeroReturnError)
_PROXY_DENIES = "407"


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """The exception and those that caused it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def certificate_fault(lost: Lost) -> ssl.SSLError | None:
    """The TLS error that no retry heals: a wrong certificate, or a server that speaks no TLS."""
    if not isinstance(lost.cause, httpx.ConnectError):
        return None
    for error in chain(lost.cause):
        if isinstance(error, ssl.SSLError) and not isinstance(error, _HANDSHAKE_CUT):
            return error
    return None


def wants_proxy_password(lost: Lost) -> bool:
    """Whether a proxy answered CONNECT with 407."""
    return isinstance(lost.cause, httpx.ProxyError) and str(lost.cause).startswith(_PROXY_DENIES)


def hopeless(lost: Lost) -> bool:
    """Whether another try would end in the same way."""
    if isinstance(lost.cause, (*LOCAL, FileShrankError, AnswerTooLongError)):
        return True
    expected = isinstance(lost.cause, (httpx.HTTPError, OSError))
    return lost.expired or not expected or wants_proxy_password(lost) or certificate_fault(lost) is not None


def in_words(lost: Lost, host: str, seconds: float) -> str:
    """What happened, as the end of a sentence about the server, or about the proxy where the proxy failed."""
    speaker = f"the proxy {lost.proxy}" if lost.proxy else host
    if isinstance(lost.cause, httpx.ProxyError):
        return f"{speaker} did not open a way to {host} ({disarm(str(lost.cause))})"
    if isinstance(lost.cause, httpx.ConnectTimeout):
        return f"{speaker} could not be reached in time"
    if lost.expired or isinstance(lost.cause, (httpx.ReadTimeout, httpx.WriteTimeout)):
        return f"{speaker} gave no whole answer within {seconds:g} s"
    causes = list(chain(lost.cause))
    if any(isinstance(cause, gaierror) for cause in causes):
        return f"the name of {speaker} cannot be resolved" if lost.proxy else f"the name {host} cannot be resolved"
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return f"{speaker} refuses connections"
    if isinstance(lost.cause, AnswerTooLongError):
        return f"{host} answered more than can be taken in"
    if isinstance(lost.cause, FileShrankError):
        return f"the upload was cut: the file {lost.cause} became shorter while it was sent"
    return _cut(lost, speaker)


def _cut(lost: Lost, speaker: str) -> str:
    if lost.status is not None:
        why = f" ({disarm(str(lost.cause))})" if isinstance(lost.cause, httpx.DecodingError) else ""
        return f"the answer of {speaker} came incomplete or damaged{why}"
    if isinstance(lost.cause, httpx.ConnectError):
        return f"{speaker} could not be reached"
    return f"{speaker} closed the connection without an answer"
