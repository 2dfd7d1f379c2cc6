"""Reading, filtered by who asks."""
