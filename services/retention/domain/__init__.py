"""The rules of retention: pure functions and values, without I/O or a clock."""
