"""The edge to the terminal: lists and records as tables, TSV, CSV or JSON. Only here rich is imported."""
