"""`--verbose` for what is posted to handlers: each event and its answer, as the trace shows those of the PBX."""

from collections.abc import Callable, Mapping

from alovoice_cli.api.trace import Trace
from alovoice_cli.posts import AnyPoster, Posted


class TracedPoster:
    """A poster that tells what it posts, and what is answered. `shown` is a URL without what is secret in it."""

    def __init__(self, poster: AnyPoster, trace: Trace, shown: Callable[[str], str]) -> None:
        self._poster, self._trace, self._shown = poster, trace, shown

    def post(self, url: str, body: bytes, *, headers: Mapping[str, str], timeout: float) -> Posted:
        """As the poster that it wraps."""
        self._trace.line(f"→ POST {self._shown(url)}")
        for name, value in headers.items():
            self._trace.line(f"  {name}: {value}")
        self._trace.line(f"  {self._trace.body(body)}")
        posted = self._poster.post(url, body, headers=headers, timeout=timeout)
        if posted.status is None:
            self._trace.lost(posted.error)
            return posted
        self._trace.line(f"← {posted.status} {posted.seconds * 1000:.0f} ms {len(posted.body)} bytes")
        if posted.body:
            self._trace.line(f"  {self._trace.body(posted.body)}")
        return posted
