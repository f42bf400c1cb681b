"""`alovoice listen`: one durable receiver of callstart, callend, results and route questions."""

from typing import Annotated, Any

import typer

from alovoice_cli.commands.listen.narrator import Narrator
from alovoice_cli.commands.options import examples
from alovoice_cli.session import Session

EXAMPLES = examples(
    "alovoice listen --fallback queue:6000",
    "alovoice listen --forward callstart=https://crm.example.com/start --forward https://crm.example.com/events",
    "alovoice listen --json | jq -c 'select(.type == \"callend\")'",
)


def listen(
    ctx: typer.Context,
    host: Annotated[str, typer.Option("--host", metavar="ADDRESS", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", metavar="N", min=0, max=65535, help="0 picks a free one.")] = 8787,
    store: Annotated[
        str | None, typer.Option("--store", metavar="URL", help="Where events are kept; else the profile's own file.")
    ] = None,
    secret: Annotated[
        str, typer.Option("--secret", metavar="auto|none|STR", help="What stands in the URLs' path.")
    ] = "auto",  # noqa: S107 - a word that asks for one
    forward: Annotated[
        list[str] | None,
        typer.Option("--forward", metavar="[TYPE=]URL", help="Pass events on; callstart=URL is asked for its answer."),
    ] = None,
    forward_timeout: Annotated[
        float, typer.Option("--forward-timeout", metavar="SECONDS", help="How long a callstart waits for the CRM.")
    ] = 2.0,
    sign_secret: Annotated[
        str | None,
        typer.Option("--sign-secret", metavar="SECRET", help="Sign what is forwarded: whsec_…, or @FILE with it."),
    ] = None,
    run: Annotated[
        list[str] | None, typer.Option("--exec", metavar="[TYPE=]CMD", help="Start a program for each event.")
    ] = None,
    fallback: Annotated[
        str | None, typer.Option("--fallback", metavar="STEP", help="Where a caller goes, such as queue:6000.")
    ] = None,
    allow_from: Annotated[
        list[str] | None, typer.Option("--allow-from", metavar="CIDR", help="Only these addresses may deliver.")
    ] = None,
    trusted_proxy: Annotated[
        list[str] | None, typer.Option("--trusted-proxy", metavar="CIDR", help="Whose X-Forwarded-For is believed.")
    ] = None,
    tls_cert: Annotated[
        str | None, typer.Option("--tls-cert", metavar="FILE", help="Serve https with this certificate.")
    ] = None,
    tls_key: Annotated[str | None, typer.Option("--tls-key", metavar="FILE", help="Its key.")] = None,
    no_dedupe: Annotated[
        bool, typer.Option("--no-dedupe", help="Pass repeated deliveries on too.", show_default=False)
    ] = False,
    ready_file: Annotated[
        str | None, typer.Option("--ready-file", metavar="FILE", help="Written with the URLs when all works.")
    ] = None,
    print_systemd: Annotated[
        bool, typer.Option("--print-systemd", help="Print a systemd unit for this line.", show_default=False)
    ] = False,
    print_nginx: Annotated[
        bool, typer.Option("--print-nginx", help="Print an nginx location for this line.", show_default=False)
    ] = False,
) -> Any:
    """Receive everything that the PBX sends, until Ctrl-C. AloVoice must be able to reach the URLs that are printed.

    Each delivery is on the disk before it is answered. There is no history in the API: what is not kept here is gone.
    """
    session: Session = ctx.obj
    if ctx.invoked_subcommand is not None:
        return None
    from alovoice_cli.commands.listen.wishes import read_door, read_routes, read_signer, read_targets, read_tls
    from alovoice_cli.config.event_store import event_store_url
    from alovoice_cli.listening.listener import Listener, Plan

    plan = Plan(
        store_url=event_store_url(session.settings, store),
        door=read_door(session, secret, allow_from or [], trusted_proxy or []),
        host=host,
        port=port,
        routes=read_routes(fallback),
        targets=read_targets(forward or [], run or []),
        forward_timeout=forward_timeout,
        signer=read_signer(sign_secret),
        tls=read_tls(tls_cert, tls_key),
        environ=session.environ,
        repeats=no_dedupe,
    )
    if fallback is None:
        session.note("no --fallback: the caller of a route question is hung up on")
    return Listener(
        plan, Narrator(session, ready_file), session.poster.post, session.event_json(store), session.now
    ).run()
