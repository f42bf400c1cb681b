"""Many calls, each exactly once. Pure: no terminal, no network, no database."""
