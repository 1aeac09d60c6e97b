"""Retention: requests for no more contact, and the complete erasure of records with receipts.

*owns*: requests for no more contact, erasures with their receipts, decisions and certificates, holds, the register of
destruction.

*answers*: requests for no more contact, erasures and their progress, holds, the register of destruction, tasks.

*announces*: ErasureCompleted.

*listens to*: contacts (individuals registered, handed over, frozen, erased), access (users), audit
(checkpoints).
"""
