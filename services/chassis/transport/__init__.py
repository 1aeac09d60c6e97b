"""Connections to the broker, publishing, calling, and the in-process broker that stands in for it."""
