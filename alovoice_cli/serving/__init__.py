"""The edge to uvicorn: one hardened ASGI server on a socket (`server.SocketServer`), shared by sandbox and listener."""
