"""The guarded connection over httptools. Imported only where httptools is installed."""

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from alovoice_cli.serving.protocol import GuardedConfig, GuardedConnection

_MOST_PIPELINED = 100


class _Reader(HttpToolsProtocol):
    """uvicorn's protocol, which loses no body of a request that offers an upgrade.

    Measured with httptools 0.9: for `Upgrade: h2c`, as Java's HttpClient and `curl --http2` send it with each request,
    the app is given an empty body, and the real one is thrown away as bytes of another protocol. So such a head is read
    a second time, without its offer, by a new parser.
    """

    _is_offer = False

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        try:
            while data:
                data = self._feed(data)
        except httptools.HttpParserError:
            self.send_400_response("Invalid HTTP request received.")

    def _feed(self, data: bytes) -> bytes:
        """Parses the data, and returns what must be parsed again."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            head = self._head_without_offer()
            self._is_offer = False
            self.parser = httptools.HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's
            return head + data[upgrade.args[0] :]
        return b""

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade():
            if self.parser.get_method() == b"CONNECT":
                raise ValueError("no proxy")  # the parser turns it into its own error
            self._is_offer = True
        else:
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        if not self._is_offer:
            super().on_message_complete()

    def _head_without_offer(self) -> bytes:
        lines = [b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())]
        for name, value in self.headers:
            if name == b"connection":
                value = b", ".join(
                    token for token in value.split(b",") if token.strip().lower() not in (b"upgrade", b"http2-settings")
                )
            if value and name not in (b"upgrade", b"http2-settings"):
                lines.append(b"%b: %b" % (name, value))
        return b"\r\n".join(lines) + b"\r\n\r\n"


class GuardedHttptools(GuardedConnection, _Reader):  # type: ignore[misc]  # one of two bases, see _Parsing
    """A guarded connection, read by httptools, which bounds neither heads nor trailers nor what is pipelined."""

    def __init__(self, config: GuardedConfig, state: ServerState) -> None:
        super().__init__(config, state)
        self._has_begun = False
        self._unparsed = 0

    @property
    def is_arriving(self) -> bool:
        return self._has_begun

    @property
    def unparsed(self) -> int:
        return self._unparsed if self._has_begun else 0

    def data_received(self, data: bytes) -> None:
        self._unparsed += len(data)
        super().data_received(data)

    def on_message_begin(self) -> None:
        if len(self.pipeline) >= _MOST_PIPELINED:  # one read may hold thousands, each with a task to come
            raise ValueError("too many requests at once")  # the parser turns it into its own error
        if self.cycle is not None:
            self.guard.expect_anew()
        self._has_begun = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._unparsed = 0
        super().on_headers_complete()
        if not self._is_offer:
            self.headers = []  # what follows are trailers: they must not pass for headers

    def on_body(self, body: bytes) -> None:
        self._unparsed = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._has_begun = False
        super().on_message_complete()
