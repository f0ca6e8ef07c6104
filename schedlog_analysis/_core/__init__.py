"""Arrays, time and words that any floor may use."""
