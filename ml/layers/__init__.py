"""What two papers or more share."""
