"""What an expression plans, and which expression a series shows."""
