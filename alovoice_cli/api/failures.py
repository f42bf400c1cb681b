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
from alovoice_cli.language import joined, mark, tr
from alovoice_cli.masking import Masker, disarm

# Raised before anything is written: a bug of ours, or text that cannot be sent.
LOCAL = (httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.LocalProtocolError)
_HANDSHAKE_CUT = (ssl.SSLEOFError, ssl.SSLZeroReturnError)
_PROXY_DENIES = "407"
_UNDECIDED = frozenset({408, 425})
_LEDGER_TEXT = 4096
_MEGABYTE = 1_000_000
_SAYS_NO = ("result", "success", "ok")
_NOT_DONE = mark("nothing was done on the PBX: running it again is safe")


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
    speaker = _speaker(lost, host)
    if isinstance(lost.cause, httpx.ProxyError):
        return tr("{speaker} did not connect to {host} ({reason})", speaker=speaker, host=host, reason=_reason(lost))
    if isinstance(lost.cause, httpx.ConnectTimeout):
        return tr("{speaker} could not be reached in time", speaker=speaker)
    if lost.expired or isinstance(lost.cause, (httpx.ReadTimeout, httpx.WriteTimeout)):
        return tr("{speaker} sent no complete response within {seconds} s", speaker=speaker, seconds=f"{seconds:g}")
    causes = list(chain(lost.cause))
    if any(isinstance(cause, gaierror) for cause in causes):
        return tr("the host name is not known: {speaker}", speaker=speaker)
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return tr("{speaker} refuses connections", speaker=speaker)
    if isinstance(lost.cause, AnswerTooLongError):
        return tr("the response of {host} is too large", host=host)
    if isinstance(lost.cause, FileShrankError):
        return tr("the upload was cut: the file {file} became shorter while it was sent", file=str(lost.cause))
    return _cut(lost, speaker)


def _speaker(lost: Lost, host: str) -> str:
    """Returns who failed: the server, or the proxy in front of it."""
    return tr("the proxy {proxy}", proxy=lost.proxy) if lost.proxy else host


def _reason(lost: Lost) -> str:
    return disarm(str(lost.cause))


def _cut(lost: Lost, speaker: str) -> str:
    if lost.status is not None:
        if isinstance(lost.cause, httpx.DecodingError):
            return tr(
                "the response of {speaker} is incomplete or damaged ({reason})", speaker=speaker, reason=_reason(lost)
            )
        return tr("the response of {speaker} is incomplete or damaged", speaker=speaker)
    if isinstance(lost.cause, httpx.ConnectError):
        return tr("{speaker} could not be reached", speaker=speaker)
    return tr("{speaker} closed the connection without a response", speaker=speaker)


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
    """Returns the error for an exchange without an answer; a bug of ours that came before the first byte, unchanged."""
    if isinstance(lost.cause, LOCAL) and (not lost.left or case.endpoint.reads):
        return UsageError(tr("the request cannot be sent as it is"), detail=case.masker.hide(_reason(lost)))
    if not lost.left:
        return _never_left(case, lost)
    words = in_words(lost, case.host, case.timeout)
    if not case.endpoint.reads:
        return unknown(case, words, lost.arrived, lost.status)
    if lost.status is not None and not lost.expired:
        return ServerError(words, detail=case.detail(lost.arrived), status=lost.status)
    return UnreachableError(words, hint=tr("run it again; `--timeout` allows more time"), sent="maybe")


def _never_left(case: FailureCase, lost: Lost) -> BaseException:
    if wants_proxy_password(lost):
        return _proxy_refused(case)
    fault = certificate_fault(lost)
    if fault is not None:
        return _distrusted(
            _speaker(lost, case.host), getattr(fault, "verify_message", "") or str(fault.reason or fault)
        )
    if lost.cause is not None and not lost.expired and not isinstance(lost.cause, OSError) and _is_bug(lost.cause):
        return lost.cause
    return UnreachableError(in_words(lost, case.host, case.timeout), hint=tr(_NOT_DONE))


def _is_bug(cause: BaseException) -> bool:
    return not type(cause).__module__.startswith("http")  # httpx or httpcore


def _distrusted(speaker: str, reason: str) -> UnreachableError:
    if "WRONG_VERSION" in reason:
        return UnreachableError(
            tr("{speaker} does not use TLS", speaker=speaker), hint=tr("check the scheme and the port of its URL")
        )
    return UnreachableError(
        tr("the certificate of {speaker} is not trusted: {reason}", speaker=speaker, reason=disarm(reason)),
        hint=tr("check the clock of this computer; for a certificate authority of your own set SSL_CERT_FILE"),
    )


def _proxy_refused(case: FailureCase) -> TokenRefusedError:
    return TokenRefusedError(
        tr("the proxy {proxy} asks for a user and a password, or refuses those given (407)", proxy=case.proxy),
        hint=tr(
            "write them in {variable} as http://USER:PASSWORD@HOST:PORT",
            variable=f"{case.address.scheme.upper()}_PROXY",
        ),
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
    words = _status_words(case, f"{status} {disarm(reply.reason)}".rstrip())
    if not case.endpoint.reads:
        return unknown(case, words, reply.body, status)
    return ServerError(words, hint=tr("wait a moment, then run it again"), detail=detail, status=status)


def _status_words(case: FailureCase, status: str) -> str:
    if case.forwarded:
        return tr("{host} or the proxy {proxy} answered {status}", host=case.host, proxy=case.proxy, status=status)
    return tr("{host} answered {status}", host=case.host, status=status)


def login_words(profile: str) -> str:
    """Returns the command that stores a token for this profile."""
    return "alovoice login" if profile in ("", "default") else f"alovoice login -p {profile}"


def _not_done(case: FailureCase, reply: Reply, detail: str) -> AlovoiceError:
    status = reply.status
    if status in (401, 403):
        hint = tr(
            "run `{login}`; if ALOVOICE_TOKEN is set, it is the one that was refused", login=login_words(case.profile)
        )
        return TokenRefusedError(
            tr("the PBX refused the token ({status})", status=status), hint=hint, detail=detail, status=status
        )
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
        target = tr("an unreadable address")
    return RedirectedError(
        tr(
            "{host} redirects to {target}: not followed, to protect the token",
            host=case.host,
            target=disarm(case.masker.hide(target)),
        ),
        hint=tr("check the base URL with `alovoice status`"),
        status=reply.status,
    )


def _not_found(case: FailureCase, detail: str) -> NotFoundError:
    hint = tr("check the id and the base URL")
    if TokenPlace.PATH in case.endpoint.token_in:
        hint = tr("check the id and the base URL; a wrong token can have this effect too: see `alovoice status`")
    return NotFoundError(tr("the PBX has nothing at this address (404)"), hint=hint, detail=detail, status=404)


def _rate_limited(reply: Reply, detail: str) -> RateLimitedError:
    seconds = reply.retry_after()
    hint = tr("wait a moment, then run it again")
    if seconds is not None:
        hint = tr("wait {seconds} s, then run it again", seconds=f"{seconds:.0f}")
    message = tr("too many requests: the PBX asks to wait (429)")
    return RateLimitedError(message, retry_after=seconds, hint=hint, detail=detail)


def _refused_by_status(case: FailureCase, status: int, detail: str) -> RefusedError:
    if status == 407:
        return RefusedError(
            tr("{host} itself answered 407, which only a proxy may answer", host=case.host),
            hint=joined("; ", (tr("check the base URL with `alovoice status`"), tr(_NOT_DONE))),
            detail=detail,
            status=status,
        )
    what = tr("the PBX refused the request ({status})", status=status)
    if status == 413:
        what = tr("the upload is too large for the server (413)")
        if case.size:
            from alovoice_cli.localization import decimal_text  # noqa: PLC0415 - few uploads are too large

            size = decimal_text(case.size / _MEGABYTE)
            what = tr("the upload of {size} MB is too large for the server (413)", size=size)
    return RefusedError(what, hint=tr(_NOT_DONE), detail=detail, status=status)


def refusal(case: FailureCase, reply: Reply) -> RefusedError | None:
    """Returns the error for a 2xx that refuses: `false`, an error object, or `result: false`."""
    try:
        value = reply.json_or_text()
    except UnreadableError:
        return None
    starts_nothing = case.endpoint == CALLSENDAI and isinstance(value, dict) and value.get("answer") is False
    if not (_says_no(value) or starts_nothing):
        return None
    what, hint = tr("the PBX understood the request and refused it"), tr(_NOT_DONE)
    if case.endpoint == OUTCALL:
        what = tr("the PBX refused the call")
        hint = joined("; ", (tr("does the extension exist, and is it on? See `alovoice peers`"), hint))
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
        joined(": ", (case.host, why)),
        hint=tr("check the base URL with `alovoice status`"),
        detail=case.detail(reply.body),
        status=reply.status,
    )


def unknown(case: FailureCase, why: str, body: bytes, status: int | None) -> OutcomeUnknownError:
    """Returns the error with exit code 6, with the receipt and the way to find the outcome."""
    message = tr("{why}: the request may have been carried out", why=why)
    if case.receipt:
        message = tr("{why}: the request may have been carried out (receipt {receipt})", why=why, receipt=case.receipt)
    return OutcomeUnknownError(
        message,
        hint=tr("check before you run it again: {how}", how=_how_to_find_out(case)),
        detail=case.detail(body),
        status=status,
    )


def _how_to_find_out(case: FailureCase) -> str:
    if case.endpoint == CALLSENDAI:
        call_id = case.request.our_id or unquote(case.request.path.partition("?")[0].rpartition("/")[2])
        return tr("`alovoice ai result {call}` (an aicallid means that it ran)", call=disarm(call_id))
    if case.endpoint in (OUTCALL, REQUESTCALL):
        return joined(", ", _where_a_call_shows(case))
    shown = tr("the web console shows what became of it")
    if case.endpoint == ADD_AUTORULE:
        name = case.request.summary.get("name")
        shown = tr("the web console shows whether the campaign exists; then `alovoice autorule get ID`")
        if name:
            shown = tr(
                "the web console shows whether the campaign {name} exists; then `alovoice autorule get ID`",
                name=disarm(str(name)),
            )
    if not case.receipt:
        return shown
    sent = tr("`alovoice call receipts show {receipt}` shows what was sent", receipt=case.receipt)
    return joined(", ", (sent, shown))


def _where_a_call_shows(case: FailureCase) -> Iterator[str]:
    if case.receipt:
        yield tr("`alovoice call resolve {receipt}` looks for the call in the events", receipt=case.receipt)
    if case.request.our_id:
        ours = disarm(case.request.our_id)
        yield tr("the list of calls in the web console shows whether it rang (our id {id})", id=ours)
    else:
        yield tr("the list of calls in the web console shows whether it rang")
