"""Putting the parts together: in one process, or one container each."""
