"""Use cases of the trail: write, sign and inspect it; read, prove and review it."""
