"""The rules of contacts: pure, without storage, clock or bus."""
