"""The client of one PBX: one `send`, and one attribute a group (`client.autorule.create(...)`). Usable as a library."""

import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

import httpx

from alovoice_cli.api import failures
from alovoice_cli.api.address import parse_address
from alovoice_cli.api.ai import Ai
from alovoice_cli.api.autorule import Autorule
from alovoice_cli.api.call import Call, read_accepted
from alovoice_cli.api.courier import Courier, Load, Progress, file_parts
from alovoice_cli.api.deadline import Lost, Sink
from alovoice_cli.api.endpoints import ADD_AUTORULE, CALLSENDAI, OUTCALL
from alovoice_cli.api.failures import Case
from alovoice_cli.api.loggers import hide_in_logs
from alovoice_cli.api.peers import Peers
from alovoice_cli.api.rehearsal import Rehearsed
from alovoice_cli.api.reply import Reply, UnreadableError
from alovoice_cli.api.request import Request, check_token
from alovoice_cli.api.routes import authorities_of
from alovoice_cli.api.seal import Flight, Intent, Ledger, Outcome, Seal, State
from alovoice_cli.api.sending import read_object
from alovoice_cli.api.trace import Trace
from alovoice_cli.api.trunks import Trunks
from alovoice_cli.api.wire import ENCODINGS, Encoded, Encoding, encode, needs_token
from alovoice_cli.errors import AlovoiceError, ExitCode, OutcomeUnknownError, TokenMissingError, UsageError
from alovoice_cli.masking import Masker

T = TypeVar("T")

# What `raw` asks of the body where an unreadable one would leave open what happened.
_MUST_READ: Mapping[str, Callable[[Reply], object]] = {
    OUTCALL.name: read_accepted,
    ADD_AUTORULE.name: read_object,
    CALLSENDAI.name: read_object,
}


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """An answer as it came, and the error that its status or body means, if any: the caller raises it when it may."""

    reply: Reply
    problem: AlovoiceError | None


class Client:
    """Talks to the PBX at `base_url` with one token. Makes no connection before the first request.

    `timeout` is in seconds and bounds everything that one call does, retries included; of the first call's seconds
    `spent` are gone already. `transport` replaces the network (an embedded PBX) while deadline, retry and seal stay
    around it. `rehearse` turns every request that changes something into a Rehearsed exception. `trace` takes the lines
    of `--verbose`. Raises UsageError for a base URL, a token or an encoding that cannot be used.
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
        ledger: Ledger | None = None,
        seal: Seal | None = None,
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
        self.seal = seal or Seal(ledger)
        self._token, self._timeout, self._profile, self._rehearse = token or "", timeout, profile, rehearse
        self._encoding: Encoding = _known_encoding(encoding)
        self._environ = environ
        self._masker = Masker([self._token])
        self._courier = Courier(
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
        self.trunks, self.peers = Trunks(self), Peers(self)
        self.autorule, self.call, self.ai = Autorule(self), Call(self), Ai(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._courier.close()

    @property
    def proxy(self) -> str:
        """The proxy in force, without its password; empty for none."""
        return self._courier.proxy

    @property
    def authorities(self) -> str:
        """The trusted certificates in force: a file, a folder or `the bundle of certifi`; empty for `http://`."""
        return authorities_of(self._environ) if self.address.scheme == "https" else ""

    # --- sending -----------------------------------------------------------------------------------------------------

    def send(
        self,
        request: Request,
        read: Callable[[Reply], T],
        *,
        sink: Sink | None = None,
        progress: Progress | None = None,
    ) -> T:
        """What `read` makes of a 2xx; `read` raises UnreadableError for what it does not know.

        Raises AlovoiceError for everything else, and Rehearsed for what would change something in a rehearsal.
        """
        found: list[T] = []
        answer = self._deliver(request, lambda reply: found.append(read(reply)), sink, progress)
        if answer.problem is not None:
            raise answer.problem
        return found[0]

    def raw(self, request: Request) -> RawAnswer:
        """The answer as it came, of any status. Raises AlovoiceError only when none came."""
        return self._deliver(request, _MUST_READ.get(request.endpoint.name, lambda _: None), None, None)

    def _deliver(
        self, request: Request, read: Callable[[Reply], object], sink: Sink | None, progress: Progress | None
    ) -> RawAnswer:
        body = encode(request.body, self._encoding)
        if self._rehearse and not request.endpoint.reads:
            raise Rehearsed(self.address, request, body)
        self._check_token(request)
        if request.endpoint.reads:
            case = self._case(request, body)
            try:
                reply = self._courier.carry(Load(request, body, sink=sink, progress=progress))
            except Lost as lost:
                raise failures.from_loss(case, lost) from lost
            return RawAnswer(reply, _judge(case, reply, read))
        flight = self.seal.begin(self._intent(request))
        try:
            return self._fly(flight, Load(request, body, on_left=flight.left, progress=progress), read)
        except BaseException as error:
            # An error of ours was settled below. Anything else (Ctrl-C, a bug) stays open once it left: unknown.
            if flight.outcome is None and flight.withdraw():
                flight.settle(Outcome("unsent", _code_of(error), "no"))
            raise

    def _fly(self, flight: Flight, load: Load, read: Callable[[Reply], object]) -> RawAnswer:
        # The ledger comes first: to show an answer can take long, or fail.
        case = self._case(load.request, load.body, flight.receipt)
        try:
            reply = self._courier.carry(load)
        except Lost as lost:
            error = failures.from_loss(case, lost)
            if isinstance(error, OutcomeUnknownError):
                answer = case.for_ledger(lost.arrived)
                flight.settle(Outcome("unknown", error.exit_code, error.sent, error.status, answer))
            self._courier.tell_loss(lost)
            raise error from lost
        problem = _judge(case, reply, read)
        flight.settle(_outcome(case, reply, problem))
        self._courier.tell_reply(reply)
        return RawAnswer(reply, problem)

    def _check_token(self, request: Request) -> None:
        if not self._token and needs_token(request):
            raise TokenMissingError(
                f"no token for the profile {self._profile}" if self._profile else "no token",
                hint=f"run `{failures.login_words(self._profile)}`, set ALOVOICE_TOKEN, or try `-p sandbox`",
            )

    def _case(self, request: Request, body: Encoded, receipt: str = "") -> Case:
        size = sum(part.size for part in file_parts(body))
        return Case(self.address, request, self._masker, self._timeout, receipt, size, self._profile, self.proxy)

    def _intent(self, request: Request) -> Intent:
        return Intent(
            self._profile,
            request.command or f"api {request.method}",
            request.method,
            self._masker.hide(request.path),
            tuple(map(self._masker.hide, request.numbers)),
            self._masker.hide(request.our_id),
            {name: self._masker.hide_in(value) for name, value in request.summary.items()},
        )


def _judge(case: Case, reply: Reply, read: Callable[[Reply], object]) -> AlovoiceError | None:
    problem = failures.from_status(case, reply) or failures.refusal(case, reply)
    if problem is not None:
        return problem
    try:
        read(reply)
    except UnreadableError as error:
        return failures.unreadable(case, reply, str(error))
    return None


def _outcome(case: Case, reply: Reply, problem: AlovoiceError | None) -> Outcome:
    state: State = "done"
    if problem is not None:
        state = "unknown" if isinstance(problem, OutcomeUnknownError) else "refused"
        state = "unsent" if problem.sent == "no" else state
    code, sent = (problem.exit_code, problem.sent) if problem else (ExitCode.DONE, "yes")
    return Outcome(state, code, sent, reply.status, case.for_ledger(reply.body))


def _code_of(error: BaseException) -> ExitCode:
    return error.exit_code if isinstance(error, AlovoiceError) else ExitCode.INTERRUPTED


def _known_encoding(name: str) -> Encoding:
    for encoding in ENCODINGS:
        if encoding == name:
            return encoding
    raise UsageError(f"the encoding {name!r} is not known", hint=f"choose one of {', '.join(ENCODINGS)}")
