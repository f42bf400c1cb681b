"""`alovoice config`: profiles and their settings."""
