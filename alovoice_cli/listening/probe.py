"""The listener's test of itself: a request through its own socket that must appear in the store."""

import asyncio
import contextlib
import http.client
import json
import secrets
import ssl
from collections.abc import Callable
from urllib.parse import urlsplit

from alovoice_cli.errors import CheckFailedError, UsageError
from alovoice_cli.language import tr
from alovoice_cli.stores.events import EventStore

_SECONDS = 5.0


async def prove(base_url: str, path: str, store_url: str, is_spooling: Callable[[], bool]) -> None:
    """Sends a nonce to our own server, and looks for it in the store. Raises CheckFailedError if it is missing.

    While deliveries go to the spool because a server is unreachable, the answer is proof enough.
    """
    await asyncio.to_thread(_prove, base_url, path, store_url, is_spooling)


def _prove(base_url: str, path: str, store_url: str, is_spooling: Callable[[], bool]) -> None:
    nonce = secrets.token_hex(16)
    try:
        status = _post(base_url, path, json.dumps({"nonce": nonce}).encode())
    except (OSError, http.client.HTTPException) as error:
        raise CheckFailedError(
            tr("the listener cannot reach itself at {url}: {problem}", url=base_url, problem=error or tr("no answer"))
        ) from error
    if status != 200:
        raise CheckFailedError(tr("the listener answered its own probe with {status}", status=status))
    try:
        is_there = is_spooling() or EventStore(store_url).has_probe(nonce)
    except UsageError:
        if not is_spooling():
            raise
        return
    if not is_there:
        raise CheckFailedError(
            tr("the listener's own probe did not arrive in its event store"),
            hint=tr("is the disk full, or the event store locked?"),
        )


def _post(base_url: str, path: str, body: bytes) -> int:
    parts = urlsplit(base_url)
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(parts.hostname or "", parts.hostname or "")  # noqa: S104 - compared
    connection = http.client.HTTPConnection(host, parts.port, timeout=_SECONDS)
    if parts.scheme == "https":
        # The certificate names the public host; this connection goes to our own socket.
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(host, parts.port, timeout=_SECONDS, context=context)
    with contextlib.closing(connection):
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        return connection.getresponse().status
