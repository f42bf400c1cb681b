"""`alovoice listen check`: tests from outside that the PBX can reach the listener."""

import json
import secrets
import time
from typing import Annotated

import typer

from alovoice_cli.commands.options import examples
from alovoice_cli.commands.posting import poster_of
from alovoice_cli.errors import CheckFailedError, UnreachableError
from alovoice_cli.language import tr
from alovoice_cli.output.listing import Record
from alovoice_cli.session import Session

EXAMPLES = examples("alovoice listen check --url https://pbx.example.com/h/SECRET")
_ARRIVES_WITHIN_SECONDS = 5.0
_LOOK_SECONDS = 0.1


def check_url(
    ctx: typer.Context,
    url: Annotated[
        str, typer.Option("--url", metavar="URL", help="One of the four URLs that AloVoice calls, or their base.")
    ],
    store: Annotated[
        str | None, typer.Option("--store", metavar="URL", help="Event store of the listener (default: the profile's).")
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
        raise UnreachableError(
            tr("the URL cannot be reached: {problem}", problem=posted.error),
            hint=tr("is `alovoice listen` running there?"),
        )
    if posted.status != 200:
        raise CheckFailedError(
            tr("the URL answered {status} instead of 200", status=posted.status),
            hint=tr("compare it with the URLs that `alovoice listen` prints"),
        )
    events = session.event_store(store)
    deadline = time.monotonic() + _ARRIVES_WITHIN_SECONDS
    while not events.has_probe(nonce):
        if time.monotonic() > deadline:
            raise CheckFailedError(
                tr(
                    "the URL answers, but the proof did not arrive in the event store {store}",
                    store=store_name(events.url),
                ),
                hint=tr("give the store of the listener with --store"),
            )
        time.sleep(_LOOK_SECONDS)
    found = {
        "reached": True,
        "url": address,
        "answer_ms": round(posted.seconds * 1000),
        "store": store_name(events.url),
    }
    session.show(Record(found, ours=True))
