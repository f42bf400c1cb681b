"""Runs the listener of an options value, or prints what runs it for good."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from alovoice_cli.commands.listen.deploy import print_deployment
from alovoice_cli.commands.listen.narrator import Narrator
from alovoice_cli.commands.listen.options import ListenOptions
from alovoice_cli.commands.listen.plan import read_plan
from alovoice_cli.commands.posting import poster_of
from alovoice_cli.events.event import Delivery, Event
from alovoice_cli.events.event_table import event_as_json
from alovoice_cli.listening.listener import Listener
from alovoice_cli.session import Session


def print_or_run(session: Session, options: ListenOptions, *, systemd: bool, nginx: bool) -> int:
    """Returns the exit code. Raises as `read_plan` does, and as Listener.run."""
    if options.log_format is not None:
        session.set_options(session.options.with_option("log_format", options.log_format))
    plan = read_plan(session, options)
    if systemd or nginx:
        return print_deployment(session, options, plan, systemd=systemd, nginx=nginx)
    if options.fallback is None and options.rules is None:
        session.note("neither --rules nor --fallback: the caller of a route question is hung up on")
    hosts = sorted({urlsplit(one.url).netloc for one in plan.targets if one.url})
    if plan.forward.headers and len(hosts) > 1:
        session.warn(f"--forward-header goes to each of {', '.join(hosts)}")
    read = session.event_store(options.store).event

    def as_json(delivery: Delivery) -> Mapping[str, object]:
        return event_as_json(read(delivery.id) or Event(delivery))

    code = Listener(
        plan, Narrator(session), poster_of(session, plan.forward.headers.values()).post, as_json, session.now
    ).run()
    if options.log_format is not None:
        session.note(f"ended with exit code {code}", exit_code=code)
    return code
