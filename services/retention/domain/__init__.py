"""The rules of retention: pure functions and values, without I/O and without a clock of their own."""
