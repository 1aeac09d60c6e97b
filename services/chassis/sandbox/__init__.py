"""Computing in processes of their own, under limits of time and memory: what strangers wrote is taken apart there.

`pool` starts, asks and ends such processes; `child` is what runs in them.
"""
