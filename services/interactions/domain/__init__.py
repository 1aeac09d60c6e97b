"""The rules of interactions: rights, moments, coordination requests and shared text."""
