"""The guarded connection over httptools. Imported only where httptools is installed."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from alovoice_cli.serving.protocol import GuardedConfig, GuardedConnection

_MOST_PIPELINED = 100


class GuardedHttptools(GuardedConnection, HttpToolsProtocol):  # type: ignore[misc]  # one of two bases, see _Parsing
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
        if len(self.pipeline) >= _MOST_PIPELINED:
            # One read may hold thousands; the parser turns this into its own error, and the connection ends.
            raise ConnectionAbortedError
        if self.cycle is not None:
            self.guard.expect_anew()
        self._has_begun = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._unparsed = 0
        super().on_headers_complete()
        self.headers = []  # what follows are trailers: they must not pass for headers

    def on_body(self, body: bytes) -> None:
        self._unparsed = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._has_begun = False
        super().on_message_complete()
