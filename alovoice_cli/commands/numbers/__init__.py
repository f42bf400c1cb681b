"""`alovoice numbers`: lists of phone numbers."""
