"""Why actions did not start: templates, causes and clusters of messages."""
