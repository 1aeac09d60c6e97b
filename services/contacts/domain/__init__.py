"""The rules of contacts: pure functions and values, without storage, clock or bus."""
