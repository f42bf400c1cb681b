"""`alovoice events`: what the PBX told the listener, the only history of calls there is."""
