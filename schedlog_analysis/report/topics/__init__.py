"""What a report says, one subject in each file."""
