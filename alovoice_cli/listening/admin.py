"""The admin port: /live, /ready and /metrics, for monitoring. It knows no secret and shows none."""

import asyncio
import ipaddress
import json
import threading
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from alovoice_cli.language import tr
from alovoice_cli.serving.limits import Limits, Receive, Send
from alovoice_cli.serving.server import SocketServer

if TYPE_CHECKING:
    from alovoice_cli.listening.metrics import Metrics

_LIMITS = Limits(body_bytes=1 << 10, request_deadline=timedelta(seconds=5), connections=32, drain=timedelta(seconds=1))
_JSON = b"application/json"


@dataclass(frozen=True, slots=True)
class AdminPlan:
    """The address of the admin port, and the metrics."""

    host: str
    port: int
    metrics: "Metrics"


class AdminServer:
    """Serves the checks from a thread with its own loop: it also answers while the listener's loop does not.

    `not_ready` returns why the listener takes nothing; empty if it takes deliveries. `about` is shown with that reason.
    The port is bound at once: raises UsageError if the address is not available.
    """

    def __init__(
        self,
        plan: AdminPlan,
        is_alive: Callable[[], bool],
        not_ready: Callable[[], str],
        about: Callable[[], dict[str, object]],
        complain: Callable[[str], None],
    ) -> None:
        self._metrics, self._is_alive, self._not_ready, self._about = plan.metrics, is_alive, not_ready, about
        self._server = SocketServer(
            self._serve, host=plan.host, port=plan.port, allow_public=True, limits=_LIMITS, complain=complain
        )
        self._thread = threading.Thread(target=self._server.run, args=[lambda _: None], name="admin", daemon=True)
        self.url = self._server.url
        if not ipaddress.ip_address(urlsplit(self.url).hostname or "").is_loopback:
            complain(tr("the admin port {url} needs no password and can be reached from other computers", url=self.url))

    def start(self) -> None:
        """Starts to answer."""
        self._thread.start()

    def close(self) -> None:
        """Answers requests in progress, and ends."""
        self._server.stop()
        if self._thread.is_alive():
            self._thread.join()

    async def _serve(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["path"] not in ("/live", "/ready", "/metrics"):
            await _answer(send, 404, b'{"error": "there are /live, /ready and /metrics"}\n')
        elif scope["method"] not in ("GET", "HEAD"):
            await _answer(send, 405, b'{"error": "GET"}\n')
        elif scope["path"] == "/metrics":
            text = await asyncio.to_thread(self._metrics.text)  # it reads from the event store
            await _answer(send, 200, text, self._metrics.content_type)
        elif scope["path"] == "/live":
            is_alive = self._is_alive()
            await _answer(send, 200 if is_alive else 503, _told({"live": is_alive}))
        else:
            reason = self._not_ready()
            told = {"ready": not reason, "reason": reason or None, **self._about()}
            await _answer(send, 503 if reason else 200, _told(told))


def _told(value: dict[str, object]) -> bytes:
    return json.dumps(value).encode() + b"\n"


async def _answer(send: Send, status: int, body: bytes, content_type: bytes = _JSON) -> None:
    headers = [(b"content-type", content_type), (b"content-length", b"%d" % len(body)), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
