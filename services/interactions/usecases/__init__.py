"""What can be asked of interactions: one function for one intention."""
