"""The use cases of retention: one function for each intention."""
