"""Pure rules of the trail: the bytes of its lines, the numbers of its streams, its verification."""
