"""A simulated PBX with the vendor's API, read from the vendor's document by itself: nothing of `api/` is imported.

`opening.open_sandbox(path)` gives an ASGI app and the token that it accepts; the session hands the app to an in-process
transport, or a server in front of a socket runs it. Its state is one SQLite file, which several processes may use
at once. Mounted in a process it sends nothing; served, it calls its customer back (`callback`).
"""
