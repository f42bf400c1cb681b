"""`alovoice events`: the events that the PBX sent to the listener, the only history of calls."""
