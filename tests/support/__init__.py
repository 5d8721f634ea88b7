"""What several test subjects share."""
