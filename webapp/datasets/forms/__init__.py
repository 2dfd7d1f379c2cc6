"""Forms about datasets, a file a topic."""
