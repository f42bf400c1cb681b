"""The listener's proof to itself: a request through its own bound socket, found again in the store."""

import asyncio
import json
import secrets
import ssl
from urllib.parse import urlsplit

from alovoice_cli.errors import CheckFailedError
from alovoice_cli.stores.probes import has_arrived

_SECONDS = 5.0


async def prove(base_url: str, path: str, store_url: str) -> None:
    """Sends a nonce to the path of our own server, and looks for it in the store. Raises CheckFailedError."""
    nonce = secrets.token_hex(16)
    try:
        answer = await asyncio.wait_for(_post(base_url, path, json.dumps({"nonce": nonce}).encode()), _SECONDS)
    except (OSError, TimeoutError, ssl.SSLError) as error:
        raise CheckFailedError(f"the listener does not reach itself at {base_url}: {error or 'no answer'}") from error
    status = answer.split(b" ", 2)[1:2]
    if status != [b"200"]:
        raise CheckFailedError(f"the listener answered its own probe with {(status or [b'nothing'])[0].decode()}")
    if not await asyncio.to_thread(has_arrived, store_url, nonce):
        raise CheckFailedError(
            "the listener's own probe did not arrive in its store", hint="is the disk full? see `alovoice status`"
        )


async def _post(base_url: str, path: str, body: bytes) -> bytes:
    parts = urlsplit(base_url)
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(parts.hostname or "", parts.hostname)  # noqa: S104 - compared only
    context: ssl.SSLContext | None = None
    if parts.scheme == "https":
        # The certificate names the public host; this connection goes to our own socket.
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection(host, parts.port, ssl=context)
    try:
        head = f"POST {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        await writer.drain()
        return await reader.read()
    finally:
        writer.close()
