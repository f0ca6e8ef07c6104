"""From log entries to judged ticks."""
