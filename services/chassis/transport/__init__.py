"""Broker connections, publisher, RPC client, and the in-process broker."""
