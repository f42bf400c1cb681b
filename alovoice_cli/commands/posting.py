"""The poster that a command posts to handlers with."""

from collections.abc import Iterable

from alovoice_cli.events.handler import shown_url
from alovoice_cli.masking import Masker
from alovoice_cli.posts import AnyPoster
from alovoice_cli.session import Session


def poster_of(session: Session, secrets: Iterable[str] = ()) -> AnyPoster:
    """The session's poster, which traces what it posts with `--verbose`; makes no connection yet.

    The trace holds none of the `secrets`, the values of headers: a handler may send one back in an answer.
    """
    if not session.options.verbose:
        return session.poster
    from alovoice_cli.api.poster import TracedPoster  # noqa: PLC0415 - help needs no client
    from alovoice_cli.api.trace import Trace  # noqa: PLC0415 - same

    hidden = Masker(part for value in secrets for part in (value, value.rpartition(" ")[2]))
    trace = Trace(lambda text: session.display.trace(hidden.hide(text)), session.masker)
    return TracedPoster(session.poster, trace, shown_url)
