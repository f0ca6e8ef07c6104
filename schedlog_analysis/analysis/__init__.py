"""Tables in, small tables out, one question a file."""
