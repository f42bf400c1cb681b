"""The edge to uvicorn: one hardened ASGI server on a socket, shared by the sandbox and the listener.

`serve(app, ready=…)` runs until a signal; `SocketServer` is the same with `stop()`, for a thread or an app that may
have to end it.
"""

from alovoice_cli.serving.limits import App, Limits, Receive, Send
from alovoice_cli.serving.server import SocketServer, serve

__all__ = ["App", "Limits", "Receive", "Send", "SocketServer", "serve"]
