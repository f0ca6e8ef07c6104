"""When schedules were down: incidents, and the reliability that follows from them."""
