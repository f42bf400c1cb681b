"""`alovoice ai`: speech analysis of recorded calls."""
