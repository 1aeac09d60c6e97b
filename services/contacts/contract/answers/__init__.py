"""What contacts answers, by subject."""
