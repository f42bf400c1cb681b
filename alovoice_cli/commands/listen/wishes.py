"""The words of `listen` as what the listener understands."""

import ipaddress
import re
from collections.abc import Sequence
from pathlib import Path

from alovoice_cli.config.tokens import check_secret, listen_secret
from alovoice_cli.errors import UsageError
from alovoice_cli.events.receiver import Door, Network
from alovoice_cli.listening.forwarding import Signer
from alovoice_cli.listening.routes import RouteAnswerer
from alovoice_cli.listening.ruling import Ruling
from alovoice_cli.listening.switch import Switch
from alovoice_cli.listening.targets import Target, parse_exec, parse_forward
from alovoice_cli.listening.watching import Watch
from alovoice_cli.moments import parse_zone
from alovoice_cli.routing.live import Live
from alovoice_cli.routing.step import RouteStep
from alovoice_cli.session import Session
from alovoice_cli.stores.override import OverrideFile

_OWN, _NONE = "auto", "none"  # the words of --secret that are none
_SPAN = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)\s*(ms|s)")
_SHORTEST, _LONGEST = 0.05, 10.0


def read_door(session: Session, secret: str, allowed: Sequence[str], proxies: Sequence[str]) -> Door:
    """Who may come in, and where: `auto` is the profile's own secret, `none` no secret at all. Raises UsageError."""

    allowed_networks = [_network(text, "--allow-from") for text in allowed]
    trusted = [_network(text, "--trusted-proxy") for text in proxies]
    if secret == _NONE:
        return Door(None, allowed_networks, trusted)
    kept = listen_secret(session.paths, session.settings.profile) if secret == _OWN else check_secret(secret)
    return Door(kept, allowed_networks, trusted)


def read_targets(forwards: Sequence[str], programs: Sequence[str]) -> list[Target]:
    """The targets of `--forward` and `--exec`, each once. Raises UsageError."""

    targets = [*map(parse_forward, forwards), *map(parse_exec, programs)]
    return list({target.name: target for target in targets}.values())


def read_routes(
    session: Session, store: str | None, *, rules: Path | None, fallback: str | None, deadline: str, shadow: Path | None
) -> RouteAnswerer:
    """How route questions are answered. Raises UsageError for what is no step or no time, CheckFailedError (before
    anything is bound or stored) for rules that must not be served."""
    step = RouteStep.from_text(fallback) if fallback else None
    seconds = _deadline(deadline)
    now = session.now()
    served = Live(rules, now) if rules is not None else None
    other = Live(shadow, now) if shadow is not None else None
    zone = parse_zone(session.settings.timezone, "the profile's timezone")
    switch = Switch(OverrideFile(session.settings.override_path), session.warn, zone)
    ruling = Ruling(switch, session.past(store).as_of, session.now, rules=served, fallback=step, shadow=other)
    lives = {name: live for name, live in (("", served), ("--shadow: ", other)) if live is not None}
    watch = Watch(lives, switch, session.now, note=session.note, warn=session.warn)
    return RouteAnswerer(ruling, watch, deadline=seconds)


def _deadline(text: str) -> float:
    match = _SPAN.fullmatch(text.strip().lower())
    seconds = float(match.group(1)) * (0.001 if match.group(2) == "ms" else 1) if match else 0.0
    if not _SHORTEST <= seconds <= _LONGEST:
        raise UsageError(f"--deadline {text!r} is none", hint="give 50ms to 10s, such as 700ms or 1.5s")
    return seconds


def read_signer(secret: str | None) -> Signer | None:
    """What signs forwarded events: a secret, or `@FILE` that holds it. Raises UsageError."""
    if secret is None:
        return None

    if secret.startswith("@"):
        try:
            secret = Path(secret[1:]).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"--sign-secret: {secret[1:]} cannot be read ({error})", hint="name a text file") from None
    return Signer(secret)


def read_tls(certificate: str | None, key: str | None) -> tuple[str, str] | None:
    """The certificate and its key. Raises UsageError where one is missing."""
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise UsageError("--tls-cert and --tls-key belong together", hint="give both, or let nginx do it")
    for path in (certificate, key):
        if not Path(path).is_file():
            raise UsageError(f"there is no file {path}", hint="check --tls-cert and --tls-key")
    return certificate, key


def _network(text: str, option: str) -> Network:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        raise UsageError(f"{option} {text!r} is no network", hint="such as 203.0.113.0/24 or 203.0.113.7") from None
