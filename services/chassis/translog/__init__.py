"""The transparency log of the audit trail: Merkle tree and signed checkpoints."""
