"""Run functions on untrusted input in child processes, under time and memory limits.

`pool` starts, calls and ends the children; `child` is their program.
"""
