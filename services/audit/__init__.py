"""The audit service.

owns: the append-only trail, its Merkle tree, the signed checkpoints, the streams' numbers, findings, weekly reviews.
answers: the trail's entries to the ISSO, checkpoints, proofs of inclusion and consistency, findings, reviews.
announces: CheckpointSigned.
listens to: the audit entries of every service, on the queue `audit.entries`.
"""
