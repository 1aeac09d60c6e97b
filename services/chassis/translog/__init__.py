"""The transparency log of the audit trail: its Merkle tree and its signed checkpoints."""
