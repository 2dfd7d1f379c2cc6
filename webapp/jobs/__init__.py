"""Jobs: the rows that are the truth about long work."""
