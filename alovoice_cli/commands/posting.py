"""The poster that a command posts to handlers with."""

from alovoice_cli.events.handler import Poster, shown_url
from alovoice_cli.session import Session


def poster_of(session: Session) -> Poster:
    """The session's poster, which traces what it posts with `--verbose`; makes no connection yet."""
    if not session.options.verbose:
        return session.poster
    from alovoice_cli.api.poster import TracedPoster  # noqa: PLC0415 - help needs no client
    from alovoice_cli.api.trace import Trace  # noqa: PLC0415 - same

    return TracedPoster(session.poster, Trace(session.display.trace, session.masker), shown_url)
