"""What the PBX tells its customer: starts, ends and results of calls, and the route questions. Pure: no I/O here."""
