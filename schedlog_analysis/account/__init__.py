"""Every table of one period of one account, from a log or from an archive of any size."""
