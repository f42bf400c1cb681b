"""`alovoice listen`: one durable receiver of callstart, callend, results and route questions."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from alovoice_cli.commands.global_options import check_listing
from alovoice_cli.commands.listen.narrator import Narrator
from alovoice_cli.commands.options import examples
from alovoice_cli.session import Session

EXAMPLES = examples(
    "alovoice listen --fallback queue:6000",
    "alovoice listen --rules rules.toml --shadow new.toml",
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
        float,
        typer.Option(
            "--forward-timeout", metavar="SECONDS", min=0.05, max=30, help="How long a callstart waits for the CRM."
        ),
    ] = 2.0,
    sign_secret: Annotated[
        str | None,
        typer.Option("--sign-secret", metavar="SECRET", help="Sign what is forwarded: whsec_…, or @FILE with it."),
    ] = None,
    run: Annotated[
        list[str] | None, typer.Option("--exec", metavar="[TYPE=]CMD", help="Start a program for each event.")
    ] = None,
    rules: Annotated[
        Path | None, typer.Option("--rules", metavar="FILE", help="The rules that answer route questions.")
    ] = None,
    fallback: Annotated[
        str | None,
        typer.Option("--fallback", metavar="STEP", help="What a caller gets for want of a rule, such as queue:6000."),
    ] = None,
    deadline: Annotated[
        str, typer.Option("--deadline", metavar="SPAN", help="How long a caller waits for the rules, then fallback.")
    ] = "700ms",
    shadow: Annotated[
        Path | None, typer.Option("--shadow", metavar="FILE", help="Note what these rules would have answered.")
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
        str | None, typer.Option("--ready-file", metavar="FILE", help="The URLs as JSON, there while all works.")
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

    Rules with errors: exit code 8, before anything is bound. A changed file or list is read anew within two seconds;
    if it has errors or fails its tests, the last good rules stay. `alovoice route override` beats them at once.
    """
    session: Session = ctx.obj
    if ctx.invoked_subcommand is not None:
        return None
    check_listing(session.options, None)  # whoever has sub-commands is not looked at before it runs
    from alovoice_cli.commands.listen.wishes import read_door, read_routes, read_signer, read_targets, read_tls
    from alovoice_cli.commands.posting import poster_of
    from alovoice_cli.events.event import Delivery, Event
    from alovoice_cli.events.event_table import event_as_json
    from alovoice_cli.listening.listener import Listener, Plan

    store_url = session.settings.event_store_url(store)
    plan = Plan(
        store_url=store_url,
        door=read_door(session, secret, allow_from or [], trusted_proxy or []),
        host=host,
        port=port,
        routes=read_routes(session, store, rules=rules, fallback=fallback, deadline=deadline, shadow=shadow),
        targets=read_targets(forward or [], run or []),
        forward_timeout=forward_timeout,
        signer=read_signer(sign_secret),
        tls=read_tls(tls_cert, tls_key),
        environ=session.environ,
        ready_file=Path(ready_file) if ready_file else None,
        repeats=no_dedupe,
        store_words=_store_words(session, store),
    )
    if print_systemd or print_nginx:
        from alovoice_cli.commands.listen.deploy import print_deployment

        return print_deployment(session, plan, sign_secret, systemd=print_systemd, nginx=print_nginx)
    if fallback is None and rules is None:
        session.note("neither --rules nor --fallback: the caller of a route question is hung up on")
    read = session.event_store(store).event

    def as_json(delivery: Delivery) -> Mapping[str, object]:
        return event_as_json(read(delivery.id) or Event(delivery))

    return Listener(plan, Narrator(session), poster_of(session).post, as_json, session.now).run()


def _store_words(session: Session, store: str | None) -> tuple[str, ...]:
    """The words by which another command finds the same store."""
    profile = session.options.profile
    named = ("-p", shlex.quote(profile)) if profile else ()
    return ("--store", shlex.quote(store)) if store else named
