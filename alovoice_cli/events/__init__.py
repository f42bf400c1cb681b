"""The PBX's messages to its customer: starts, ends and results of calls, and route questions. Pure: no I/O here."""
