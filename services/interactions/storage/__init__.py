"""Read and write the tables of interactions."""
