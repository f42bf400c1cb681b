"""Turns a status and body, or a lost exchange, into the right error: the rows of the table "Safe retry"."""

import ssl
from collections.abc import Iterator
from socket import gaierror
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import httpx

from alovoice_cli.api.address import Address
from alovoice_cli.api.deadline import AnswerTooLongError, Lost
from alovoice_cli.api.endpoints import ADD_AUTORULE, CALLSENDAI, OUTCALL, REQUESTCALL, Endpoint, TokenPlace
from alovoice_cli.api.reply import Reply, UnreadableError, readable
from alovoice_cli.api.request import FileShrankError, Request
from alovoice_cli.errors import (
    AlovoiceError,
    NotFoundError,
    OutcomeUnknownError,
    RateLimitedError,
    RedirectedError,
    RefusedError,
    ServerError,
    TokenRefusedError,
    UnreachableError,
    UsageError,
)
from alovoice_cli.masking import Masker, disarm

# Raised before anything is written: a bug of ours, or text that cannot be sent.
LOCAL = (httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.LocalProtocolError)
_HANDSHAKE_CUT = (ssl.SSLEOFError, ssl.SSLZeroReturnError)
_PROXY_DENIES = "407"
_UNDECIDED = frozenset({408, 425})
_LEDGER_TEXT = 4096
_MEGABYTE = 1_000_000
_SAYS_NO = ("result", "success", "ok")
_NOT_DONE = "nothing was done on the PBX: running it again is safe"


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yields the exception and its causes."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def certificate_fault(lost: Lost) -> ssl.SSLError | None:
    """Returns the TLS error that no retry can solve: a wrong certificate, or a server without TLS."""
    if not isinstance(lost.cause, httpx.ConnectError):
        return None
    for error in chain(lost.cause):
        if isinstance(error, ssl.SSLError) and not isinstance(error, _HANDSHAKE_CUT):
            return error
    return None


def wants_proxy_password(lost: Lost) -> bool:
    """Returns whether a proxy answered CONNECT with 407."""
    return isinstance(lost.cause, httpx.ProxyError) and str(lost.cause).startswith(_PROXY_DENIES)


def hopeless(lost: Lost) -> bool:
    """Returns whether another try would end in the same way."""
    if isinstance(lost.cause, (*LOCAL, FileShrankError, AnswerTooLongError)):
        return True
    expected = isinstance(lost.cause, (httpx.HTTPError, OSError))
    return lost.expired or not expected or wants_proxy_password(lost) or certificate_fault(lost) is not None


def in_words(lost: Lost, host: str, seconds: float) -> str:
    """Returns what happened, as the end of a sentence about the server, or about the proxy if the proxy failed."""
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


class FailureCase(NamedTuple):
    """The facts of the failed request that the messages need."""

    address: Address
    request: Request
    masker: Masker
    timeout: float
    receipt: str = ""
    size: int = 0
    profile: str = ""
    proxy: str = ""

    @property
    def endpoint(self) -> Endpoint:
        """The request's endpoint."""
        return self.request.endpoint

    @property
    def host(self) -> str:
        """Returns the server's name for people."""
        return self.address.origin.partition("://")[2]

    @property
    def forwarded(self) -> bool:
        """Returns whether a proxy reads the request and may answer for the PBX: impossible with https://."""
        return self.proxy != "" and self.address.scheme == "http"

    def detail(self, body: bytes) -> str:
        """Returns the body for people, masked and shortened."""
        return readable(body, self.masker)

    def for_ledger(self, body: bytes) -> str:
        """Returns the body for the ledger, masked and shortened."""
        return readable(body, self.masker, _LEDGER_TEXT)


def from_loss(case: FailureCase, lost: Lost) -> BaseException:
    """Returns the error for an exchange without an answer; a bug of ours is returned unchanged."""
    if isinstance(lost.cause, LOCAL) and (not lost.left or case.endpoint.reads):
        return UsageError("the request cannot be sent as it is", detail=disarm(case.masker.hide(str(lost.cause))))
    if not lost.left:
        return _never_left(case, lost)
    words = in_words(lost, case.host, case.timeout)
    if not case.endpoint.reads:
        return unknown(case, words, lost.arrived, lost.status)
    if lost.status is not None and not lost.expired:
        return ServerError(words, detail=case.detail(lost.arrived), status=lost.status)
    return UnreachableError(words, hint="run it again; `--timeout` gives it longer", sent="maybe")


def _never_left(case: FailureCase, lost: Lost) -> BaseException:
    if wants_proxy_password(lost):
        return _proxy_refused(case)
    fault = certificate_fault(lost)
    if fault is not None:
        speaker = f"the proxy {lost.proxy}" if lost.proxy else case.host
        return _distrusted(speaker, getattr(fault, "verify_message", "") or str(fault.reason or fault))
    if lost.cause is not None and not lost.expired and not isinstance(lost.cause, OSError) and _is_bug(lost.cause):
        return lost.cause
    return UnreachableError(in_words(lost, case.host, case.timeout), hint=_NOT_DONE)


def _is_bug(cause: BaseException) -> bool:
    return not type(cause).__module__.startswith("http")  # httpx or httpcore


def _distrusted(speaker: str, reason: str) -> UnreachableError:
    if "WRONG_VERSION" in reason:
        return UnreachableError(f"{speaker} does not speak TLS", hint="check the scheme and the port of its URL")
    return UnreachableError(
        f"the certificate of {speaker} is not trusted: {disarm(reason)}",
        hint="check this machine's clock; for an authority of your own set SSL_CERT_FILE",
    )


def _proxy_refused(case: FailureCase) -> TokenRefusedError:
    return TokenRefusedError(
        f"the proxy {case.proxy} asks for a user and password, or refuses those that it got (407)",
        hint=f"put them into {case.address.scheme.upper()}_PROXY as http://USER:PASSWORD@HOST:PORT",
        status=407,
        sent="no",
    )


def from_status(case: FailureCase, reply: Reply) -> AlovoiceError | None:
    """Returns the error for a status, or None for a 2xx."""
    if reply.ok:
        return None
    status, detail = reply.status, case.detail(reply.body)
    if status // 100 == 3:
        return _redirected(case, reply)
    if status // 100 == 4 and status not in _UNDECIDED:
        return _not_done(case, reply, detail)
    speaker = f"{case.host}, or the proxy {case.proxy} in its place," if case.forwarded else case.host
    words = f"{speaker} answered {status} {disarm(reply.reason)}".rstrip()
    if not case.endpoint.reads:
        return unknown(case, words, reply.body, status)
    return ServerError(words, hint="wait a little, then run it again", detail=detail, status=status)


def login_words(profile: str) -> str:
    """Returns the command that stores a token for this profile."""
    return "alovoice login" if profile in ("", "default") else f"alovoice login -p {profile}"


def _not_done(case: FailureCase, reply: Reply, detail: str) -> AlovoiceError:
    status = reply.status
    if status in (401, 403):
        hint = f"run `{login_words(case.profile)}`; if ALOVOICE_TOKEN is set, it is the one that was refused"
        return TokenRefusedError(f"the PBX refused the token ({status})", hint=hint, detail=detail, status=status)
    if status == 407 and case.forwarded:
        return _proxy_refused(case)
    if status == 404:
        return _not_found(case, detail)
    if status == 429:
        return _rate_limited(reply, detail)
    return _refused_by_status(case, status, detail)


def _redirected(case: FailureCase, reply: Reply) -> RedirectedError:
    try:
        target = urlsplit(reply.header("Location")).hostname or case.address.host
    except ValueError:
        target = "an unreadable address"
    return RedirectedError(
        f"{case.host} redirects to {disarm(case.masker.hide(target))}: not followed, the token would go with it",
        hint="check the base URL with `alovoice status`",
        status=reply.status,
    )


def _not_found(case: FailureCase, detail: str) -> NotFoundError:
    hint = "check the id and the base URL"
    if TokenPlace.PATH in case.endpoint.token_in:
        hint += "; a wrong token in the path may answer 404 too: `alovoice status`"
    return NotFoundError("the PBX knows nothing under that address (404)", hint=hint, detail=detail, status=404)


def _rate_limited(reply: Reply, detail: str) -> RateLimitedError:
    seconds = reply.retry_after()
    hint = "wait a little" if seconds is None else f"wait {seconds:.0f} s"
    return RateLimitedError(
        "the PBX takes no more requests for now (429)",
        retry_after=seconds,
        hint=f"{hint}, then run it again",
        detail=detail,
    )


def _refused_by_status(case: FailureCase, status: int, detail: str) -> RefusedError:
    if status == 407:
        return RefusedError(
            f"{case.host} itself answered 407, which is a proxy's answer",
            hint=f"check the base URL with `alovoice status`; {_NOT_DONE}",
            detail=detail,
            status=status,
        )
    size = f" of {case.size / _MEGABYTE:.1f} MB" if status == 413 and case.size else ""
    what = f"the upload{size} is too large for the server (413)" if status == 413 else f"the PBX refused ({status})"
    return RefusedError(what, hint=_NOT_DONE, detail=detail, status=status)


def refusal(case: FailureCase, reply: Reply) -> RefusedError | None:
    """Returns the error for a 2xx that refuses: `false`, an error object, or `result: false`."""
    try:
        value = reply.json_or_text()
    except UnreadableError:
        return None
    starts_nothing = case.endpoint == CALLSENDAI and isinstance(value, dict) and value.get("answer") is False
    if not (_says_no(value) or starts_nothing):
        return None
    what, hint = "the PBX understood the request, and refused it", _NOT_DONE
    if case.endpoint == OUTCALL:
        what = "the PBX refused the call"
        hint = f"is the extension there, and on? see `alovoice peers`; {_NOT_DONE}"
    return RefusedError(what, hint=hint, detail=case.detail(reply.body), status=reply.status)


def _says_no(value: object) -> bool:
    if isinstance(value, dict):
        return bool(value.get("error")) or any(value.get(key) is False for key in _SAYS_NO)
    return value is False or (isinstance(value, str) and value.strip().lower() == "false")


def unreadable(case: FailureCase, reply: Reply, why: str) -> AlovoiceError:
    """Returns the error for a 2xx with a body that differs from the document."""
    if not case.endpoint.reads:
        return unknown(case, why, reply.body, reply.status)
    return ServerError(
        f"{case.host}: {why}",
        hint="check the base URL with `alovoice status`",
        detail=case.detail(reply.body),
        status=reply.status,
    )


def unknown(case: FailureCase, why: str, body: bytes, status: int | None) -> OutcomeUnknownError:
    """Returns the error with exit code 6, with the receipt and the way to find the outcome."""
    receipt = f" (receipt {case.receipt})" if case.receipt else ""
    return OutcomeUnknownError(
        f"{why}: it may have been carried out{receipt}",
        hint=f"do not run it again before you looked: {_how_to_find_out(case)}",
        detail=case.detail(body),
        status=status,
    )


def _how_to_find_out(case: FailureCase) -> str:
    shown = f"`alovoice call receipts show {case.receipt}` shows what was sent, " if case.receipt else ""
    if case.endpoint == CALLSENDAI:
        call_id = case.request.our_id or unquote(case.request.path.partition("?")[0].rpartition("/")[2])
        return f"`alovoice ai result {disarm(call_id)}` (an aicallid means that it ran)"
    if case.endpoint == ADD_AUTORULE:
        name = case.request.summary.get("name")
        named = f" named {disarm(str(name))}" if name else ""
        return f"{shown}the web console whether a campaign{named} exists; then `alovoice autorule get ID`"
    if case.endpoint in (OUTCALL, REQUESTCALL):
        ours = f" (our id {disarm(case.request.our_id)})" if case.request.our_id else ""
        seen = f"the list of calls in the web console shows whether it rang{ours}"
        return f"`alovoice call resolve {case.receipt}` asks the events, {seen}" if case.receipt else seen
    return f"{shown}the web console what came of it"
