"""How a report is written, one format in each file."""
