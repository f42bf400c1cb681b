"""`alovoice listen check`: proves from outside in that the PBX could reach the listener."""

import json
import secrets
import time
from typing import Annotated

import typer

from alovoice_cli.commands.options import examples
from alovoice_cli.commands.posting import poster_of
from alovoice_cli.errors import CheckFailedError, UnreachableError
from alovoice_cli.output.listing import Record
from alovoice_cli.session import Session

EXAMPLES = examples("alovoice listen check --url https://pbx.example.com/h/SECRET")
_ARRIVES_WITHIN_SECONDS = 5.0
_LOOK_SECONDS = 0.1


def check_url(
    ctx: typer.Context,
    url: Annotated[
        str, typer.Option("--url", metavar="URL", help="One of the four URLs as AloVoice calls it, or what they share.")
    ],
    store: Annotated[
        str | None, typer.Option("--store", metavar="URL", help="The listener's store; else the profile's own file.")
    ] = None,
) -> None:
    """Send a proof to the public URL, and look for it in the store.

    Exit code 5: the URL was not reached; 8: the proof did not arrive in the store.
    """
    from alovoice_cli.events.event import PBX_TYPES
    from alovoice_cli.events.handler import checked_url
    from alovoice_cli.stores.event_engine import store_name

    session: Session = ctx.obj
    address = checked_url(url, "--url").rstrip("/")
    for kind in PBX_TYPES:
        address = address.removesuffix(f"/{kind}")
    nonce = secrets.token_hex(16)
    body = json.dumps({"nonce": nonce}).encode()
    headers = {"content-type": "application/json"}
    posted = poster_of(session).post(f"{address}/probe", body, headers=headers, timeout=session.settings.timeout)
    if posted.status is None:
        raise UnreachableError(f"the URL is not reached: {posted.error}", hint="is `alovoice listen` running there?")
    if posted.status != 200:
        raise CheckFailedError(
            f"the URL answered {posted.status}, not 200", hint="compare it with the URLs that `alovoice listen` prints"
        )
    events = session.event_store(store)
    deadline = time.monotonic() + _ARRIVES_WITHIN_SECONDS
    while not events.has_probe(nonce):
        if time.monotonic() > deadline:
            raise CheckFailedError(
                f"the URL answers, but the proof did not arrive in the store {store_name(events.url)}",
                hint="name the listener's: --store",
            )
        time.sleep(_LOOK_SECONDS)
    found = {
        "reached": True,
        "url": address,
        "answer_ms": round(posted.seconds * 1000),
        "store": store_name(events.url),
    }
    session.show(Record(found, ours=True))
