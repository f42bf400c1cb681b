"""`alovoice route`: rules for the route "API request", before and during their use."""
