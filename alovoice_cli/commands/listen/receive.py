"""`alovoice listen`: one durable receiver of callstart, callend, results and route questions."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from alovoice_cli.commands.global_options import check_listing
from alovoice_cli.commands.options import examples
from alovoice_cli.session import Session

if TYPE_CHECKING:
    from alovoice_cli.commands.listen.options import ListenOptions

EXAMPLES = examples(
    "alovoice listen --fallback queue:6000",
    "alovoice listen --rules rules.toml --shadow new.toml",
    "alovoice listen --forward callstart=https://crm.example.com/start --forward https://crm.example.com/events",
    "alovoice listen --json | jq -c 'select(.type == \"callend\")'",
    "alovoice listen --notify telegram:-1001234567890 --grace 2m",
    "alovoice listen --admin 127.0.0.1:9187 --log-format json 2>> listen.log",
)


def listen(
    ctx: typer.Context,
    host: Annotated[
        str | None, typer.Option("--host", metavar="ADDRESS", help="The address to listen on; 127.0.0.1 by default.")
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", metavar="N", min=0, max=65535, help="8787 by default; 0 picks a free one.")
    ] = None,
    store: Annotated[
        str | None, typer.Option("--store", metavar="URL", help="Where events are kept; else the profile's own file.")
    ] = None,
    secret: Annotated[
        str | None,
        typer.Option(
            "--secret",
            metavar="auto|none|STR|@FILE",
            help="What stands in the URLs' path; auto makes one, and keeps it.",
        ),
    ] = None,
    forward: Annotated[
        list[str] | None,
        typer.Option(
            "--forward",
            metavar="[TYPE=]URL",
            help="Pass events on; callstart=URL is asked for its answer, call=URL and missed=URL get finished calls.",
        ),
    ] = None,
    forward_timeout: Annotated[
        float | None,
        typer.Option(
            "--forward-timeout",
            metavar="SECONDS",
            min=0.05,
            max=30,
            help="How long a callstart waits for the CRM; 2 by default.",
        ),
    ] = None,
    forward_header: Annotated[
        list[str] | None,
        typer.Option(
            "--forward-header",
            metavar="'NAME: VALUE'|@FILE",
            help="A header for what is forwarded, such as Authorization; @FILE has one a line. Never shown.",
        ),
    ] = None,
    forward_json: Annotated[
        bool | None,
        typer.Option(
            "--forward-json/--forward-raw",
            help="Forward the event as JSON, whatever came; else the body as it came.",
            show_default=False,
        ),
    ] = None,
    sign_secret: Annotated[
        str | None,
        typer.Option("--sign-secret", metavar="SECRET", help="Sign what is forwarded: whsec_…, or @FILE with it."),
    ] = None,
    run: Annotated[
        list[str] | None, typer.Option("--exec", metavar="[TYPE=]CMD", help="Start a program for each event, or call.")
    ] = None,
    notify: Annotated[
        list[str] | None,
        typer.Option(
            "--notify",
            metavar="telegram:CHAT|exec:CMD|URL",
            help="Tell people of missed calls when the grace is over, and again when somebody talked to the caller.",
        ),
    ] = None,
    notify_on: Annotated[
        Literal["missed"] | None, typer.Option("--notify-on", metavar="missed", help="What --notify tells of.")
    ] = None,
    grace: Annotated[
        str | None,
        typer.Option("--grace", metavar="SPAN", help="How long a missed call waits for a call back; 90s by default."),
    ] = None,
    rules: Annotated[
        str | None, typer.Option("--rules", metavar="FILE", help="The rules that answer route questions.")
    ] = None,
    fallback: Annotated[
        str | None,
        typer.Option("--fallback", metavar="STEP", help="What a caller gets for want of a rule, such as queue:6000."),
    ] = None,
    deadline: Annotated[
        str | None,
        typer.Option(
            "--deadline", metavar="SPAN", help="How long a caller waits for the rules, then fallback; 700ms by default."
        ),
    ] = None,
    shadow: Annotated[
        str | None, typer.Option("--shadow", metavar="FILE", help="Note what these rules would have answered.")
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
        bool | None, typer.Option("--no-dedupe/--dedupe", help="Pass repeated deliveries on too.", show_default=False)
    ] = None,
    ready_file: Annotated[
        str | None, typer.Option("--ready-file", metavar="FILE", help="The URLs as JSON, there while all works.")
    ] = None,
    admin: Annotated[
        str | None,
        typer.Option("--admin", metavar="[ADDRESS:]PORT", help="Serve /live, /ready and /metrics there; no default."),
    ] = None,
    log_format: Annotated[
        Literal["text", "json"] | None,
        typer.Option(
            "--log-format", metavar="text|json", help="Date what is said on stderr, as text or as JSON lines."
        ),
    ] = None,
    print_systemd: Annotated[
        bool, typer.Option("--print-systemd", help="Print a systemd unit for this line.", show_default=False)
    ] = False,
    print_nginx: Annotated[
        bool, typer.Option("--print-nginx", help="Print an nginx location for this line.", show_default=False)
    ] = False,
) -> Any:
    """Receive calls, results and route questions from the PBX.

    Runs until Ctrl-C. AloVoice must be able to reach the printed URLs. The API has no history: events that are not
    received here are lost. Every option can be set in [profiles.NAME.listen] or as ALOVOICE_LISTEN_NAME.
    """
    session: Session = ctx.obj
    if ctx.invoked_subcommand is not None:
        return None
    check_listing(session.options, None)  # whoever has sub-commands is not looked at before it runs
    from alovoice_cli.commands.listen.options import ListenOptions
    from alovoice_cli.config.listen_options import ListenSettings

    given = ListenSettings.of(session.settings)
    options = ListenOptions(
        host=given.first("host", host),
        port=given.first("port", port),
        store=given.first("store", store),
        secret=given.first("secret", secret),
        forward=given.all("forward", forward),
        forward_timeout=given.first("forward-timeout", forward_timeout),
        forward_header=given.all("forward-header", forward_header),
        forward_json=given.first("forward-json", forward_json),
        sign_secret=given.first("sign-secret", sign_secret),
        exec=given.all("exec", run),
        notify=given.all("notify", notify),
        notify_on=given.first("notify-on", notify_on),
        grace=given.first("grace", grace),
        rules=given.first("rules", rules),
        fallback=given.first("fallback", fallback),
        deadline=given.first("deadline", deadline),
        shadow=given.first("shadow", shadow),
        allow_from=given.all("allow-from", allow_from),
        trusted_proxy=given.all("trusted-proxy", trusted_proxy),
        tls_cert=given.first("tls-cert", tls_cert),
        tls_key=given.first("tls-key", tls_key),
        no_dedupe=given.first("no-dedupe", no_dedupe),
        ready_file=given.first("ready-file", ready_file),
        admin=given.first("admin", admin),
        log_format=given.first("log-format", log_format),
    )
    return _print_or_run(session, options, systemd=print_systemd, nginx=print_nginx)


def _print_or_run(session: Session, options: "ListenOptions", *, systemd: bool, nginx: bool) -> int:
    """Returns the exit code. Raises as `read_plan` does, and as Listener.run."""
    from alovoice_cli.commands.listen.deploy import print_deployment
    from alovoice_cli.commands.listen.narrator import Narrator
    from alovoice_cli.commands.listen.plan import read_plan
    from alovoice_cli.commands.posting import poster_of
    from alovoice_cli.events.event import Delivery, Event
    from alovoice_cli.events.event_table import event_as_json
    from alovoice_cli.listening.listener import Listener
    from alovoice_cli.moments import span_text

    if options.log_format is not None:
        session.set_options(session.options.with_option("log_format", options.log_format))
    plan = read_plan(session, options)
    if systemd or nginx:
        return print_deployment(session, options, plan, systemd=systemd, nginx=nginx)
    if options.fallback is None and options.rules is None:
        session.note("neither --rules nor --fallback: the caller of a route question is hung up on")
    read = session.event_store(options.store).event

    def as_json(delivery: Delivery) -> Mapping[str, object]:
        return event_as_json(read(delivery.id) or Event(delivery))

    if plan.notify.targets:
        labels = ", ".join(target.label for target in plan.notify.targets)
        session.note(f"missed calls are told to {labels} after {span_text(plan.notify.grace_seconds)}")
    post = poster_of(session, plan.forward.headers.values()).post
    code = Listener(plan, Narrator(session), post, as_json, session.now).run()
    if options.log_format is not None:
        session.note(f"ended with exit code {code}", exit_code=code)
    return code
