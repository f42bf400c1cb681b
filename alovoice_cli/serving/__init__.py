"""The edge to uvicorn: one hardened ASGI server on a loopback socket, shared by the sandbox and whoever else listens.

`serve(app, ready=…)` runs until a signal; `SocketServer` is the same with `stop()`, for a thread.
"""

from alovoice_cli.serving.limits import App, Limits
from alovoice_cli.serving.server import SocketServer, serve

__all__ = ["App", "Limits", "SocketServer", "serve"]
