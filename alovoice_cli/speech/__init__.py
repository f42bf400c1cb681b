"""Pure: what an analysis says of a call."""
