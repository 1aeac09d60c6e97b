"""What is true of the trail whoever stores it: the bytes of its lines, the numbers of its streams, its verification."""
