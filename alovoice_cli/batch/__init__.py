"""Pure: many calls, each exactly once, and whether one rang."""
