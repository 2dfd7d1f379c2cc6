"""Writing: rows and jobs in one transaction."""
