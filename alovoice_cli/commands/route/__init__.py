"""`alovoice route`: rules for the route "API request", before and while they are served."""
