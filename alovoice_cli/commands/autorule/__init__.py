"""`alovoice autorule`: auto-dial campaigns."""
