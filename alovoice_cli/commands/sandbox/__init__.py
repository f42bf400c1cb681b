"""`alovoice sandbox`: the simulated PBX as a server, and its state."""
