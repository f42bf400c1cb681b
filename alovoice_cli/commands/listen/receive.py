"""`alovoice listen`: one durable receiver of callstart, callend, results and route questions."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from alovoice_cli.commands.options import examples
from alovoice_cli.language import tr
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

_network: Any = partial(typer.Option, rich_help_panel="Network")
_event: Any = partial(typer.Option, rich_help_panel="Events")
_missed: Any = partial(typer.Option, rich_help_panel="Missed calls")
_route: Any = partial(typer.Option, rich_help_panel="Route questions")
_operation: Any = partial(typer.Option, rich_help_panel="Operation")


def listen(
    ctx: typer.Context,
    host: Annotated[
        str | None, _network("--host", metavar="ADDRESS", help="Address to listen on (default: 127.0.0.1).")
    ] = None,
    port: Annotated[
        int | None,
        _network("--port", metavar="N", min=0, max=65535, help="Port; 0: any free port (default: 8787)."),
    ] = None,
    store: Annotated[str | None, _event("--store", metavar="URL", help="Event store (default: the profile's).")] = None,
    secret: Annotated[
        str | None,
        _network(
            "--secret",
            metavar="SECRET",
            help="Secret in the URLs: auto, none, text or @FILE.",
        ),
    ] = None,
    forward: Annotated[
        list[str] | None,
        _event(
            "--forward",
            metavar="[TYPE=]URL",
            help="Forward events; also callstart=, call=, missed=URL.",
        ),
    ] = None,
    forward_timeout: Annotated[
        float | None,
        _event(
            "--forward-timeout",
            metavar="S",
            min=0.05,
            max=30,
            help="CRM's time for a callstart (default: 2).",
        ),
    ] = None,
    forward_header: Annotated[
        list[str] | None,
        _event(
            "--forward-header",
            metavar="HEADER",
            help="'NAME: VALUE' or @FILE for forwards; repeatable.",
        ),
    ] = None,
    forward_json: Annotated[
        bool | None,
        _event(
            "--forward-json/--forward-raw",
            help="Forward as JSON, or unchanged (default).",
            show_default=False,
        ),
    ] = None,
    sign_secret: Annotated[
        str | None,
        _event("--sign-secret", metavar="SECRET", help="Sign what is forwarded: whsec_…, or @FILE."),
    ] = None,
    run: Annotated[
        list[str] | None, _event("--exec", metavar="[TYPE=]CMD", help="Start a program for each event or call.")
    ] = None,
    notify: Annotated[
        list[str] | None,
        _missed(
            "--notify",
            metavar="TARGET",
            help="Report missed calls: telegram:CHAT, exec:CMD, URL.",
        ),
    ] = None,
    notify_on: Annotated[
        Literal["missed"] | None,
        _missed("--notify-on", metavar="missed", help="Events to report (default: missed)."),
    ] = None,
    grace: Annotated[
        str | None,
        _missed("--grace", metavar="SPAN", help="Time to call back before a report (default: 90s)."),
    ] = None,
    rules: Annotated[str | None, _route("--rules", metavar="FILE", help="Rules that answer route questions.")] = None,
    fallback: Annotated[
        str | None,
        _route("--fallback", metavar="STEP", help="Step when no rule matches, such as queue:6000."),
    ] = None,
    deadline: Annotated[
        str | None,
        _route("--deadline", metavar="SPAN", help="Time limit for the rules, then fallback (700ms)."),
    ] = None,
    shadow: Annotated[
        str | None, _route("--shadow", metavar="FILE", help="Record what these rules would answer.")
    ] = None,
    allow_from: Annotated[
        list[str] | None, _network("--allow-from", metavar="CIDR", help="Accept events only from these addresses.")
    ] = None,
    trusted_proxy: Annotated[
        list[str] | None,
        _network("--trusted-proxy", metavar="CIDR", help="Proxies whose X-Forwarded-For is trusted."),
    ] = None,
    tls_cert: Annotated[
        str | None, _network("--tls-cert", metavar="FILE", help="Serve HTTPS with this certificate and key.")
    ] = None,
    tls_key: Annotated[
        str | None, _network("--tls-key", metavar="FILE", help="Serve HTTPS with this certificate and key.")
    ] = None,
    no_dedupe: Annotated[
        bool | None,
        _event("--no-dedupe/--dedupe", help="Forward repeated deliveries too, or not (default).", show_default=False),
    ] = None,
    ready_file: Annotated[
        str | None, _operation("--ready-file", metavar="FILE", help="File with the URLs as JSON while all works.")
    ] = None,
    admin: Annotated[
        str | None,
        _operation("--admin", metavar="[ADDRESS:]PORT", help="Serve /live, /ready and /metrics on this port."),
    ] = None,
    log_format: Annotated[
        Literal["text", "json"] | None,
        _operation("--log-format", metavar="text|json", help="Date the messages, as text or JSON lines."),
    ] = None,
    print_systemd: Annotated[
        bool, _operation("--print-systemd", help="Print a systemd unit, or an nginx location.", show_default=False)
    ] = False,
    print_nginx: Annotated[
        bool, _operation("--print-nginx", help="Print a systemd unit, or an nginx location.", show_default=False)
    ] = False,
) -> Any:
    """Receive calls, results and route questions from the PBX.

    Runs until Ctrl-C. AloVoice must be able to reach the printed URLs. The API has no history: events that are not
    received here are lost. Every option can be set in [profiles.NAME.listen] or as ALOVOICE_LISTEN_NAME.
    """
    session: Session = ctx.obj
    if ctx.invoked_subcommand is not None:
        return None
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
        session.note(tr("no --rules and no --fallback: calls that ask for a route are disconnected"))
    read = session.event_store(options.store).event

    def as_json(delivery: Delivery) -> Mapping[str, object]:
        return event_as_json(read(delivery.id) or Event(delivery))

    if plan.notify.targets:
        labels = ", ".join(target.label for target in plan.notify.targets)
        session.note(
            tr(
                "missed calls are reported to {targets} after {span}",
                targets=labels,
                span=span_text(plan.notify.grace_seconds),
            )
        )
    post = poster_of(session, plan.forward.headers.values()).post
    code = Listener(plan, Narrator(session), post, as_json, session.now).run()
    if options.log_format is not None:
        session.note(tr("ended with exit code {code}", code=code), exit_code=code)
    return code
