"""`alovoice store`: an event store as a whole."""
