"""The HTTP side of the simulated PBX: an ASGI app with the vendor's eight methods and the recordings.

What the document does not say, the sandbox decides (A): errors are `{"error": "…"}` with 400 (naming the field), 401,
404 or 413; `requestcall` answers `{"result", "id", "extid"}`; `outcall` is plain text. Every answer has the header
`X-Alovoice-Sandbox: 1`, and a request whose Host is not loopback gets 421: no web page may reach the PBX by DNS
rebinding.
"""

import hmac
import ipaddress
from collections.abc import MutableMapping, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from alovoice_cli.errors import AlovoiceError
from alovoice_cli.sandbox.autorules import TEXT_FIELDS, read_order
from alovoice_cli.sandbox.bodies import Refusal, content_type, read_fields, read_multipart
from alovoice_cli.sandbox.calls import read_outcall, read_requestcall
from alovoice_cli.sandbox.faults import App, Fault, Message, Receive, Send, with_faults
from alovoice_cli.sandbox.pbx import Pbx
from alovoice_cli.sandbox.scenario import stereo_wav

_MARK = (b"x-alovoice-sandbox", b"1")
_NOTE = "X-Alovoice-Sandbox-Note"
_LONGEST_CALL_ID = 64
_LONGEST_CAMPAIGN_ID = 18  # digits that SQLite's integers surely hold


class _Answer(JSONResponse):
    """JSON as Express types it."""

    media_type = "application/json; charset=utf-8"


def make_app(pbx: Pbx, *, token: str, faults: Sequence[Fault] = ()) -> App:
    """Returns the PBX behind HTTP, for a socket or an in-process transport; `token` is the only accepted token."""
    app: App = _Wire(pbx, token).routed()
    if faults:
        app = with_faults(app, faults, seed=pbx.seed)

    async def marked(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        async def mark(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), _MARK]
            await send(message)

        if _is_loopback(Request(scope).headers.get("host", "")):
            await app(scope, receive, mark)
        else:
            await _Answer({"error": "the sandbox answers loopback hosts only"}, 421)(scope, receive, mark)

    return marked


def _is_loopback(host: str) -> bool:
    """Returns whether a Host header names this machine: localhost, names under it, 127.0.0.0/8 or ::1."""
    name = host.rpartition("]")[0].removeprefix("[") if host.startswith("[") else host.partition(":")[0]
    name = name.lower().removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class _Wire:
    """The routes of one PBX; each checks the token in the document's place, then reads, acts and answers."""

    def __init__(self, pbx: Pbx, token: str) -> None:
        self._pbx = pbx
        self._token = token

    def routed(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/mapi/addAutorule", self._add_autorule, methods=["POST"]),
                Route("/mapi/getAutorule/{id}", self._get_autorule, methods=["GET"]),
                Route("/mapi/getMyTrunks", self._get_my_trunks, methods=["GET"]),
                Route("/requestcall/{token}", self._requestcall, methods=["POST"]),
                Route("/outcall/{token}", self._outcall, methods=["POST"]),
                Route("/getpeers/{token}", self._getpeers, methods=["GET"]),
                Route("/callsendai/{token}/{call_id}", self._callsendai, methods=["GET"]),
                Route("/callgetaireresult/{token}/{call_id}", self._callgetaireresult, methods=["GET"]),
                Route("/stereo/{call_id}", self._stereo, methods=["GET"]),
            ],
            exception_handlers={Refusal: _refuse, HTTPException: _refuse_http, AlovoiceError: _fail},
        )

    async def _add_autorule(self, request: Request) -> Response:
        self._check_bearer(request)
        if content_type(request) != "multipart/form-data":
            raise Refusal(400, "addAutorule takes multipart/form-data")
        try:
            fields, files = await read_multipart(request, files=2)
            for name in ("record", "recipients"):
                if name not in files:
                    raise Refusal(400, f"{name} is missing, or is not a file")
            texts = {name: fields[name] for name in TEXT_FIELDS if name in fields}
            record, recipients = files["record"].file, files["recipients"].file
            order = await run_in_threadpool(read_order, texts, record, recipients, self._pbx.scenario.trunks)
        finally:
            await request.close()
        return _Answer(await run_in_threadpool(self._pbx.add_campaign, order))

    async def _get_autorule(self, request: Request) -> Response:
        self._check_bearer(request)
        number = request.path_params["id"]
        if not (number.isascii() and number.isdigit()):
            raise Refusal(400, "the campaign's id must be a number")
        is_possible = len(number) <= _LONGEST_CAMPAIGN_ID
        campaign = await run_in_threadpool(self._pbx.campaign, int(number)) if is_possible else None
        if campaign is None:
            raise Refusal(404, f"there is no campaign {number[:40]}")
        return _Answer(campaign)

    async def _get_my_trunks(self, request: Request) -> Response:
        self._check_bearer(request)
        return _Answer(list(self._pbx.scenario.trunks))

    async def _requestcall(self, request: Request) -> Response:
        self._check_path(request)
        fields, note = await read_fields(request)
        order = read_requestcall(fields, self._pbx.scenario)
        call = await run_in_threadpool(self._pbx.place_call, order)
        answer = {"result": True, "id": call.id, "extid": call.key}
        return _Answer(answer, headers={_NOTE: note} if note else None)

    async def _outcall(self, request: Request) -> Response:
        self._check_path(request)
        fields, note = await read_fields(request)
        order = read_outcall(fields)
        known = self._pbx.has_extension(order.first)
        if known:
            await run_in_threadpool(self._pbx.place_call, order)
        return PlainTextResponse("true" if known else "false", headers={_NOTE: note} if note else None)

    async def _getpeers(self, request: Request) -> Response:
        """Answers `getpeers`: the token in the path decides; the header `token`, if given, must be equal."""
        self._check_path(request)
        if "token" in request.headers:
            self._check(request.headers["token"])
        return _Answer(self._pbx.scenario.peers_for(self._pbx.seed))

    async def _callsendai(self, request: Request) -> Response:
        self._check_path(request)
        return _Answer({"answer": await run_in_threadpool(self._pbx.start_analysis, _call_id(request))})

    async def _callgetaireresult(self, request: Request) -> Response:
        self._check_path(request)
        return _Answer({"answer": await run_in_threadpool(self._pbx.analysis, _call_id(request))})

    async def _stereo(self, request: Request) -> Response:
        """Answers a recording. The document gives its path and no place for a token: a bearer token is needed (A)."""
        self._check_bearer(request)
        talk = await run_in_threadpool(self._pbx.talk, _call_id(request))
        return Response(await run_in_threadpool(stereo_wav, talk), media_type="audio/wav")

    def _check_bearer(self, request: Request) -> None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        self._check(given.strip() if scheme.lower() == "bearer" else "")

    def _check_path(self, request: Request) -> None:
        self._check(request.path_params["token"])

    def _check(self, given: str) -> None:
        if not hmac.compare_digest(given.encode("utf-8", "surrogatepass"), self._token.encode()):
            raise Refusal(401, "the token is missing or is not this PBX's")


def _call_id(request: Request) -> str:
    call_id: str = request.path_params["call_id"]
    plain = call_id.isascii() and call_id.replace("-", "").replace("_", "").replace(".", "").replace(":", "").isalnum()
    if not plain or len(call_id) > _LONGEST_CALL_ID:
        raise Refusal(400, f"a call id is up to {_LONGEST_CALL_ID} letters, digits and . _ : -")
    return call_id


def _refuse(_: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)
    return _Answer({"error": refusal.message}, refusal.status)


def _refuse_http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _Answer({"error": error.detail}, error.status_code, error.headers)


def _fail(_: Request, error: Exception) -> Response:
    """Answers like a broken server, with the reason: the sandbox's own file cannot be used."""
    assert isinstance(error, AlovoiceError)
    return _Answer({"error": error.message}, 500)
