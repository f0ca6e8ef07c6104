"""In and out: the API, files, the archive; all end in the tables of `schema`."""
