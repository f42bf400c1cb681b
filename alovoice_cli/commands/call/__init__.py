"""`alovoice call`: one call or many, the receipts of what was asked for, and whether it rang."""
