"""Speech: what an analysis contains about a call; pure."""
