"""Turns the options of `listen` into a plan, and reports every error before anything is bound or stored."""

import ipaddress
import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from alovoice_cli.commands.listen.options import ListenOptions
from alovoice_cli.commands.posting import forward_options, parsed_notify, secret_text, telegram_bot
from alovoice_cli.config.tokens import check_secret, listen_secret
from alovoice_cli.errors import UsageError
from alovoice_cli.events.receiver import Door, Network
from alovoice_cli.language import tr
from alovoice_cli.listening.admin import AdminPlan
from alovoice_cli.listening.forwarding import ForwardOptions
from alovoice_cli.listening.listener import Plan
from alovoice_cli.listening.notifier import NotifyPlan
from alovoice_cli.listening.routes import RouteAnswerer
from alovoice_cli.listening.ruling import Ruling
from alovoice_cli.listening.switch import Switch
from alovoice_cli.listening.targets import Target, parse_exec, parse_forward
from alovoice_cli.listening.watching import Watch
from alovoice_cli.moments import parse_span, parse_zone
from alovoice_cli.routing.live import Live
from alovoice_cli.routing.step import RouteStep
from alovoice_cli.session import Session
from alovoice_cli.store_urls import is_server_url, masked_url
from alovoice_cli.stores.override import OverrideFile

if TYPE_CHECKING:
    from alovoice_cli.listening.metrics import Metrics

_LAST_PORT = 65535
_OWN, _NONE = "auto", "none"  # words of --secret that are no secrets
_SPAN = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)\s*(ms|s)")
_SHORTEST, _LONGEST = 0.05, 10.0
_LONGEST_GRACE = timedelta(hours=24)


def read_plan(session: Session, options: ListenOptions) -> Plan:
    """Raises UsageError for what makes no sense, and CheckFailedError for rules that must not be served."""
    if session.settings.listen:
        session.settings.check_permissions(tr("its options of `listen` are not used"))
    admin = _admin(options)
    targets = _targets(options)
    notify = _notify(session, options)
    return Plan(
        store_url=session.event_store_url(options.store),
        spool_folder=session.paths.state,
        door=_door(session, options),
        host=options.host,
        port=options.port,
        routes=_routes(session, options, admin),
        targets=targets,
        forward_timeout=options.forward_timeout,
        forward=_forward_options(session, options, [*targets, *notify.targets]),
        notify=notify,
        tls=_tls(session, options),
        environ=session.environ,
        ready_file=_path(session, options.ready_file),
        repeats=options.no_dedupe,
        admin=admin,
        store_words=_store_words(session, options.store),
    )


def _store_words(session: Session, store: str | None) -> tuple[str, ...]:
    """Returns the words with which another command names the same store."""
    profile = session.options.profile
    named = ("-p", shlex.quote(profile)) if profile else ()
    return ("--store", shlex.quote(masked_url(store) if is_server_url(store) else store)) if store else named


def _door(session: Session, options: ListenOptions) -> Door:
    """Returns who may send, and to which paths: `auto` is the profile's own secret, `none` no secret."""
    allowed = [_network(text, "--allow-from") for text in options.allow_from]
    trusted = [_network(text, "--trusted-proxy") for text in options.trusted_proxy]
    if options.secret == _NONE:
        return Door(None, allowed, trusted)
    if options.secret == _OWN:
        return Door(listen_secret(session.paths, session.settings.profile), allowed, trusted)
    return Door(check_secret(secret_text(session, options.secret, "--secret")), allowed, trusted)


def _targets(options: ListenOptions) -> list[Target]:
    """Returns the targets of `--forward` and `--exec`, each once."""
    targets = [*map(parse_forward, options.forward), *map(parse_exec, options.exec)]
    return list({target.name: target for target in targets}.values())


def _notify(session: Session, options: ListenOptions) -> NotifyPlan:
    """Returns the plan for missed calls. Raises UsageError, and TokenMissingError for a chat without a bot's token."""
    targets = [parsed_notify(text, "--notify") for text in options.notify]
    grace = parse_span(options.grace, "--grace")
    if grace > _LONGEST_GRACE:
        raise UsageError(
            tr("{option} {value} is longer than a day", option="--grace", value=options.grace),
            hint=tr("give 0s to 24h, such as 90s"),
        )
    return NotifyPlan(
        list({target.name: target for target in targets}.values()),
        int(grace.total_seconds()),
        telegram_bot(session) if any(target.chat for target in targets) else None,
        parse_zone(session.settings.timezone, tr("the profile's timezone")),
        session.peer_names.label if targets else str,
    )


def _forward_options(session: Session, options: ListenOptions, targets: Sequence[Target]) -> ForwardOptions:
    """Returns how events are sent; warns of headers, which contain secrets, that go to several hosts."""
    read = forward_options(session, options.sign_secret, options.forward_header)
    hosts = sorted({urlsplit(one.url).netloc for one in targets if one.url})
    if read.headers and len(hosts) > 1:
        session.warn(tr("--forward-header is sent to each of these hosts: {hosts}", hosts=", ".join(hosts)))
    return replace(read, as_json=options.forward_json)


def _admin(options: ListenOptions) -> AdminPlan | None:
    """Returns the admin port of `[ADDRESS:]PORT`."""
    if options.admin is None:
        return None
    host, _, port = options.admin.rpartition(":")
    if not re.fullmatch("[0-9]{1,5}", port) or int(port) > _LAST_PORT:
        raise UsageError(
            tr("--admin {value} is not a valid address", value=repr(options.admin)),
            hint=tr("for example: 127.0.0.1:9187, or 9187"),
        )
    from alovoice_cli.listening.metrics import Metrics

    return AdminPlan(host.strip("[]") or "127.0.0.1", int(port), Metrics())


def _routes(session: Session, options: ListenOptions, admin: AdminPlan | None) -> RouteAnswerer:
    """Returns what answers route questions."""
    step = RouteStep.from_text(options.fallback) if options.fallback else None
    seconds = _deadline(options.deadline)
    now = session.now()
    rules, shadow = _path(session, options.rules), _path(session, options.shadow)
    served = Live(rules, now) if rules is not None else None
    other = Live(shadow, now) if shadow is not None else None
    zone = parse_zone(session.settings.timezone, tr("the profile's timezone"))
    switch = Switch(OverrideFile(session.settings.override_path), session.warn, zone)
    history_at = session.past(options.store).as_of
    ruling = Ruling(switch, history_at, session.now, rules=served, fallback=step, shadow=other)
    lives = {name: live for name, live in (("", served), ("--shadow: ", other)) if live is not None}
    watch = Watch(lives, switch, session.now, note=session.note, warn=session.warn)
    if admin is None:
        return RouteAnswerer(ruling, watch, deadline=seconds)
    _follow_rules(admin.metrics, served, switch, session.now)
    return RouteAnswerer(ruling, watch, deadline=seconds, count=admin.metrics.note_route)


def _follow_rules(metrics: "Metrics", rules: Live | None, switch: Switch, now: Callable[[], datetime]) -> None:
    if rules is not None:
        metrics.follow("alovoice_rules", "Rules in force.", lambda: len(rules.rules.rules))
        outdated = "1 while a changed rules file is not used for its errors, and the last good rules are in force."
        metrics.follow("alovoice_rules_outdated", outdated, lambda: rules.outdated)
    override = "1 while `route override` sends every caller to one step."
    metrics.follow("alovoice_route_override", override, lambda: switch.in_force(now()) is not None)


def _deadline(text: str) -> float:
    match = _SPAN.fullmatch(text.strip().lower())
    seconds = float(match.group(1)) * (0.001 if match.group(2) == "ms" else 1) if match else 0.0
    if not _SHORTEST <= seconds <= _LONGEST:
        raise UsageError(
            tr("--deadline {value} is not a valid time limit", value=repr(text)),
            hint=tr("give 50ms to 10s, such as 700ms or 1.5s"),
        )
    return seconds


def _tls(session: Session, options: ListenOptions) -> tuple[str, str] | None:
    """Returns the certificate's file and its key's."""
    certificate, key = _path(session, options.tls_cert), _path(session, options.tls_key)
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise UsageError(
            tr("--tls-cert and --tls-key must be given together"), hint=tr("give both, or use them in nginx")
        )
    for path in (certificate, key):
        if not path.is_file():
            raise UsageError(tr("there is no file {path}", path=path), hint=tr("check --tls-cert and --tls-key"))
    return str(certificate), str(key)


def _path(session: Session, text: str | None) -> Path | None:
    return session.paths.from_home(text) if text else None


def _network(text: str, option: str) -> Network:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        raise UsageError(
            tr("{option} {value} is not a valid network", option=option, value=repr(text)),
            hint=tr("for example: 203.0.113.0/24 or 203.0.113.7"),
        ) from None
