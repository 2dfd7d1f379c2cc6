"""Predictions: videos in, labels out, corrections back into a dataset."""
