"""Use cases of interactions: one function for each intention."""
