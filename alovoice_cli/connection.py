"""The client of one command: for the PBX of the settings, or for the simulated one that is embedded."""

from typing import TYPE_CHECKING

from alovoice_cli.api.client import Client
from alovoice_cli.config.settings import Settings

if TYPE_CHECKING:
    from alovoice_cli.api.inprocess import InProcess
    from alovoice_cli.session import Session


def make_client(
    session: "Session",
    settings: Settings,
    *,
    token: str | None,
    encoding: str | None,
    override_limits: frozenset[str],
    spent_seconds: float,
) -> Client:
    """A client that makes no connection yet. Raises UsageError for a base URL or a token that cannot be used."""
    transport, base_url = session.transport, settings.base_url
    if settings.ignored:
        session.note(f"the profile sandbox ignores {' and '.join(settings.ignored)}: it is the simulated PBX")
    if settings.embedded and transport is None:
        transport, base_url, token = _embedded_pbx(session)
    elif warning := settings.warn_of_permissions():
        session.warn(warning)
    session.masker.learn(token or "")
    return Client(
        base_url,
        token,
        timeout=settings.timeout,
        spent=spent_seconds,
        encoding=encoding or settings.encoding,
        insecure=settings.insecure,
        environ=session.environ,
        transport=transport,
        send_guard=session.send_guard,
        override_limits=override_limits,
        profile=settings.profile,
        trace=session.display.trace if session.options.verbose else None,
        rehearse=session.options.dry_run,
    )


def _embedded_pbx(session: "Session") -> "tuple[InProcess, str, str]":
    from alovoice_cli.api.inprocess import InProcess  # noqa: PLC0415 - a real PBX needs none of it
    from alovoice_cli.sandbox.opening import EMBEDDED_URL, STATE_NAME, open_sandbox  # noqa: PLC0415 - same

    sandbox = open_sandbox(session.paths.state / STATE_NAME, now=session.now)
    return InProcess(sandbox.app), EMBEDDED_URL, sandbox.token
