"""Many calls from one list, each exactly once, and whether a call rang."""
