"""Installation, operation and command line, for one process or for containers."""
