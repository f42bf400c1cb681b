"""The client of one PBX: one `send`, and one attribute a group (`client.autorule.create(...)`). Also a library."""

import os
import random
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self, TypeVar

import httpx

from alovoice_cli.api import failures
from alovoice_cli.api.address import parse_address
from alovoice_cli.api.deadline import Lost
from alovoice_cli.api.endpoints import ADD_AUTORULE, CALLSENDAI, OUTCALL
from alovoice_cli.api.failures import FailureCase
from alovoice_cli.api.reply import Reply, UnreadableError
from alovoice_cli.api.request import ENCODINGS, Encoded, Encoding, Request, check_token, encode, needs_token
from alovoice_cli.api.send_guard import InFlightRequest, ReceiptLedger, SendGuard
from alovoice_cli.api.trace import Trace, hide_in_logs
from alovoice_cli.api.transport import PreparedRequest, Progress, Sender, authorities_of, file_parts
from alovoice_cli.errors import AlovoiceError, ExitCode, OutcomeUnknownError, TokenMissingError, UsageError
from alovoice_cli.language import text_of, tr
from alovoice_cli.masking import Masker
from alovoice_cli.receipts import Intent, RequestOutcome, State

if TYPE_CHECKING:
    from alovoice_cli.api.ai import AiApi
    from alovoice_cli.api.autorule import AutoruleApi
    from alovoice_cli.api.call import CallApi
    from alovoice_cli.api.downloads import PartFile
    from alovoice_cli.api.peers import PeersApi
    from alovoice_cli.api.trunks import TrunksApi

T = TypeVar("T")

# Reads the body in `raw` where an unreadable body would leave the outcome open.
_MUST_READ: Mapping[str, Callable[[Reply], object]] = {
    OUTCALL.name: Reply.accepted,
    ADD_AUTORULE.name: Reply.json_object,
    CALLSENDAI.name: Reply.json_object,
}


class RawAnswer(NamedTuple):
    """An answer as received, and the error of its status or body, if any; the caller decides when to raise it."""

    reply: Reply
    problem: AlovoiceError | None


class Client:
    """Talks to the PBX at `base_url` with one token. Makes no connection before the first request.

    `timeout` is in seconds and limits everything that one call does, retries included; `spent` seconds of the first
    call's time are already used. `transport` replaces the network (an embedded PBX): deadline, retry and send guard
    stay. `rehearse` turns every request that changes something into a Rehearsed exception. `trace` receives the lines
    of `--verbose`. `override_limits` names the profile's limits that do not apply to this client's requests. Raises
    UsageError for an unusable base URL, token or encoding.
    """

    def __init__(
        self,
        base_url: str,
        token: str | None,
        *,
        timeout: float = 30.0,
        spent: float = 0.0,
        encoding: str = "json",
        insecure: bool = False,
        environ: Mapping[str, str] = os.environ,
        transport: httpx.BaseTransport | None = None,
        ledger: ReceiptLedger | None = None,
        send_guard: SendGuard | None = None,
        override_limits: frozenset[str] = frozenset(),
        profile: str = "",
        trace: Callable[[str], None] | None = None,
        show_numbers: bool = False,
        rehearse: bool = False,
        sleep: Callable[[float], object] = time.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.address = parse_address(base_url, insecure=insecure)
        if token:
            check_token(token)
            hide_in_logs(token)
        self.send_guard = send_guard or SendGuard((lambda: ledger) if ledger else None)
        self._override_limits = override_limits
        self._token, self._timeout, self._profile, self._rehearse = token or "", timeout, profile, rehearse
        self._encoding: Encoding = _known_encoding(encoding)
        self._environ = environ
        self._masker = Masker([self._token])
        self._sender = Sender(
            self.address,
            self._token,
            timeout=timeout,
            spent=spent,
            environ=environ,
            transport=transport,
            trace=Trace(trace, self._masker, show_numbers=show_numbers),
            sleep=sleep,
            uniform=uniform,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._sender.close()

    @property
    def proxy(self) -> str:
        """Returns the proxy in use, without its password; '' for none."""
        return self._sender.proxy

    @property
    def authorities(self) -> str:
        """Returns the trusted certificates: a file, a folder or `the bundle of certifi`; '' for `http://`."""
        return authorities_of(self._environ) if self.address.scheme == "https" else ""

    # --- the groups of methods, each loaded when first asked for -----------------------------------------------------

    @cached_property
    def trunks(self) -> "TrunksApi":
        """The PBX's lines."""
        from alovoice_cli.api.trunks import TrunksApi

        return TrunksApi(self)

    @cached_property
    def peers(self) -> "PeersApi":
        """The PBX's extensions."""
        from alovoice_cli.api.peers import PeersApi

        return PeersApi(self)

    @cached_property
    def autorule(self) -> "AutoruleApi":
        """Auto-dial campaigns."""
        from alovoice_cli.api.autorule import AutoruleApi

        return AutoruleApi(self)

    @cached_property
    def call(self) -> "CallApi":
        """Single calls."""
        from alovoice_cli.api.call import CallApi

        return CallApi(self)

    @cached_property
    def ai(self) -> "AiApi":
        """Speech analytics."""
        from alovoice_cli.api.ai import AiApi

        return AiApi(self)

    # --- sending -----------------------------------------------------------------------------------------------------

    def send(
        self,
        request: Request,
        read: Callable[[Reply], T],
        *,
        sink: "PartFile | None" = None,
        progress: Progress | None = None,
    ) -> T:
        """Sends the request, and returns the result of `read` for a 2xx; `read` raises UnreadableError for a bad body.

        Raises AlovoiceError for everything else, and Rehearsed for a change in a rehearsal.
        """
        found: list[T] = []
        answer = self._deliver(request, lambda reply: found.append(read(reply)), sink, progress)
        if answer.problem is not None:
            raise answer.problem
        return found[0]

    def raw(self, request: Request) -> RawAnswer:
        """Returns the answer as received, with any status. Raises AlovoiceError only without an answer."""
        return self._deliver(request, _MUST_READ.get(request.endpoint.name, lambda _: None), None, None)

    def _deliver(
        self, request: Request, read: Callable[[Reply], object], sink: "PartFile | None", progress: Progress | None
    ) -> RawAnswer:
        body = encode(request.body, self._encoding)
        if self._rehearse and not request.endpoint.reads:
            from alovoice_cli.api.rehearsal import Rehearsed

            raise Rehearsed(self.address, request, body)
        self._check_token(request)
        if request.endpoint.reads:
            case = self._case(request, body)
            try:
                reply = self._sender.carry(PreparedRequest(request, body, sink=sink, progress=progress))
            except Lost as lost:
                raise failures.from_loss(case, lost) from lost
            return RawAnswer(reply, _judge(case, reply, read))
        in_flight = self.send_guard.begin(self._intent(request), planned=request.planned)
        try:
            return self._send_guarded(
                in_flight, PreparedRequest(request, body, on_left=in_flight.left, progress=progress), read
            )
        except BaseException as error:
            # Our own errors are settled below. After another exception (Ctrl-C, a bug) a request that left is unknown.
            if in_flight.outcome is None and in_flight.withdraw():
                code = error.exit_code if isinstance(error, AlovoiceError) else ExitCode.INTERRUPTED
                in_flight.settle(RequestOutcome("unsent", code, "no"))
            raise

    def _send_guarded(
        self, in_flight: InFlightRequest, prepared: PreparedRequest, read: Callable[[Reply], object]
    ) -> RawAnswer:
        # The ledger comes first: showing an answer can take long, or fail.
        case = self._case(prepared.request, prepared.body, in_flight.receipt)
        try:
            reply = self._sender.carry(prepared)
        except Lost as lost:
            error = failures.from_loss(case, lost)
            if isinstance(error, OutcomeUnknownError):
                answer = case.for_ledger(lost.arrived)
                in_flight.settle(RequestOutcome("unknown", error.exit_code, error.sent, error.status, answer))
            self._sender.tell_loss(lost)
            raise error from lost
        problem = _judge(case, reply, read)
        in_flight.settle(_outcome(case, reply, problem))
        self._sender.tell_reply(reply)
        return RawAnswer(reply, problem)

    def _check_token(self, request: Request) -> None:
        if not self._token and needs_token(request):
            raise TokenMissingError(
                tr("no token for the profile {profile}", profile=self._profile) if self._profile else tr("no token"),
                hint=tr(
                    "run `{login}`, set ALOVOICE_TOKEN, or try `-p sandbox`", login=failures.login_words(self._profile)
                ),
            )

    def _case(self, request: Request, body: Encoded, receipt: str = "") -> FailureCase:
        size = sum(part.size for part in file_parts(body))
        return FailureCase(self.address, request, self._masker, self._timeout, receipt, size, self._profile, self.proxy)

    def _intent(self, request: Request) -> Intent:
        return Intent(
            self._profile,
            request.command or f"api {request.method}",
            request.method,
            self._masker.hide(request.path),
            tuple(map(self._masker.hide, request.numbers)),
            self._masker.hide(request.our_id),
            {name: self._masker.hide_in(value) for name, value in request.summary.items()},
            self._override_limits,
            request.campaign,
        )


def _judge(case: FailureCase, reply: Reply, read: Callable[[Reply], object]) -> AlovoiceError | None:
    problem = failures.from_status(case, reply) or failures.refusal(case, reply)
    if problem is not None:
        return problem
    try:
        read(reply)
    except UnreadableError as error:
        return failures.unreadable(case, reply, text_of(error))
    return None


def _outcome(case: FailureCase, reply: Reply, problem: AlovoiceError | None) -> RequestOutcome:
    state: State = "done"
    if problem is not None:
        state = "unknown" if isinstance(problem, OutcomeUnknownError) else "refused"
        state = "unsent" if problem.sent == "no" else state
    code, sent = (problem.exit_code, problem.sent) if problem else (ExitCode.DONE, "yes")
    return RequestOutcome(state, code, sent, reply.status, case.for_ledger(reply.body))


def _known_encoding(name: str) -> Encoding:
    for encoding in ENCODINGS:
        if encoding == name:
            return encoding
    raise UsageError(
        tr("the encoding {name} is not known", name=repr(name)),
        hint=tr("choose one of {names}", names=", ".join(ENCODINGS)),
    )
