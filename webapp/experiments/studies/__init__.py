"""What a study is a grid of, what comes out of it, and how that is told."""
