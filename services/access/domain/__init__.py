"""The rules of access: pure functions and values, without I/O or a clock."""
