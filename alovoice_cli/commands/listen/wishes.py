"""The words of `listen` as what the listener understands."""

import ipaddress
from collections.abc import Sequence
from pathlib import Path

from alovoice_cli.config.listen_secrets import check_secret, listen_secret
from alovoice_cli.errors import UsageError
from alovoice_cli.events.receiver import Door, Network
from alovoice_cli.listening.forwarding import Signer
from alovoice_cli.listening.routes import Routes
from alovoice_cli.listening.targets import Target, parse_exec, parse_forward
from alovoice_cli.routing.step import Step
from alovoice_cli.session import Session

_OWN, _NONE = "auto", "none"  # the words of --secret that are none


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


def read_routes(fallback: str | None) -> Routes:
    """How route questions are answered. Raises UsageError for a fallback that is no step."""

    return Routes(Step.from_text(fallback) if fallback else Step("hangup"))


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
