"""Who posts to a handler in this run: the session's poster, which with --verbose tells what it does."""

from alovoice_cli.api.trace import Trace
from alovoice_cli.api.traced import TracedPoster
from alovoice_cli.events.handler import shown_url
from alovoice_cli.posts import AnyPoster
from alovoice_cli.session import Session


def poster_of(session: Session) -> AnyPoster:
    """The poster; it makes no connection yet."""
    if not session.options.verbose:
        return session.poster
    trace = Trace(session.display.trace, session.masker, show_numbers=session.options.show_secrets)
    return TracedPoster(session.poster, trace, shown_url)
