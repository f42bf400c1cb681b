"""A simulated PBX with the vendor's API, written from the vendor's document alone: nothing of `api/` is imported.

`opening.open_sandbox(path)` returns an ASGI app and its token; the session passes the app to an in-process transport,
or a server runs it on a socket. Its state is one SQLite file, which several processes may use at once. Mounted in a
process it sends nothing; on a server, it calls its customer back (`callback`).
"""
